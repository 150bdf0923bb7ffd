package bridge_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"mles/bridge"
)

// Whatever happens, the log at its most talkative has no key, no auth and no
// payload in it, of those who join or of those who are refused.
func TestLogKeepsSecrets(t *testing.T) {
	t.Parallel()
	conf := bridge.Config{
		V1Keys:  []string{"v1-s3cret", "v1-0ld"},
		V2Keys:  []string{"v2-s3cret", "v2-0ld"},
		AddrKey: "addr-s3cret", V1AddressKeys: true,
		MaxConnections: 8,
	}
	const payload = "pAyl0ad"
	h := openTLS(t, conf)
	secrets := []string{"s3cret", "0ld", payload}
	auth := func(uid, channel, key string) string {
		a := v2Auth(uid, channel, key)
		secrets = append(secrets, a)
		return a
	}
	key := func(parts ...string) uint64 {
		k := v1Key(parts...)
		secrets = append(secrets, fmt.Sprintf("%x", k), fmt.Sprint(k), fmt.Sprint(uint32(k)), fmt.Sprintf("%x", uint32(k)))
		return k
	}

	alice := h.v1Joins("alice", "room", payload)
	key("v1-s3cret", "alice", "room")
	bob := h.v2Joins("bob", "room")
	auth("bob", "room", "v2-s3cret")
	bob.gets(notice("alice", "room"), blob(payload))
	alice.sends(v1Frame(1, 2, []byte(payload+" that does not decode")))
	alice.says(payload)
	bob.gets(blob(payload))
	bob.says(text(payload))
	bob.says(wsFrame{opPing, payload})
	bob.gets(wsFrame{opPong, payload})

	// Refused for all there is.
	for _, frame := range [][]byte{
		keyed(key("wrong-s3cret", "eve", "room"), msgBody("eve", "room", payload)),
		keyed(key("", ""), []byte(payload)),
		keyed(key("v1-s3cret", "eve", "room"), resyncBody([]byte(payload))),
		keyed(key("v1-s3cret", "alice", "room"), msgBody("alice", "room", payload)),
		[]byte(payload + payload + payload),
	} {
		eve := h.v1()
		eve.sends(frame)
		eve.ends()
		eve.nc.Close()
		h.until("a place", func() bool { return h.Stats().Connections == 2 })
	}
	for _, frame := range [][]byte{
		final(opText, `{"uid":"eve","channel":"room","auth":"`+auth("eve", "room", "wrong-s3cret")+`"}`),
		final(opText, `{"uid":"eve","channel":"room","auth":"`+payload+`"}`),
		final(opText, `{"uid":"eve","channel":"room","auth":["`+payload+`"]}`),
		final(opText, `{"uid":"eve","channel":"room","`+payload+`":1,}`),
		final(opText, payload),
		final(opText, payload+"\xff"),
		final(opText, strings.Repeat(payload, 2000)),
		final(opBinary, payload),
		final(3, payload),
		final(opClose, "\x03\xe8"+payload),
	} {
		eve := h.v2()
		eve.sends(frame)
		eve.lastFrame()
		eve.nc.Close()
		h.until("a place", func() bool { return h.Stats().Connections == 2 })
	}
	// A twin that is refused, since bob answers.
	twin := h.v2()
	twin.join("bob", "room")
	bob.gets(wsFrame{op: opPing})
	bob.sends(final(opPong, payload))
	twin.closed(1008, "already joined")
	twin.nc.Close()
	// Broken requests and handshakes.
	for _, request := range []string{"GET /" + payload + " HTTP/1.1\r\nHost: x\r\nCookie: " + payload + "\r\n\r\n", payload + "\r\n\r\n",
		upgradeRequest("/"+payload, "Sec-WebSocket-Protocol: "+payload), strings.Repeat(payload, 10000)} {
		nc := h.keep(h.callV2())
		nc.Write([]byte(request))
		nc.Read(make([]byte, 2000))
		nc.Close()
		raw := h.keep(h.tcpV2())
		raw.Write([]byte(request))
		raw.Read(make([]byte, 2000))
		raw.Close()
	}
	tls.Client(h.keep(h.tcpV1()), &tls.Config{ServerName: payload}).Handshake()
	// Ends of members.
	bob.sends(final(opText, payload+"\xff"))
	bob.lastFrame()
	alice.sends([]byte(payload + payload + payload))
	alice.gets(bob.onV1(""), bob.onV1(payload))
	alice.ends()
	var crowd []*v2client
	for range 20 {
		nc := h.tcpV2()
		h.keep(nc)
		crowd = append(crowd, &v2client{nc: nc})
	}
	h.until("all were seen", func() bool { return h.refusals("over limit") > 0 })
	for _, c := range crowd {
		c.nc.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	h.Shutdown(ctx)

	book := h.log.String()
	if n := len(h.log.lines()); n < 20 || len(h.log.lines("level=DEBUG")) == 0 {
		t.Errorf("the log has %d lines, so this shows nothing", n)
	}
	for _, s := range secrets {
		if strings.Contains(strings.ToLower(book), strings.ToLower(s)) {
			t.Errorf("the log contains %q: %q", s, h.log.lines(s))
		}
	}
}
