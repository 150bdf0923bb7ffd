package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// Both pages fit their window in light and dark, on a desk and on a phone, whatever names people have.
func TestLooks(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	long := "a-device-with-a-name-that-nobody-would-ever-want-to-read-aloud-" + fmt.Sprint(1<<40)
	for i := range 6 {
		c := g.console(fmt.Sprintf("sensor-%d", i), fmt.Sprintf("iot/room %d", i%3))
		c.Types(fmt.Sprintf("temperature %d.5", 18+i))
	}
	olga := g.console("olga", "hall")
	g.console(long, "hall")
	olga.Types("Good morning! Is the gateway up again?")
	olga.Types("And a line that is long enough to be broken, since it goes on and on about nothing at all, as lines in examples do: https://example.org/" + long)

	chat := open(t, g.admin("/chat#channel=hall&uid=alice"))
	chat.do(chromedp.WaitVisible(chromedp.CSS("#join")))
	for _, l := range looks() {
		chat.seen(l)
		chat.fits(l)
		chat.photograph("chat form " + l.name)
	}
	chat.do(chromedp.Click(chromedp.CSS("#enter")), chromedp.WaitVisible(chromedp.CSS("#text")))
	chat.shows(".theirs", "Good morning")
	chat.says("It is. From a browser now.", "And I can see you.")
	olga.Says("I can see you")
	olga.Types("Lovely – ääkköset, too.")
	chat.shows(".theirs", "Lovely")
	for _, l := range looks() {
		chat.seen(l)
		chat.fits(l)
		chat.photograph("chat " + l.name)
	}

	console := open(t, g.admin("/"))
	console.shows("#memberlist", "sensor-5")
	console.shows("#answer", "Not yet")
	eventually(t, "some points", func() bool { return js[int](console, "document.querySelectorAll('#plotin path').length") == 3 })
	for i := range 3 {
		for range 1 + 3*i {
			olga.Types("once more")
		}
		n := js[string](console, "document.querySelector('#plotpeople path:last-of-type').getAttribute('d')")
		console.until("another point", fmt.Sprintf("document.querySelector('#plotpeople path:last-of-type').getAttribute('d') !== %q", n))
	}
	for _, l := range looks() {
		console.seen(l)
		console.fits(l)
		for i, at := range []string{"#trouble", "#v1", "#channels", "#members", "#server"} {
			js[any](console, fmt.Sprintf("document.querySelector(%q).scrollIntoView({behavior: 'instant'})", at))
			if i == 0 {
				js[any](console, "scrollTo({top: 0, behavior: 'instant'})")
			}
			console.photograph(fmt.Sprintf("console %s %d", l.name, i))
		}
	}
}

// fits: nothing is wider than the window.
func (p *page) fits(l look) {
	p.t.Helper()
	wide := js[[]string](p, `(() => {
		const out = [...document.querySelectorAll("body *")].filter((e) => {
			if (!e.checkVisibility() || e.closest(".unseen, svg") || e.closest(".wide")) return false;
			const r = e.getBoundingClientRect();
			return r.width > 0 && (r.right > innerWidth + 1 || r.left < -1);
		}).map((e) => e.tagName + "#" + e.id + "." + e.className);
		if (document.documentElement.scrollWidth > innerWidth) out.push("the page: " + document.documentElement.scrollWidth);
		for (const e of document.querySelectorAll(".wide")) if (e.scrollWidth > e.clientWidth + 1 && innerWidth < 700) out.push("table " + e.firstChild.id + " " + e.scrollWidth);
		return out;
	})()`)
	for _, e := range wide {
		p.t.Errorf("%s: wider than the window: %s", l.name, e)
	}
}
