package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"mles/v1"
)

// The console shows what happens: who comes and goes, what is said, who is refused, and what is wrong with v1.
func TestConsole(t *testing.T) {
	t.Parallel()
	g := startGateway(t, []string{"MLES_KEY=swordfish"})
	p := open(t, g.admin("/"))
	p.shows("#state", "Serving")
	p.shows("#memberlist", "Nobody is here")
	p.shows("#channellist", "No channel has members or history")
	p.shows("#refusals", "Nobody was refused")
	p.shows("#listeners", g.at["--v1-listen"])
	p.shows("#answer", "It cannot be told yet")
	p.photograph("console empty")

	olga := g.console("olga", "hall", "MLES_KEY=swordfish")
	p.shows("#memberlist", "olga")
	p.shows("#channellist", "hall")
	p.shows("[data-tile=members]", "1")
	for range 50 {
		olga.Types("knock")
	}
	p.until("a rate of v1", `parseFloat(document.querySelector("#plotin .hue-v1 b").textContent) > 1`)
	g.console("mallory", "hall", "MLES_KEY=wrong")
	p.shows("#refusals", "wrong key")
	js[any](p, `document.getElementById("period").dispatchEvent(new Event("change"))`)
	p.shows("#answer", "Not yet")
	p.shows("#visitors", "olga")
	olga.Kill()
	p.shows("#memberlist", "Nobody is here")
	p.shows("#channellist", "hall") // it has history
}

// The operator kicks a member and has a history forgotten, with the token, which is asked for once.
func TestKickAndForget(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	alice := open(t, g.admin("/chat#channel=hall&uid=alice"))
	alice.joins()
	alice.says("hello")
	p := open(t, g.admin("/"), "401")
	p.shows("#memberlist", "alice")
	p.clicks("#memberlist .acts button")
	p.shows("#confirm", "Kick alice?")
	p.photograph("console confirm")
	p.clicks("#confirm [value=cancel]")
	p.until("the dialog is closed", `!document.getElementById("confirm").open`)
	alice.shows("#state", "Connected")
	p.clicks("#memberlist .acts button")
	p.shows("#confirm", "Kick alice?")
	p.clicks("#confirmdo")
	p.shows("#tokendialog", "Admin token")
	p.photograph("console token")
	p.do(chromedp.SendKeys(chromedp.CSS("#token"), g.token()), enter())
	p.shows("#done", "alice was kicked.")
	alice.shows("#problem", "removed from the channel")
	p.shows("#memberlist", "Nobody is here")
	p.clicks("#channellist .acts button")
	p.shows("#confirm", "Forget the history of hall?")
	p.clicks("#confirmdo")
	p.shows("#done", "2 events of hall forgotten.")
	bob := open(t, g.admin("/chat#channel=hall&uid=bob"))
	bob.joins()
	bob.shows("#empty", "Nobody has said anything")
}

// A busy gateway stays quick to look at: pages of rows, never all of them, and every channel and member can be found.
func TestCrowd(t *testing.T) {
	t.Parallel()
	const channels, members = 10_000, 1_000
	g := startGateway(t, []string{"MLES_KEY=k"})
	var crowd sync.WaitGroup
	for worker := range 8 {
		crowd.Go(func() {
			for i := worker; i < channels; i += 8 {
				c, err := (&v1.Dialer{Key: "k"}).Dial(t.Context(), g.at["--v1-listen"], fmt.Sprintf("member %04d", i), fmt.Sprintf("channel %05d", i), []byte("x"))
				if err != nil {
					t.Error(err)
					return
				}
				if i < members {
					t.Cleanup(func() { c.Close() })
				} else {
					c.CloseWrite()
					c.Recv()
					c.Close()
				}
			}
		})
	}
	crowd.Wait()
	p := open(t, g.admin("/"))
	p.shows("[data-tile=channels]", "10,000")
	p.shows("[data-tile=members]", "1,000")
	p.shows("#channelpages", "Page 1 · 10,000 in all")
	if n := js[int](p, `document.querySelectorAll("tr").length`); n > 120 {
		t.Errorf("the page has %d rows", n)
	}
	p.clicks("#memberpages button:last-child")
	p.shows("#memberpages", "Page 2 · 1,000 in all")
	p.shows("#memberlist", "member 0025")
	p.clicks("#memberpages button:nth-child(2)")
	p.shows("#memberlist", "member 0000")
	p.do(chromedp.SendKeys(chromedp.CSS("#fchannel"), "channel 00777"), enter())
	p.shows("#memberlist", "member 0777")
	if rows := js[int](p, `document.querySelectorAll("#channellist tbody tr, #memberlist tbody tr").length`); rows != 2 {
		t.Errorf("%d rows of one channel and its member", rows)
	}
	p.clicks("#filter [type=reset]")
	p.shows("#channelpages", "Page 1 · 10,000 in all")
	// What stays the same is left alone: of 11,000 rows none is made anew by being looked at again.
	changes := js[int](p, `new Promise((done) => {
		let rows = 0;
		new MutationObserver((all) => { for (const m of all) if (m.type === "childList") for (const n of m.addedNodes) if (n.nodeName === "TR") rows++; })
			.observe(document.body, { childList: true, subtree: true });
		setTimeout(() => done(rows), 5_000);
	})`)
	if changes > 0 {
		t.Errorf("%d rows were made anew", changes)
	}
}

