package bridge_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mles/bridge"
)

// visits asks for a WebSocket as a page of origin does, and says whether it got one.
func (h *house) visits(nc net.Conn, host, origin string, more ...string) bool {
	h.Helper()
	h.keep(nc)
	lines := append([]string{subprotocol, "Origin: " + origin}, more...)
	request := strings.Replace(upgradeRequest("/", lines...), "Host: mles.test", "Host: "+host, 1)
	if _, err := io.WriteString(nc, request); err != nil {
		h.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		h.Fatalf("%s on %s: %v", origin, host, err)
	}
	defer nc.Close()
	switch answer.StatusCode {
	case http.StatusSwitchingProtocols:
		return true
	case http.StatusForbidden:
		body, _ := io.ReadAll(answer.Body)
		if !strings.Contains(string(body), "--origins") || !answer.Close {
			h.Errorf("%s on %s: the refusal says %q, close %t", origin, host, body, answer.Close)
		}
		return false
	}
	h.Errorf("%s on %s: %s", origin, host, answer.Status)
	return false
}

// Pages of this machine reach a listener on loopback by default, of whatever port and scheme; no
// other page does, whatever name it has led here.
func TestOriginsOnLoopback(t *testing.T) {
	t.Parallel()
	for _, values := range [][]string{{bridge.OriginsAuto}, {bridge.OriginsSame}} {
		h := open(t, bridge.Config{Origins: values})
		for origin, want := range map[string]bool{
			"http://localhost:3000": true, "https://localhost": true, "http://127.0.0.1:8080": true, "http://[::1]:1": true,
			"http://site.localhost": true, "capacitor://localhost": true, "tauri://localhost": true, "http://tauri.localhost": true,
			"HTTP://LocalHost:3000": true, "http://127.1.2.3": true,
			"https://evil.example": false, "http://localhost.evil.example": false, "http://notlocalhost": false,
			"null": false, "file://": false, "chrome-extension://localhostish": false, "http://evil.example:8443": false,
			"http://10.0.0.1": false, "localhost": false, "http://localhost/path": false, "http://localhost@evil.example": false,
			"http://evil.example#localhost": false, "http://[::1": false, "://": false,
		} {
			if got := h.visits(h.callV2(), "localhost:8443", origin); got != want {
				t.Errorf("%v: %s: let in %t", values, origin, got)
			}
		}
		// DNS rebinding: the page's own name leads here.
		if h.visits(h.callV2(), "evil.example:8443", "http://evil.example:8443") {
			t.Error("a page whose name has been made to lead here is let in")
		}
		if !h.visits(h.callV2(), "127.0.0.1:8443", "http://localhost:3000") {
			t.Error("the names of this machine are not one host")
		}
		// Through a terminator of TLS, which passes the host on.
		if !h.visits(h.callV2(), "mles.example.org", "https://mles.example.org") {
			t.Error("a page of the gateway's own is not let in")
		}
		behind := h.visits(h.callV2(), "localhost:8080", "https://app.example", "X-Forwarded-For: 203.0.113.7")
		if want := values[0] == bridge.OriginsAuto; behind != want {
			t.Errorf("%v: who comes by a proxy is let in: %t", values, behind)
		}
		h.v2Joins("bob", "hall") // who is no page says no origin
		if n := h.refusals("origin not allowed"); n == 0 || len(h.log.lines("origin not allowed", "--origins", "evil.example")) == 0 || h.refusals("no request") > 0 {
			t.Errorf("%d refusals were counted, or not logged, or twice", n)
		}
	}
}

// Over TLS nobody else's name can lead here.
func TestOriginsOnLoopbackWithTLS(t *testing.T) {
	t.Parallel()
	h := openTLS(t, bridge.Config{Origins: []string{bridge.OriginsAuto}})
	for origin, want := range map[string]bool{"https://mles.test:8443": true, "https://localhost": true, "https://evil.example": false} {
		if got := h.visits(h.callV2(), "mles.test:8443", origin); got != want {
			t.Errorf("%s: let in %t", origin, got)
		}
	}
}

// Where others can reach the listener, any page may by default: MlesTalk is an app.
func TestOriginsElsewhere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, bridge.Config{Origins: []string{bridge.OriginsAuto}})
	h.serve(func() error { return h.ServeV2(l) })
	none := open(t, bridge.Config{})
	for _, origin := range []string{"https://evil.example", "null", "file://", "capacitor://localhost", "nonsense"} {
		nc, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(l.Addr().(*net.TCPAddr).Port)))
		if err != nil {
			t.Fatal(err)
		}
		if !h.visits(nc, "mles.example.org", origin) || !none.visits(none.callV2(), "localhost", origin) {
			t.Errorf("%s is not let in", origin)
		}
	}
}

