package main

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"mles/v2"
)

// asPage opens a WebSocket as a page of origin does; status is that of the answer.
func (p *process) asPage(origin string) (status int) {
	p.t.Helper()
	d := websocket.Dialer{Subprotocols: []string{v2.Subprotocol}, TLSClientConfig: &tls.Config{RootCAs: p.roots()}}
	ws, answer, err := d.DialContext(p.t.Context(), "wss://"+p.addr("--v2-listen"), http.Header{"Origin": {origin}})
	if err == nil {
		ws.Close()
	} else if !errors.Is(err, websocket.ErrBadHandshake) {
		p.t.Fatal(err)
	}
	return answer.StatusCode
}

// A page of any site in a browser on this machine reaches localhost, but no gateway there, until its operator says so.
func TestOrigins(t *testing.T) {
	p := startWith(t)
	const evil, dev = "https://evil.example", "http://localhost:3000"
	if got := p.asPage(evil); got != http.StatusForbidden {
		t.Errorf("a page of %s is answered %d", evil, got)
	}
	if got := p.asPage(dev); got != http.StatusSwitchingProtocols {
		t.Errorf("a page of %s is answered %d", dev, got)
	}
	l := p.line("refused", func(l map[string]any) bool { return l["reason"] == "origin not allowed" })
	if l["flag"] != "--origins" || l["origin"] != evil {
		t.Errorf("the log says %v", l)
	}
	if _, metrics := p.get("/metrics"); !strings.Contains(metrics, `mles_refusals_total{reason="origin not allowed"} 1`) {
		t.Error("the refusal is not counted")
	}
	if got := p.reloads("MLESD_ORIGINS=https://*.evil.example,https://evil.example"); !slices.Equal(got.Changed, []string{"--origins"}) {
		t.Errorf("reloaded: %+v", got)
	}
	if got := p.asPage(evil); got != http.StatusSwitchingProtocols {
		t.Errorf("a page of %s is answered %d", evil, got)
	}
	if got := p.asPage(dev); got != http.StatusForbidden {
		t.Errorf("a page of %s is answered %d", dev, got)
	}
	p.refuses(http.StatusUnprocessableEntity, `--origins: "evil.example" is no origin`, "MLESD_ORIGINS=*,evil.example")
	p.stop()
}

func TestFaultyOrigins(t *testing.T) {
	for _, value := range []string{"", "https://a/", "*,b"} {
		if _, err := parse([]string{"--origins=" + value, "--cache=" + t.TempDir()}, io.Discard); err == nil || !strings.Contains(err.Error(), "--origins") {
			t.Errorf("%q: %v", value, err)
		}
	}
}
