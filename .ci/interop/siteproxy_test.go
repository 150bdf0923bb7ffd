//go:build interop

package interop

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// Without TLS both send a browser to the same page with it. On purpose the gateway keeps the query, takes HEAD for GET,
// and does not mind a port in Host; and with certificate files it has not been told the names that it serves.
func TestRedirectOfMles2(t *testing.T) {
	t.Parallel()
	theirs, ours := startSites(t, siteFolder(t), "--redirect")
	theirs.Listening(t, "127.0.0.1:80")
	ours.Listening(t, "127.0.0.1:80")
	ask := func(s *siteServer, r siteRequest) string {
		t.Helper()
		nc := s.MustDial(t, "127.0.0.1:80")
		a := askSite(t, nc, r)
		return strings.TrimSpace(fmt.Sprint(a.status, " ", a.Get("Location")))
	}
	for _, r := range []siteRequest{
		{path: "/"}, {path: "/a/b.html"}, {path: "/a%20b"}, {path: "/.well-known/acme-challenge/x"}, {host: "b.example", path: "/x"},
		{method: "POST", path: "/"}, {method: "PUT", path: "/x"}, {method: "OPTIONS", path: "/"},
	} {
		if a, b := ask(theirs, r), ask(ours, r); a != b {
			t.Errorf("%s: mles 2.9.4 answers %s, the gateway %s", r, a, b)
		}
	}
	for _, d := range []struct {
		siteRequest
		theirs, ours string
	}{
		{siteRequest{path: "/a?b=c"}, "301 https://localhost/a", "301 https://localhost/a?b=c"},
		{siteRequest{host: "localhost:80", path: "/a"}, "404", "301 https://localhost/a"},
		{siteRequest{host: "c.example", path: "/a"}, "404", "301 https://c.example/a"},
		{siteRequest{host: "c.example/evil", path: "/a"}, "404", "400"},
		{siteRequest{method: "HEAD", path: "/a"}, "405", "301 https://localhost/a"},
	} {
		if a, b := ask(theirs, d.siteRequest), ask(ours, d.siteRequest); a != d.theirs || b != d.ours {
			t.Errorf("%s: mles 2.9.4 answers %s, the gateway %s; want %s and %s", d.siteRequest, a, b, d.theirs, d.ours)
		}
	}
	proved(t, "who comes without TLS is sent to the same page")
}

// What both pass on to a server behind them arrives there the same: method, path, query, body, Host and who asked. On
// purpose the gateway says by X-Forwarded-Host and -Proto, too, what was asked for, puts no slash twice, does not let dots
// out of the target's path, and says 502, not 404, when the server is down.
func TestProxyOfMles2(t *testing.T) {
	t.Parallel()
	theirs, ours := startSites(t, siteFolder(t), "--proxy", "keeper=http://127.0.0.1:8080", "--proxy", "based=http://127.0.0.1:8080/base/",
		"--proxy", "down=http://127.0.0.1:9")
	theirs.startBehind(t)
	ours.startBehind(t)
	for _, r := range []siteRequest{
		{path: "/keeper"}, {path: "/keeper/"}, {path: "/keeper/x.html?a=b&c=%20&d"}, {path: "/keeper/a%20b/c%2Fd"}, {path: "/keeper//x"},
		{path: "/keeper/x", host: "b.example"}, {path: "/keeperx"}, {path: "/KEEPER/x"}, {path: "/x/keeper"},
		{method: "DELETE", path: "/keeper/x"}, {method: "POST", path: "/keeper/form", headers: []string{"Content-Length: 0"}},
	} {
		a, b := theirs.asks(t, r), ours.asks(t, r)
		if a.status != b.status || a.kind != b.kind || a.body != b.body || a.Get("X-Behind") != b.Get("X-Behind") {
			t.Errorf("%s: mles 2.9.4 answers %d %q, the gateway %d %q", r, a.status, a.body, b.status, b.body)
		}
	}
	for _, d := range []difference{
		{siteRequest{path: "/based/x"}, 200, 200, "GET /base/x ", "not /base//x"},
		{siteRequest{path: "/based/../x"}, 200, 400, "", "dots would lead out of /base/"},
		{siteRequest{path: "/down/x"}, 404, 502, "", "the page may be there, its server is not"},
	} {
		a, b := theirs.asks(t, d.siteRequest), ours.asks(t, d.siteRequest)
		if a.status != d.theirs || b.status != d.ours || !strings.HasPrefix(b.body, d.says) {
			t.Errorf("%s: mles 2.9.4 answers %d, the gateway %d %q; want %d and %d %q: %s", d.siteRequest, a.status, b.status, b.body, d.theirs, d.ours, d.says, d.why)
		}
	}
	proved(t, "what is passed on arrives the same behind mles 2.9.4 and behind the gateway")
}

// startBehind serves on port 8080 what says what it was asked.
func (s *siteServer) startBehind(t *testing.T) {
	t.Helper()
	var l net.Listener
	var err error
	s.Do(func() { l, err = net.Listen("tcp", "127.0.0.1:8080") })
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{ReadTimeout: hosts.Patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/x-behind")
		w.Header().Set("X-Behind", "yes")
		fmt.Fprintf(w, "%s %s %q Host: %s X-Forwarded-For: %s", r.Method, r.RequestURI, body, r.Host, r.Header.Get("X-Forwarded-For"))
	})}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
}
