package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// page is a tab of the browser, with storage of its own.
type page struct {
	t    *testing.T
	ctx  context.Context
	home string // the host and port that it may ask

	mu       sync.Mutex
	expected []string // parts of faults that are part of the story
	faults   []string
	asked    []string // URLs
}

// open opens a tab and has it load a URL. When the test ends it must not have asked anybody else for anything, nor may
// anything have gone wrong in it that was not expected: a policy violated, an exception, an error in the console.
func open(t *testing.T, address string, expected ...string) *page {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	p := &page{t: t, ctx: ctx, home: u.Host, expected: expected}
	if err := chromedp.Listen(ctx, p.watch); err != nil { // opens the tab
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			p.photograph(strings.ReplaceAll(t.Name(), "/", " ") + " failed")
		}
		end()
		p.check()
	})
	p.do(command(network.Enable, network.EnableParams{}), command(log.Enable, cdp.Empty{}), command(runtime.Enable, cdp.Empty{}),
		chromedp.EmulateViewport(1280, 800), chromedp.Navigate(address))
	return p
}

// command is an action of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// watch notes what the DevTools tell.
func (p *page) watch(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.URL)
	case *network.EventWebSocketCreated:
		p.asked = append(p.asked, e.URL)
	case *runtime.EventExceptionThrown:
		p.faults = append(p.faults, fmt.Sprintf("exception: %s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			p.faults = append(p.faults, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			p.faults = append(p.faults, fmt.Sprintf("console: %v", e.Args))
		}
	}
}

func (p *page) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, address := range p.asked {
		if u, err := url.Parse(address); err != nil || u.Host != p.home || u.Scheme == "data" {
			p.t.Errorf("the page asked %s", address)
		}
	}
fault:
	for _, f := range p.faults {
		for _, part := range p.expected {
			if strings.Contains(f, part) {
				continue fault
			}
		}
		p.t.Errorf("in the page: %s", f)
	}
}

// do does something in the page.
func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// js evaluates an expression, a promise too.
func js[T any](p *page, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return value
}

// until waits until an expression holds.
func (p *page) until(what, expression string) {
	p.t.Helper()
	eventually(p.t, what+": "+expression, func() bool { return js[bool](p, "Boolean("+expression+")") })
}

// shows waits until a visible element has a text.
func (p *page) shows(selector, text string) {
	p.t.Helper()
	p.until("shown", fmt.Sprintf("[...document.querySelectorAll(%q)].some(e => e.checkVisibility() && e.innerText.includes(%q))", selector, text))
}

// clicks clicks something in a page that grows and shrinks meanwhile.
func (p *page) clicks(selector string) {
	p.t.Helper()
	js[any](p, fmt.Sprintf("document.querySelector(%q).click()", selector))
}

// texts are those of all elements that are visible.
func (p *page) texts(selector string) []string {
	p.t.Helper()
	return js[[]string](p, fmt.Sprintf("[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).map(e => e.textContent)", selector))
}

// look is how the page is seen.
type look struct {
	name          string
	width, height int64
	scheme        string // prefers-color-scheme
}

func looks() []look {
	return []look{
		{"light", 1280, 860, "light"}, {"dark", 1280, 860, "dark"},
		{"phone light", 360, 740, "light"}, {"phone dark", 360, 740, "dark"},
	}
}

func (p *page) seen(l look) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(l.width, l.height), command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}))
}

// photograph keeps a picture where BROWSER_SCREENSHOTS says, if it does.
func (p *page) photograph(name string) {
	p.t.Helper()
	dir := os.Getenv("BROWSER_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		p.t.Log(err)
	}
}
