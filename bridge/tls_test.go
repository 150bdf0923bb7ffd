package bridge_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"mles/bridge"
)

// Both dialects speak over TLS, with each other and with those who do without.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	h := openTLS(t, secret)
	plainV1, plainV2 := h.serveTCP(h.ServeV1), h.serveTCP(h.ServeV2)
	alice := h.v1Joins("alice", "room", "")
	bob := h.v2Joins("bob", "room")
	carol := h.v1On(plainV1())
	h.joins("v1", func() { carol.join("carol", "room", "hi") })
	dora := h.v2On(plainV2())
	h.joins("v2", func() { dora.join("dora", "room") })
	alice.gets(bob.onV1(""), carol.frame("hi"), dora.onV1(""))
	bob.gets(notice("alice", "room"), blob("hi"))
	carol.gets(alice.frame(""), bob.onV1(""), dora.onV1(""))
	dora.gets(notice("alice", "room"), notice("bob", "room"), notice("carol", "room"), blob("hi"))
	alice.says("one")
	carol.gets(alice.frame("one"))
	bob.gets(blob("one"))
	dora.gets(blob("one"))
	bob.says(text("two"))
	alice.gets(bob.onV1("two"))
	carol.gets(bob.onV1("two"))
	dora.gets(text("two"))
}

// Over TLS the address that keys are made of is the socket's.
func TestAddressKeyOverTLS(t *testing.T) {
	t.Parallel()
	h := openTLS(t, bridge.Config{})
	alice, bob := h.v1Joins("alice", "room", ""), h.v2Joins("bob", "room")
	alice.gets(bob.onV1(""))
}

// Handshakes that fail are logged and disturb nobody.
func TestBrokenHandshakes(t *testing.T) {
	t.Parallel()
	h := openTLS(t, secret)
	alice := h.v1Joins("alice", "room", "")
	for i, call := range []func() net.Conn{h.tcpV1, h.tcpV2} {
		for name, send := range map[string]func(nc net.Conn){
			"HTTP":    func(nc net.Conn) { io.WriteString(nc, upgradeRequest("/", subprotocol)) },
			"v1":      func(nc net.Conn) { nc.Write(alice.frame("plain")) },
			"cut off": func(nc net.Conn) { nc.Write([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252}); closeWrite(t, nc) },
			"old": func(nc net.Conn) {
				if tls.Client(nc, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake() == nil {
					t.Error("TLS 1.1 is spoken")
				}
			},
			"alien certificate": func(nc net.Conn) {
				if tls.Client(nc, &tls.Config{ServerName: "localhost"}).Handshake() == nil {
					t.Error("certificate is trusted")
				}
			},
		} {
			before := len(h.log.lines("level=WARN", "refused", "tls handshake"))
			nc := h.keep(call())
			send(nc)
			if rest, err := io.ReadAll(nc); err != nil && !closedSomehow(err) || len(rest) > 100 {
				t.Errorf("listener %d, %s: answered %q, %v", i, name, rest, err)
			}
			h.until("a line in the log", func() bool { return len(h.log.lines("level=WARN", "refused", "tls handshake")) == before+1 })
		}
		// Nor does somebody who looks whether the port is open.
		h.keep(call()).Close()
	}
	if n := h.refusals("tls handshake"); n != 10 {
		t.Errorf("%d refusals counted", n)
	}
	bob := h.v2Joins("bob", "room")
	alice.gets(bob.onV1(""))
}

// A certificate authority that validates by TLS-ALPN-01 gets its handshake, and
// nothing more.
func TestALPNChallenge(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	conf := &tls.Config{
		NextProtos: []string{"http/1.1", "acme-tls/1"},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			asked <- hello.ServerName
			return nil, nil
		},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { c := certificate(); return &c, nil },
	}
	h.serve(func() error { return h.ServeV2TLS(l, conf) })
	dial := func(protos ...string) *tls.Conn {
		tc, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "mles.test", NextProtos: protos})
		if err != nil {
			t.Fatal(err)
		}
		h.keep(tc)
		if name := <-asked; name != "mles.test" {
			t.Errorf("the configuration's own GetConfigForClient was asked for %q", name)
		}
		return tc
	}
	ca := dial("acme-tls/1")
	if p := ca.ConnectionState().NegotiatedProtocol; p != "acme-tls/1" {
		t.Errorf("negotiated %q", p)
	}
	ca.SetReadDeadline(time.Now().Add(5 * time.Second))
	if rest, err := io.ReadAll(ca); err != nil || len(rest) != 0 {
		t.Errorf("after the handshake: %q, %v", rest, err)
	}
	if lines := h.log.lines("level=WARN"); len(lines) != 0 {
		t.Errorf("a validation is no reason to warn: %q", lines)
	}
	for _, protos := range [][]string{{"http/1.1"}, nil} {
		tc := dial(protos...)
		c := &v2client{house: h, nc: tc, r: bufio.NewReader(tc)}
		if err := upgrade(tc, c.r, upgradeRequest("/", subprotocol)); err != nil {
			t.Fatal(err)
		}
		h.joins("v2", func() { c.join("alice", "room") })
		c.leaves()
	}
}
