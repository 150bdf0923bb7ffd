package browser

import (
	"context"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// press presses a key that writes nothing, as a keyboard does.
func press(key string, code int64, modifiers int64) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, input.DispatchKeyEventParams{
				Type: kind, Key: key, Code: key, WindowsVirtualKeyCode: code, NativeVirtualKeyCode: code, Modifiers: modifiers,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

func enter() chromedp.Action[chromedp.Void] { return press("Enter", 13, 0) }

// says types lines into the chat page's composer and sends each.
func (p *page) says(lines ...string) {
	p.t.Helper()
	for _, line := range lines {
		p.do(chromedp.SendKeys(chromedp.CSS("#text"), line), enter())
	}
}