// The gateway goes and comes back: the console says so, keeps what it had, and goes on by itself.
func TestConsoleWithoutGateway(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	p := open(t, g.admin("/"), "net::ERR_")
	p.shows("#state", "Serving")
	g.Drains()
	p.shows("#state", "No answer")
	p.shows("#trouble", "has not answered since")
	p.photograph("console no answer")
	g.start()
	p.do(chromedp.Click(chromedp.CSS("#trouble button")))
	p.shows("#state", "Serving")
	p.until("the trouble is over", `document.getElementById("trouble").hidden`)
}

// While nobody looks nothing is asked, and a page that is looked at again is up to date at once.
func TestPollsOnlyWhenSeen(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	p := open(t, g.admin("/"))
	p.shows("#state", "Serving")
	asked := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.asked)
	}
	js[any](p, `Object.defineProperty(document, "hidden", { value: true, configurable: true })`)
	time.Sleep(2500 * time.Millisecond) // the one that is due
	before := asked()
	time.Sleep(4500 * time.Millisecond)
	if n := asked() - before; n > 0 {
		t.Errorf("a page that nobody sees asked %d times", n)
	}
	g.console("olga", "hall")
	js[any](p, `Object.defineProperty(document, "hidden", { value: false, configurable: true }); document.dispatchEvent(new Event("visibilitychange"))`)
	p.shows("#memberlist", "olga")
}

// From another machine both pages ask for the token, keep it in the tab only, and work with it.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	for scheme, args := range map[string][]string{"http": nil, "https": {"--admin-tls"}} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			elsewhere(t, scheme, args...)
		})
	}
}

func elsewhere(t *testing.T, scheme string, args ...string) {
	token := "correct-horse-battery/+=staple"
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g := startGateway(t, nil, append(args, "--admin-token-file="+file)...)
	g.Drains()
	_, port, _ := strings.Cut(g.at["--admin-listen"], ":")
	g.at["--admin-listen"] = "0.0.0.0:" + port
	g.start()
	at := scheme + "://127.0.0.1:" + port
	console := open(t, at+"/", "401", "429")
	console.shows("#tokendialog", "Admin token")
	console.do(chromedp.SendKeys(chromedp.CSS("#token"), "wrong-wrong-wrong"), enter())
	console.shows("#tokenwhy", "That is not the token. It is in the file that")
	console.do(press("Escape", "", 27, 0))
	console.shows("#state", "Token needed")
	console.do(chromedp.Click(chromedp.CSS("#trouble button")))
	console.shows("#tokendialog", "Admin token")
	console.do(chromedp.SendKeys(chromedp.CSS("#token"), token), enter())
	console.shows("#state", "Serving")
	if kept := js[[]string](console, `[...Object.values(localStorage), document.cookie, location.href]`); slices.ContainsFunc(kept, func(s string) bool { return strings.Contains(s, "horse") }) {
		t.Errorf("the token is kept in %q", kept)
	}

	chat := open(t, at+"/chat#channel=hall&uid=alice", "401", "WebSocket")
	chat.do(chromedp.Click(chromedp.CSS("#enter")))
	chat.shows("#problem", "asks for the admin token")
	chat.do(chromedp.SendKeys(chromedp.CSS("#token"), token), enter())
	chat.shows("#state", "Connected")
	olga := g.console("olga", "hall")
	chat.says("from elsewhere")
	olga.Says("alice: from elsewhere")
}

// By keyboard alone: into a channel, a line said, colours changed, and in the console a channel found.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	g := startGateway(t, nil)
	olga := g.console("olga", "iot/attic")
	olga.Types("hello")
	p := open(t, g.admin("/chat"))
	tab := press("Tab", "", 9, 0)
	typed := func(text string) chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(text) }
	p.until("the channel has the focus", `document.activeElement.id === "channel"`)
	p.do(typed("iot/attic"), tab, typed("alice"), enter())
	p.shows(".theirs .text", "hello")
	p.until("the composer has the focus", `document.activeElement.id === "text"`)
	p.do(typed("one line"), enter())
	olga.Says("alice: one line")
	p.focusIsSeen()
	p.do(press("Tab", "", 9, shift)) // back, to the log, which the arrow keys then scroll
	p.until("the log has the focus", `document.activeElement.id === "log"`)
	p.focusIsSeen()

	c := open(t, g.admin("/"))
	c.shows("#memberlist", "olga")
	visited := make(map[string]bool)
	for range 30 {
		c.do(tab)
		c.focusIsSeen()
		visited[js[string](c, `document.activeElement.id || document.activeElement.textContent`)] = true
	}
	for _, want := range []string{"Chat", "theme", "period", "fchannel", "fuid", "fdialect", "iot/attic", "Kick"} {
		if !visited[want] {
			t.Errorf("Tab does not come to %s", want)
		}
	}
	js[any](c, `document.getElementById("theme").focus()`)
	dark := func() bool {
		return js[string](c, `getComputedStyle(document.body.querySelector(".card")).backgroundColor`) == "rgb(25, 30, 39)"
	}
	c.do(enter())
	c.do(enter())
	eventually(t, "dark", dark)
	c.do(chromedp.Reload())
	c.shows("#state", "Serving")
	if !dark() {
		t.Error("the colours are not kept")
	}
}

// focusIsSeen: what has the focus has an outline.
func (p *page) focusIsSeen() {
	p.t.Helper()
	if seen := js[string](p, `(() => { const e = document.activeElement, s = getComputedStyle(e); return e === document.body || (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) ? "" : e.outerHTML.slice(0, 200); })()`); seen != "" {
		p.t.Errorf("nobody sees the focus on %s", seen)
	}
}