// The list that an operator gives holds on every listener, for both dialects, and from the
// next request on when it changes.
func TestGivenOrigins(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(bridge.Config{}))
	alice := h.v1wsJoins("alice", "hall", "")
	changes := h.reconfigures(withWS(bridge.Config{Origins: []string{
		"https://chat.example.org", "https://*.apps.example.org", "http://dev.example.org:*", "http://old.example.org:8080", "capacitor://localhost", "moz-extension://*",
	}}))
	if len(changes.Applied) != 1 || changes.Applied[0] != "Origins" || len(changes.Closed) > 0 {
		t.Errorf("changes: %+v", changes)
	}
	for origin, want := range map[string]bool{
		"https://chat.example.org": true, "https://chat.example.org:443": true, "https://CHAT.example.org": true,
		"http://chat.example.org": false, "https://chat.example.org:8443": false, "https://chat.example.org.evil.example": false,
		"https://a.apps.example.org": true, "https://a.b.apps.example.org": true, "https://apps.example.org": false, "https://.apps.example.org": false, "https://evilapps.example.org": false,
		"http://dev.example.org": true, "http://dev.example.org:3000": true, "https://dev.example.org": false,
		"http://old.example.org:8080": true, "http://old.example.org": false,
		"capacitor://localhost": true, "tauri://localhost": false, "moz-extension://1-2": true, "moz-extension://": false,
		"http://localhost:3000": false, "null": false, "https://mles.test": false,
		"https://chat.example.org, https://evil.example": false,
	} {
		if got := h.visits(h.callV2(), "mles.test", origin); got != want {
			t.Errorf("%s: let in %t", origin, got)
		}
	}
	if h.visits(h.callV2(), "mles.test", "https://chat.example.org", "Origin: https://evil.example") {
		t.Error("two origins are let in")
	}
	h.v2Joins("bob", "hall")
	alice.gets(body("bob", "hall", "")) // and nobody was closed

	h.reconfigures(withWS(bridge.Config{Origins: []string{"same", "null", "file://"}}))
	for origin, want := range map[string]bool{"null": true, "file://": true, "https://mles.test:1": true, "https://chat.example.org": false} {
		if got := h.visits(h.callV2(), "mles.test", origin); got != want {
			t.Errorf("%s: let in %t", origin, got)
		}
	}
}

// In another program's server the same holds, but where that has looked at the origin itself.
func TestOriginsInAnotherServer(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{Origins: []string{bridge.OriginsAuto}})
	mux := http.NewServeMux()
	mux.Handle("/", h)
	mux.HandleFunc("/own", h.ServeAnyOrigin)
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	for path, want := range map[string]int{"/": http.StatusForbidden, "/own": http.StatusSwitchingProtocols} {
		nc, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		h.keep(nc)
		io.WriteString(nc, upgradeRequest(path, subprotocol, "Origin: https://evil.example"))
		answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || answer.StatusCode != want {
			t.Errorf("%s: %v, %v, want %d", path, answer, err, want)
		}
		nc.Close()
	}
}

// Values that no page could ever have are named.
func TestFaultyOrigins(t *testing.T) {
	t.Parallel()
	for value, why := range map[string]string{
		"":                              "empty",
		"chat.example.org":              "is no origin",
		"https://chat.example.org/":     "no / at its end",
		"https://chat.example.org/chat": "is no origin",
		"https://chat.*.org":            "is no origin",
		"https://*example.org":          "is no origin",
		"https://a@chat.example.org":    "is no origin",
		"https://chat.example.org:http": "is no origin",
		"wss://chat.example.org":        "origin of a page",
		"https://чат.example.org":       "xn--",
		"SAME":                          "is no origin",
	} {
		if _, err := bridge.New(bridge.Config{Origins: []string{"same", value}}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want something about %q", value, err, why)
		}
	}
	for _, value := range []string{"*", "same", "auto", "null", "file://", "https://*", "http://[::1]:3000", "HTTPS://Chat.Example.org:8443", "http://localhost:*"} {
		if err := bridge.CheckOrigin(value); err != nil {
			t.Error(err)
		}
	}
}
