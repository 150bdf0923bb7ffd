package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

const shift = 8 // of press's modifiers

// press presses a key as a keyboard does: what the page prevents when the key goes down, does not happen.
func press(key, text string, code, modifiers int64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		down := input.DispatchKeyEventParams{
			Type: input.DispatchKeyEventTypeRawKeyDown, Key: key, Code: key, WindowsVirtualKeyCode: code, NativeVirtualKeyCode: code, Modifiers: modifiers,
		}
		up := down
		up.Type = input.DispatchKeyEventTypeKeyUp
		if text != "" {
			down.Type, down.Text = input.DispatchKeyEventTypeKeyDown, text
		}
		for _, event := range []input.DispatchKeyEventParams{down, up} {
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, event); err != nil {
				return err
			}
		}
		return nil
	})
}

func enter() chromedp.Action[chromedp.Void] { return press("Enter", "\r", 13, 0) }

// says types lines into the chat page's composer and sends each.
func (p *page) says(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		p.do(chromedp.SendKeys(chromedp.CSS("#text"), line), enter())
	}
}
