package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mles/v1"
)

// browser trusts the gateway's own certificate, speaks HTTP/2 and follows no redirect.
func (p *process) browser() *http.Client {
	p.t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: p.roots()}}
	p.clients = append(p.clients, transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// page asks for url as host, if that is not empty, and returns the answer and its body.
func page(t *testing.T, browser *http.Client, url, host string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	answer, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// A browser reads pages, and what another server answers, where members of both dialects talk; who comes without TLS is
// sent there.
func TestSite(t *testing.T) {
	www := t.TempDir()
	for name, content := range map[string]string{
		"index.html": "home", "app.json": "{}", "b.example/index.html": strings.Repeat("home of b ", 100), ".env": "topsecret",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(www, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(www, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path, " for ", r.Header.Get("X-Forwarded-For"), " by ", r.Header.Get("X-Forwarded-Proto"))
	}))
	defer behind.Close()
	p := start(t, []string{"MLESD_PROXY=keeper=" + behind.URL}, "--wwwroot="+www, "--cors", "-C", "1", "-r", "--redirect-listen=127.0.0.1:0",
		"--plain-listen=127.0.0.1:0")
	bob := p.dialV2("", "bob")
	browser, secure := p.browser(), "https://"+p.addr("--v2-listen")

	answer, body := page(t, browser, secure+"/", "")
	if body != "home" || answer.Proto != "HTTP/2.0" || answer.Header.Get("Strict-Transport-Security") == "" ||
		answer.Header.Get("Cross-Origin-Embedder-Policy") != "require-corp" {
		t.Errorf("%q over %s with %v", body, answer.Proto, answer.Header)
	}
	if _, body = page(t, browser, secure+"/", "b.example"); !strings.HasPrefix(body, "home of b") {
		t.Errorf("b.example is %q", body)
	}
	if answer, _ = page(t, browser, secure+"/app.json", ""); answer.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("JSON with %v", answer.Header)
	}
	if answer, body = page(t, browser, secure+"/.env", ""); answer.StatusCode != 404 {
		t.Errorf("a hidden file is %d %q", answer.StatusCode, body)
	}
	if _, body = page(t, browser, secure+"/keeper/x", ""); body != "/x for 127.0.0.1 by https" {
		t.Errorf("the server behind says %q", body)
	}
	if answer, body = page(t, browser, "http://"+p.addr("--plain-listen")+"/", ""); body != "home" || answer.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("without TLS: %q with %v", body, answer.Header)
	}
	if answer, _ = page(t, browser, "http://"+p.addr("--redirect-listen")+"/x?y=z", ""); answer.StatusCode != 301 || answer.Header.Get("Location") != secure+"/x?y=z" {
		t.Errorf("without TLS: %d to %s", answer.StatusCode, answer.Header.Get("Location"))
	}
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	if got := heard(t, bob); got != "hello bob" {
		t.Errorf("bob heard %q", got)
	}
	p.stop()
}

// Without a site nothing has changed: no HTTP/2, and whoever asks for a page is told what is spoken here.
func TestNoSite(t *testing.T) {
	p := start(t, nil)
	answer, _ := page(t, p.browser(), "https://"+p.addr("--v2-listen")+"/", "")
	if answer.StatusCode != http.StatusUpgradeRequired || answer.Proto != "HTTP/1.1" {
		t.Errorf("a page is %d over %s", answer.StatusCode, answer.Proto)
	}
	p.stop()
}

// The reference's own spellings of the site's flags.
func TestReferenceSpellingsOfTheSite(t *testing.T) {
	www := t.TempDir()
	c := parsed(t, "-d", "a.example", "-w", www, "-r", "-C", "10", "-P", "keeper=http://localhost:8080", "--proxy", "verify=http://localhost:8081", "--cors")
	if c.Wwwroot != www || c.redirect.String() != "[::]:80" || c.compression != 10<<20 || len(c.proxies) != 2 || !c.CORS {
		t.Errorf("%+v", c.siteFlags)
	}
	if c := parsed(t); c.hasSite() || !c.redirect.off || len(c.protocols()) != 1 {
		t.Error("a site without its flags")
	}
	if c := parsed(t, "-w", www, "--memory-limit=64MiB"); c.compression != 4<<20 {
		t.Errorf("with little memory %d bytes are for compressed files", c.compression)
	}
}
