package conformance

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// An HTTPConn is a connection to one of the target's WebSocket addresses (inside
// TLS, if that is wss) before its upgrade.
type HTTPConn struct {
	t    *T
	to   webAddress
	name label
	nc   net.Conn // what is written to: TLS or plain
	tcp  *net.TCPConn
	r    *bufio.Reader
}

// WebSocketKey is the Sec-WebSocket-Key that all upgrades here use: RFC 6455's
// own example.
const WebSocketKey = "dGhlIHNhbXBsZSBub25jZQ=="

// acceptOf is the Sec-WebSocket-Accept to a key (RFC 6455, section 4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// DialHTTP connects to the target's v2 address and sends nothing.
func (t *T) DialHTTP() *HTTPConn { return t.dialHTTP(t.target.v2, "v2") }

func (t *T) dialHTTP(to webAddress, dialect string) *HTTPConn {
	nc, n := t.dial(to.addr)
	h := &HTTPConn{t: t, to: to, nc: nc, tcp: nc.(*net.TCPConn)}
	h.name.set("%s#%d", dialect, n)
	t.rec.add(h.name.String(), "-", fmt.Sprintf("connected from %v to %v", nc.LocalAddr(), nc.RemoteAddr()), nil)
	if to.tls != nil {
		tc := tls.Client(nc, to.tls)
		tc.SetDeadline(time.Now().Add(t.remaining()))
		if err := tc.HandshakeContext(t.ctx); err != nil {
			t.Fatalf("%s: TLS: %v", h.name.String(), err)
		}
		tc.SetDeadline(time.Time{})
		h.nc = tc
	}
	h.r = bufio.NewReader(h.nc)
	return h
}

// Request is a request for an upgrade as every server takes it, to path ("" for
// the target's own), with the headers in place of or beside the usual ones: a
// header "Origin: x" is added, "Sec-WebSocket-Protocol: y" replaces the usual
// one, and "Upgrade:" with nothing behind it leaves that one out.
func (h *HTTPConn) Request(path string, headers ...string) string {
	if path == "" {
		path = h.to.path
	}
	usual := []string{
		"Host: " + h.to.host,
		"Upgrade: websocket",
		"Connection: Upgrade",
		"Sec-WebSocket-Key: " + WebSocketKey,
		"Sec-WebSocket-Version: 13",
		"Sec-WebSocket-Protocol: mles-websocket",
	}
	var b strings.Builder
	fmt.Fprintf(&b, "GET %s HTTP/1.1\r\n", path)
	for _, u := range usual {
		if !replaced(u, headers) {
			b.WriteString(u + "\r\n")
		}
	}
	for _, x := range headers {
		if !strings.HasSuffix(x, ":") {
			b.WriteString(x + "\r\n")
		}
	}
	return b.String() + "\r\n"
}

// page is the header of a browser whose page is of another site than the target. Where that is
// on loopback, a server may let in pages of this machine only, and it is one.
func (h *HTTPConn) page() string {
	addr, err := netip.ParseAddrPort(h.nc.RemoteAddr().String())
	if err == nil && addr.Addr().Unmap().IsLoopback() {
		return "Origin: http://localhost:3000"
	}
	return "Origin: https://elsewhere.example"
}

func replaced(usual string, headers []string) bool {
	name, _, _ := strings.Cut(usual, ":")
	for _, x := range headers {
		if n, _, _ := strings.Cut(x, ":"); strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

// Send sends text as it is.
func (h *HTTPConn) Send(text string) {
	first, _, _ := strings.Cut(text, "\r\n")
	h.t.rec.add(h.name.String(), ">", fmt.Sprintf("%q …", first), []byte(text))
	h.nc.SetWriteDeadline(time.Now().Add(h.t.remaining()))
	if _, err := io.WriteString(h.nc, text); err != nil {
		h.t.rec.add(h.name.String(), "-", "write: "+err.Error(), nil)
	}
}

// Response reads the answer, with at most 64 KiB of its body in Body.
func (h *HTTPConn) Response() (*http.Response, string) {
	h.nc.SetReadDeadline(time.Now().Add(h.t.remaining()))
	defer h.nc.SetReadDeadline(time.Time{})
	res, err := http.ReadResponse(h.r, nil)
	if err != nil {
		h.t.Fatalf("%s wants an answer to its request: %v", h.name.String(), err)
	}
	var head bytes.Buffer
	res.Header.Write(&head)
	h.t.rec.add(h.name.String(), "<", res.Proto+" "+res.Status, head.Bytes())
	if res.StatusCode == http.StatusSwitchingProtocols {
		return res, ""
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	return res, string(body)
}

// ExpectUpgrade reads the answer, which must be a right 101, and goes on as a
// v2 client.
func (h *HTTPConn) ExpectUpgrade() *V2Conn { return &V2Conn{WSConn: h.upgraded(meaningV2)} }

func (h *HTTPConn) upgraded(means func(arrival) string) *WSConn {
	res, _ := h.Response()
	if res.StatusCode != http.StatusSwitchingProtocols {
		h.t.Fatalf("%s was answered %s; want 101", h.name.String(), res.Status)
	}
	for _, want := range []struct{ name, value string }{
		{"Upgrade", "websocket"}, {"Connection", "upgrade"},
		{"Sec-Websocket-Accept", acceptOf(WebSocketKey)}, {"Sec-Websocket-Protocol", "mles-websocket"},
	} {
		if got := res.Header.Get(want.name); !strings.EqualFold(got, want.value) {
			h.t.Fatalf("%s: the 101 says %s: %q; want %q", h.name.String(), want.name, got, want.value)
		}
	}
	c := &WSConn{t: h.t, nc: h.nc, tcp: h.tcp, r: h.r, in: newInbox(), means: means}
	c.name.set("%s", &h.name)
	c.answerPings.Store(true)
	return c
}

// Close closes the connection.
func (h *HTTPConn) Close() {
	h.nc.Close()
	h.t.closed()
}
