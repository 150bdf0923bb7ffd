package v2_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mles/v2"
)

// upgrader is a server that upgrades and closes at once, and reports what
// Upgrade returned.
func upgrader(t *testing.T) (addr string, results <-chan error) {
	t.Helper()
	errs := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := v2.Upgrade(w, r)
		if err == nil {
			conn.Close()
		}
		errs <- err
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String(), errs
}

// ask sends a request as written and returns the answer with its body.
func ask(t *testing.T, addr, request string) (*http.Response, string) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(nc, strings.ReplaceAll(request, "\n", "\r\n")+"\r\n")
	res, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var body []byte
	if res.StatusCode != http.StatusSwitchingProtocols {
		body, _ = io.ReadAll(res.Body)
	}
	return res, string(body)
}

const upgradeHead = "GET /any/path?at=all HTTP/1.1\nHost: mles.example\nOrigin: https://elsewhere.example\n" +
	"Connection: keep-alive, Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n" +
	"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\n"

func TestUpgradeTakesTheSubprotocolWhereverItStands(t *testing.T) {
	addr, errs := upgrader(t)
	for _, offers := range []string{
		"Sec-WebSocket-Protocol: mles-websocket\n",
		"Sec-WebSocket-Protocol: chat, mles-websocket, mqtt\n",
		"Sec-WebSocket-Protocol: chat,mles-websocket\n",
		"Sec-WebSocket-Protocol: chat\t,\tmles-websocket\t,,\n",
		"Sec-WebSocket-Protocol: chat\nSec-WebSocket-Protocol: mqtt, mles-websocket\n",
		"Sec-WebSocket-Protocol: mles-websocket\nSec-WebSocket-Protocol: mles-websocket\n",
	} {
		res, _ := ask(t, addr, upgradeHead+offers)
		if err := <-errs; err != nil || res.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("%q: %d, %v", offers, res.StatusCode, err)
			continue
		}
		if got := res.Header.Values("Sec-WebSocket-Protocol"); len(got) != 1 || got[0] != v2.Subprotocol {
			t.Errorf("%q: answered with subprotocols %q", offers, got)
		}
		if got := res.Header.Values("Sec-WebSocket-Extensions"); got != nil {
			t.Errorf("%q: answered with extensions %q", offers, got)
		}
	}
}

func TestUpgradeRefusesInWords(t *testing.T) {
	addr, errs := upgrader(t)
	for name, c := range map[string]struct {
		request string
		status  int
		word    string
	}{
		"plain GET":         {"GET / HTTP/1.1\nHost: h\n", 426, "mles-websocket"},
		"no Connection":     {"GET / HTTP/1.1\nHost: h\nUpgrade: websocket\nSec-WebSocket-Protocol: mles-websocket\n", 426, "WebSocket"},
		"other upgrade":     {"GET / HTTP/1.1\nHost: h\nConnection: Upgrade\nUpgrade: h2c\n", 426, "WebSocket"},
		"no subprotocol":    {upgradeHead, 400, "mles-websocket"},
		"other subprotocol": {upgradeHead + "Sec-WebSocket-Protocol: chat\n", 400, "mles-websocket"},
		"part of another":   {upgradeHead + "Sec-WebSocket-Protocol: mles-websocket2, x mles-websocket\n", 400, "mles-websocket"},
		"other case":        {upgradeHead + "Sec-WebSocket-Protocol: Mles-WebSocket\n", 400, "mles-websocket"},
		"not GET":           {strings.Replace(upgradeHead, "GET", "PUT", 1) + "Content-Length: 0\nSec-WebSocket-Protocol: mles-websocket\n", 405, "GET"},
		"old version":       {strings.Replace(upgradeHead, "Version: 13", "Version: 8", 1) + "Sec-WebSocket-Protocol: mles-websocket\n", 400, "13"},
		"bad key":           {strings.Replace(upgradeHead, "AAAA", "", 1) + "Sec-WebSocket-Protocol: mles-websocket\n", 400, "Sec-WebSocket-Key"},
	} {
		t.Run(name, func(t *testing.T) {
			res, body := ask(t, addr, c.request)
			var refused *v2.UpgradeError
			if err := <-errs; !errors.As(err, &refused) {
				t.Fatal(err)
			}
			if res.StatusCode != c.status || refused.Status != c.status {
				t.Errorf("answered %d, error says %d, want %d", res.StatusCode, refused.Status, c.status)
			}
			if !strings.Contains(body, c.word) || strings.Count(body, "\n") != 1 {
				t.Errorf("body %q is not one line with %q", body, c.word)
			}
			if c.status == 426 && !strings.EqualFold(res.Header.Get("Upgrade"), "websocket") {
				t.Errorf("no Upgrade header in %v", res.Header)
			}
		})
	}
}

func TestUpgradeNeedsAConnectionToTakeOver(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	for k, v := range map[string]string{"Connection": "upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": v2.Subprotocol} {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder() // is no http.Hijacker
	_, err := v2.Upgrade(w, r)
	var refused *v2.UpgradeError
	if !errors.As(err, &refused) || refused.Status != 500 || w.Code != 500 || refused.Unwrap() == nil {
		t.Error(w.Code, err)
	}
}
