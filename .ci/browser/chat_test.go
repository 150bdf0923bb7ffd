package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// joins has a page join by the form, whose names are in its address already.
func (p *page) joins() {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS("#enter")), chromedp.WaitVisible(chromedp.CSS("#text")))
	p.shows("#state", "Connected")
}

// Alice and bob in two browsers, olga on a console of v1: each hears each other, nobody twice, and who comes late finds
// it all.
func TestTwoPagesAndAConsole(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "sword fish ä", "no key": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var env []string
			if key != "" {
				env = []string{"MLES_KEY=" + key}
			}
			g := startGateway(t, env)
			olga := g.console("olga", "hall", env...)
			olga.Types("good morning")
			member := func(uid string) *page {
				p := open(t, g.admin("/chat#channel=hall&uid="+uid))
				if key != "" {
					p.do(chromedp.SendKeys(chromedp.CSS("#key"), key))
				}
				p.joins()
				p.shows(".theirs .text", "good morning")
				return p
			}
			alice, bob := member("alice"), member("bob")
			olga.Says("* alice joined")
			olga.Says("* bob joined")
			alice.says("hello from a page", "öäå – 日本")
			if line := olga.Says("hello from a page"); line != "alice: hello from a page" {
				t.Errorf("olga reads %q", line)
			}
			olga.Says("alice: öäå – 日本")
			bob.shows(".theirs .text", "öäå – 日本")
			bob.says("and from another")
			alice.shows(".theirs .text", "and from another")
			olga.Says("bob: and from another")
			olga.Types("I read you both")
			for uid, want := range map[*page]string{
				alice: "t good morning|m hello from a page|m öäå – 日本|t and from another|t I read you both",
				bob:   "t good morning|t hello from a page|t öäå – 日本|m and from another|t I read you both",
			} {
				uid.shows(".theirs .text", "I read you both")
				if got := uid.conversation(); got != want {
					t.Errorf("a page shows %s, want %s", got, want)
				}
			}
			carol := member("carol")
			carol.shows(".theirs .text", "I read you both")
			carol.shows(".note", "alice joined")
			if got := strings.Count(carol.conversation(), "t "); got != 5 {
				t.Errorf("carol finds %s", carol.conversation())
			}
			if auths := carol.texts("#log"); strings.Contains(strings.Join(auths, ""), "auth") {
				t.Error("the history shows auths")
			}
		})
	}
}

// conversation is what stands in the log, m before own lines and t before others'.
func (p *page) conversation() string {
	p.t.Helper()
	return js[string](p, `[...document.querySelectorAll("#log .row")].map((r) => (r.classList.contains("mine") ? "m " : "t ") + r.querySelector(".text").textContent).join("|")`)
}

// What is wrong is said where it can be mended: the key, a name that is taken, a channel that is not for all.
func TestRefused(t *testing.T) {
	t.Parallel()
	g := startGateway(t, []string{"MLES_KEY=swordfish"}, "--v2-channels=hall,attic")
	p := open(t, g.admin("/chat#channel=hall&uid=alice"))
	p.do(chromedp.Click(chromedp.CSS("#enter")))
	p.shows("#problem", "wants a key")
	p.do(chromedp.SendKeys(chromedp.CSS("#key"), "sword"), enter())
	p.shows("#problem", "refuses this key")
	p.photograph("chat refused")
	js[any](p, `document.getElementById("key").value = ""`)
	p.do(chromedp.SendKeys(chromedp.CSS("#key"), "swordfish"), enter())
	p.shows("#state", "Connected")

	twin := open(t, g.admin("/chat#channel=hall&uid=alice"))
	twin.do(chromedp.SendKeys(chromedp.CSS("#key"), "swordfish"), enter())
	twin.shows("#problem", "alice")
	twin.do(chromedp.SendKeys(chromedp.CSS("#channel"), "way"), enter())
	twin.shows("#problem", "lets nobody join this channel")
	if got := twin.texts("#enter"); !slices.Equal(got, []string{"Join"}) {
		t.Errorf("the form is not back: %q", got)
	}
}

// Names and texts with markup stay text, and bytes are told of as such.
func TestMarkupStaysText(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	const channel, uid = `<b>hall</b>&amp;`, `<img src=x onerror=alert(1)>`
	markup := `<script>document.title="pwned"</script><img src="https://mallory.example/x.png"><style>*{display:none}</style>&lt;`
	eve := g.console(uid, channel)
	eve.Types(markup)
	p := open(t, g.admin("/chat#channel=%3Cb%3Ehall%3C%2Fb%3E%26amp%3B&uid=%3Ci%3Ebob"))
	p.joins()
	p.shows(".theirs .text", markup)
	p.shows(".note bdi", uid)
	p.shows("#title", channel+" as <i>bob")
	p.says("<u>me</u>")
	eve.Says("<i>bob: <u>me</u>")
	if got := p.texts(".mine .text"); !slices.Equal(got, []string{"<u>me</u>"}) {
		t.Errorf("it shows %q", got)
	}
	eve.Types("\xff\xfe")
	p.shows(".bytes .text", "3 bytes, not text: ff fe 0a")

	console := open(t, g.admin("/"))
	console.shows("#memberlist", uid)
	console.shows("#channellist", channel)
	console.shows("#visitors", uid)
	for _, page := range []*page{p, console} {
		if n := js[int](page, `document.querySelectorAll("img[src=x], .text *, bdi *, td > * *, #log script, #log style").length`); n != 0 {
			t.Errorf("%d elements were made of what clients said", n)
		}
		if title := js[string](page, "document.title"); strings.Contains(title, "pwned") {
			t.Error(title)
		}
	}
}

