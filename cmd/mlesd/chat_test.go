package main

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mles/internal/console"
	"mles/v1"
	"mles/v2"
)

// chats joins over the WebSocket of a chat page that a browser got from origin.
func (p *process) chats(base, origin, token, uid string) (*v2.ClientConn, error) {
	p.t.Helper()
	d := &v2.Dialer{TLS: &tls.Config{RootCAs: p.roots()}, Header: http.Header{"Origin": {origin}}}
	if token != "" {
		d.Header.Set("Authorization", "Bearer "+token)
	}
	c, err := d.Dial(p.t.Context(), base+console.WebSocketPath, uid, "hall")
	if err == nil {
		p.clients = append(p.clients, func() { c.Close(1000, "") })
	}
	return c, err
}

// refusedAt is the HTTP status by which joining was refused.
func refusedAt(t *testing.T, err error) int {
	t.Helper()
	var d *v2.DialError
	if !errors.As(err, &d) {
		t.Fatalf("it is %v, not a refusal", err)
	}
	return d.Status
}

// The chat page of the admin listener talks to alice on v1, over a WebSocket that no other page may open.
func TestChatOnTheAdminListener(t *testing.T) {
	p := start(t, nil)
	at := p.addr("--admin-listen")
	for path, want := range map[string]string{"/": "Mles gateway", "/chat": "Mles chat"} {
		if status, body := p.get(path); status != 200 || !strings.Contains(body, "<title>"+want+"</title>") {
			t.Errorf("%s: %d %.80s", path, status, body)
		}
	}
	p.dialV1(new(v1.Dialer), "alice", "hello browser")
	bob, err := p.chats("ws://"+at, "http://"+at, "", "bob")
	if err != nil {
		t.Fatal(err)
	}
	if got := heard(t, bob); got != "hello browser" {
		t.Errorf("bob heard %q", got)
	}
	if _, err := p.chats("ws://"+at, "https://mallory.example", "", "mallory"); refusedAt(t, err) != http.StatusForbidden {
		t.Error(err)
	}
	if _, err := p.chats("ws://"+at, "http://"+p.addr("--v2-listen"), "", "mallory"); refusedAt(t, err) != http.StatusForbidden {
		t.Error(err)
	}
	p.stop()
}

// From other machines nobody chats without the token, which a page sends as a subprotocol.
func TestChatElsewhereNeedsTheToken(t *testing.T) {
	token := strings.Repeat("s3cret/+", 3)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, "--admin-token-file="+file, "--admin-listen=0.0.0.0:0")
	_, port, _ := strings.Cut(p.addr("--admin-listen"), "]:")
	if port == "" {
		_, port, _ = strings.Cut(p.addr("--admin-listen"), ":")
	}
	at := "127.0.0.1:" + port
	if _, err := p.chats("ws://"+at, "http://"+at, "", "bob"); refusedAt(t, err) != http.StatusUnauthorized {
		t.Error(err)
	}
	if _, err := p.chats("ws://"+at, "http://"+at, token, "bob"); err != nil {
		t.Error(err)
	}
	r, err := http.NewRequest(http.MethodGet, "http://"+at+console.WebSocketPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Origin": "http://" + at, "Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Protocol": "mles-websocket, mles-admin-token." + base64.RawURLEncoding.EncodeToString([]byte(token)),
	} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Sec-WebSocket-Protocol") != "mles-websocket" {
		t.Errorf("%d with %v", answer.StatusCode, answer.Header)
	}
	p.stop()
}

// With --chat the page is where v2 is served, over HTTP/2, also without a web site; elsewhere there is nothing.
func TestChatOnTheSite(t *testing.T) {
	p := start(t, []string{"MLESD_CHAT=true"})
	at := p.addr("--v2-listen")
	answer, body := page(t, p.browser(), "https://"+at+"/chat", "")
	if answer.StatusCode != 200 || answer.Proto != "HTTP/2.0" || !strings.Contains(body, "Mles chat") {
		t.Errorf("%d over %s: %.80s", answer.StatusCode, answer.Proto, body)
	}
	if answer, _ := page(t, p.browser(), "https://"+at+"/", ""); answer.StatusCode != 404 {
		t.Errorf("/: %d", answer.StatusCode)
	}
	p.dialV1(new(v1.Dialer), "alice", "hello browser")
	bob, err := p.chats("wss://"+at, "https://"+at, "", "bob")
	if err != nil {
		t.Fatal(err)
	}
	if got := heard(t, bob); got != "hello browser" {
		t.Errorf("bob heard %q", got)
	}
	p.stop()
}

// --chat comes and goes with a reload in front of a web site; where there is none it waits for the next start.
func TestReloadChat(t *testing.T) {
	www := t.TempDir()
	if err := os.WriteFile(filepath.Join(www, "index.html"), []byte("home"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startWith(t, "MLESD_WWWROOT="+www)
	chat := func() int {
		answer, _ := page(t, p.browser(), "https://"+p.addr("--v2-listen")+"/chat", "")
		return answer.StatusCode
	}
	for _, c := range []struct {
		lines []string
		want  int
	}{{[]string{"MLESD_CHAT=true"}, 200}, {nil, 404}} {
		if r := p.reloads(append(c.lines, "MLESD_WWWROOT="+www)...); !slices.Equal(r.Changed, []string{"--chat"}) || chat() != c.want {
			t.Errorf("%v: %+v, the page is %d", c.lines, r, chat())
		}
	}
	p.stop()

	p = startWith(t)
	if r := p.reloads("MLESD_CHAT=true"); !slices.Equal(r.Restart, []string{"--chat"}) || chat() != http.StatusUpgradeRequired {
		t.Errorf("%+v, the page is %d", r, chat())
	}
	p.stop()
}
