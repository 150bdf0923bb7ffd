package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// Whatever got into a page, it could neither run nor tell anybody: the policy stops inline scripts and styles, HTML made
// of strings, requests elsewhere and frames. It also shows that the tests notice such things.
func TestPolicy(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("somebody else was asked for %s", r.URL)
	}))
	t.Cleanup(elsewhere.Close)
	g := startGateway(t, nil)
	for _, path := range []string{"/", "/chat"} {
		p := open(t, g.admin(path), "Content Security Policy", "TrustedHTML", "TrustedScript", "net::ERR_")
		for what, try := range map[string]string{
			"an inline script": `new Promise((done) => {
				const s = document.createElement("script");
				try { s.textContent = "window.pwned = true"; document.head.append(s); } catch { }
				setTimeout(() => done(window.pwned !== true), 100);
			})`,
			"an inline style": `(() => {
				const s = document.createElement("style");
				s.textContent = "body { outline: 7px solid red }";
				document.head.append(s);
				document.body.setAttribute("style", "border: 7px solid red");
				const is = getComputedStyle(document.body);
				return is.outlineWidth !== "7px" && is.borderTopWidth !== "7px";
			})()`,
			"HTML of a string":  `(() => { try { document.body.innerHTML = "<p>"; return false; } catch (e) { return e instanceof TypeError; } })()`,
			"code of a string":  `new Promise((done) => { try { setTimeout("window.pwned = true"); } catch { } setTimeout(() => done(window.pwned !== true), 100); })`,
			"a request":         fmt.Sprintf(`fetch(%q, { mode: "no-cors" }).then(() => false, () => true)`, elsewhere.URL),
			"a picture":         fmt.Sprintf(`new Promise((done) => { const i = new Image(); i.onload = () => done(false); i.onerror = () => done(true); i.src = %q; })`, elsewhere.URL+"/x.png"),
			"a WebSocket":       fmt.Sprintf(`new Promise((done) => { try { const w = new WebSocket(%q); w.onopen = () => done(false); w.onerror = () => done(true); } catch { done(true); } })`, strings.Replace(elsewhere.URL, "http", "ws", 1)),
			"a page in a frame": `new Promise((done) => { const f = document.createElement("iframe"); f.src = location.href; document.body.append(f); setTimeout(() => { let seen; try { seen = f.contentDocument; } catch { seen = null; } done(!seen || !seen.querySelector(".top")); f.remove(); }, 500); })`,
		} {
			if !js[bool](p, try) {
				t.Errorf("%s: %s is let through", path, what)
			}
		}
		p.mu.Lock()
		if n := len(p.faults); n < 6 {
			t.Errorf("%s: the tests notice %d of eight violations: %q", path, n, p.faults)
		}
		// What was stopped is no request to anybody else, nor is the browser's own page in the place of the frame.
		p.asked = slices.DeleteFunc(p.asked, func(url string) bool {
			return strings.Contains(url, strings.TrimPrefix(elsewhere.URL, "http://")) || strings.HasPrefix(url, "data:image/png")
		})
		p.mu.Unlock()
	}
}