// The gateway is restarted: the pages come back by themselves, lines that were typed meanwhile are sent, and nothing is
// shown twice.
func TestRestart(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	olga := g.console("olga", "hall")
	alice := open(t, g.admin("/chat#channel=hall&uid=alice"), "net::ERR_", "WebSocket")
	bob := open(t, g.admin("/chat#channel=hall&uid=bob"), "net::ERR_", "WebSocket")
	alice.joins()
	bob.joins()
	alice.says("before")
	olga.Says("alice: before")
	olga.Types("too")
	bob.shows(".theirs .text", "too")
	for round := range 3 {
		during, after := fmt.Sprintf("during %d", round), fmt.Sprintf("after %d", round)
		g.Drains()
		alice.shows("#state", "in ")
		alice.says(during)
		alice.shows(".mine .fate", "Waiting for the connection")
		if round == 2 {
			time.Sleep(2 * time.Second) // the pauses grow
		}
		g.start()
		alice.shows("#state", "Connected")
		bob.shows("#state", "Connected")
		bob.shows(".theirs .text", during)
		bob.says(after)
		alice.shows(".theirs .text", after)
		olga.Says("alice: " + during)
	}
	alice.shows(".note", "Connected again")
	for page, want := range map[*page]string{
		alice: "m before|t too|m during 0|t after 0|m during 1|t after 1|m during 2|t after 2",
		bob:   "t before|t too|t during 0|m after 0|t during 1|m after 1|t during 2|m after 2",
	} {
		if got := page.conversation(); got != want {
			t.Errorf("a page shows %s, want %s", got, want)
		}
		if waits := page.texts(".fate"); len(waits) > 0 {
			t.Errorf("lines still wait: %q", waits)
		}
	}
}

// Also who has just come to a channel where nobody was stays when the gateway is restarted; and where it wants another key
// then, says so and keeps what was written.
func TestRestartAtOnce(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	p := open(t, g.admin("/chat#channel=cellar&uid=alice"), "net::ERR_", "WebSocket")
	p.joins()
	g.Drains()
	p.shows("#state", "Reconnecting")
	p.says("anybody?")
	p.photograph("chat waiting")
	g.start()
	p.shows("#state", "Connected")
	p.until("the line has gone", `!document.querySelector(".fate")`)
	g.Drains()
	p.shows("#state", "Reconnecting")
	p.says("and now?")
	g.env = []string{"MLES_KEY=swordfish"}
	g.start()
	p.shows("#problem", "The gateway wants a key.")
	p.do(chromedp.SendKeys(chromedp.CSS("#key"), "swordfish"), enter())
	p.shows(".theirs .text", "anybody?")
	if kept := js[string](p, `document.getElementById("text").value`); kept != "and now?" {
		t.Errorf("what was written is %q", kept)
	}
}

// The gateway is killed, and comes back with an older history: nothing is shown twice, and a line that is not in it may
// be sent again.
func TestKilled(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	olga := g.console("olga", "hall")
	alice := open(t, g.admin("/chat#channel=hall&uid=alice"), "net::ERR_", "WebSocket")
	alice.joins()
	var want []string
	for i := range 20 {
		olga.Types(fmt.Sprintf("line %d", i))
		want = append(want, fmt.Sprintf("t line %d", i))
	}
	alice.shows(".theirs .text", "line 19")
	g.Drains() // which saves the history
	g.start()
	alice.shows("#state", "Connected")
	olga.Says("connected again")
	olga.Types("soon forgotten")
	alice.shows(".theirs .text", "soon forgotten")
	alice.says("am I heard?")
	olga.Says("am I heard?")
	g.Kill()
	alice.shows("#state", "in ")
	g.start()
	alice.shows(".mine .fate", "May not have arrived")
	bob := open(t, g.admin("/chat#channel=hall&uid=bob"))
	bob.joins()
	alice.do(chromedp.Click(chromedp.CSS(".fate button")))
	bob.shows(".theirs .text", "am I heard?")
	want = append(want, "t soon forgotten", "m am I heard?", "m am I heard?")
	if got := alice.conversation(); got != strings.Join(want, "|") {
		t.Errorf("alice's page shows %s", got)
	}
	if waits := alice.texts(".fate"); len(waits) > 0 {
		t.Errorf("lines still wait: %q", waits)
	}
}

// A flood does not bring the page down: what came last is shown, what came long ago is gone from it, and it can still be
// typed into.
func TestFlood(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	p := open(t, g.admin("/chat#channel=hall&uid=alice"))
	p.joins()
	olga := g.console("olga", "hall")
	var lines strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&lines, "line %d\n", i)
	}
	olga.Types(lines.String() + "that is all")
	p.shows(".theirs:last-of-type .text", "that is all")
	if n := js[int](p, `document.querySelectorAll("#log .row").length`); n > 2000 || n < 1000 {
		t.Errorf("%d lines are shown", n)
	}
	p.says("still here")
	olga.Says("alice: still here")
}

// Who looks elsewhere sees in the title how much was said.
func TestUnread(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	p := open(t, g.admin("/chat#channel=hall&uid=alice"))
	p.joins()
	js[any](p, `Object.defineProperty(document, "hidden", { value: true, configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`)
	olga := g.console("olga", "hall")
	olga.Types("one")
	olga.Types("two")
	p.until("two unread", `document.title === "(2) hall · Mles chat"`)
	js[any](p, `Object.defineProperty(document, "hidden", { value: false, configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`)
	p.until("read", `document.title === "hall · Mles chat"`)
}

// Served on the site, over TLS, the page speaks to the same listener.
func TestOnTheSite(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil, "--chat")
	olga := g.console("olga", "hall")
	p := open(t, g.site("/chat#channel=hall&uid=alice"))
	p.joins()
	p.says("over TLS")
	olga.Says("alice: over TLS")
}
