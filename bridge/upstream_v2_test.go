package bridge_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"mles/bridge"
)

// gateHello is the hello of the gateway, under the key of the tests.
func gateHello(channel string) string {
	return fmt.Sprintf(`{"uid":"gate","channel":"%s","auth":"%s","gateway":true}`, channel, v2Auth("gate", channel, "swordfish"))
}

// gateSays is what v1 members get for a message from a v2 upstream.
func gateSays(channel, message string) []byte { return shared("gate", channel, message) }

// Alice on v1 and bob on v2 are on the gateway, whose upstream is a v2 server:
// what they say goes there with its opcode, arrivals do not; what comes from there
// they get, and it does not go back.
func TestV2UpstreamBothWays(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret, overWS))
		alice := h.v1Joins("alice", "room", "")
		call := r.calls()
		if q := call.request; q.URL.Path != "/path" || q.Host != "root:80" || q.Header.Get("Sec-WebSocket-Protocol") != "mles-websocket" {
			t.Errorf("the gateway asks for %s of %s, %v", q.URL, q.Host, q.Header)
		}
		up := call.upgrades()
		up.gets(text(gateHello("room")))
		up.sends(text(`{"uid":"carol","channel":"room","auth":"0123456789abcdef"}`), blob("history"), text("old text"))
		alice.gets(shared("carol", "room", ""), gateSays("room", "history"), gateSays("room", "old text"))
		h.running("room")
		bob := h.v2Joins("bob", "room")
		bob.gets(notice("alice", "room"), notice("carol", "room"), blob("history"), text("old text"))
		alice.gets(bob.onV1(""))
		alice.says("from v1")
		up.gets(blob("from v1"))
		bob.gets(blob("from v1"))
		bob.says(text("a text"))
		bob.says(blob(""))
		up.gets(text("a text"), blob(""))
		alice.gets(bob.onV1("a text"), bob.onV1(""))
		up.sends(blob("live"), text(`{"uid":"no","channel":"arrival"}`))
		up.writes(string(unmasked(opText, "frag")) + string(unmasked(0x80|opPing, "p")) + string(unmasked(0x80|opMore, "ments")))
		bob.gets(blob("live"), text(`{"uid":"no","channel":"arrival"}`), text("fragments"))
		alice.gets(gateSays("room", "live"), gateSays("room", `{"uid":"no","channel":"arrival"}`), gateSays("room", "fragments"))
		up.gets(wsFrame{opPong, "p"})
		up.hearsNothing(20 * time.Second)
		if strings.Contains(h.log.String(), "0123456789abcdef") {
			t.Error("an auth is in the log")
		}
	})
}

// Messages of all sizes go up and come down whole.
func TestV2UpstreamSizes(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(bridge.Config{MemoryLimit: 1 << 30}, overWS))
		bob := h.v2Joins("bob", "room")
		up := r.greets(`{"uid":"gate","channel":"room","gateway":true}`)
		h.running("room")
		noise := make([]byte, 0xffffff-64)
		rand.NewChaCha8([32]byte{1}).Read(noise)
		for _, n := range []int{0, 1, 3, 125, 126, 4095, 4096, 4097, 32751, 32752, 32753, 32760, 32768, 65535, 65536, 300_001, len(noise)} {
			m := blob(string(noise[:n]))
			done := make(chan struct{})
			go func() { defer close(done); bob.says(m) }()
			up.gets(m)
			<-done
			go up.sends(m)
			bob.gets(m)
		}
		var small []wsFrame
		for n := range 5000 {
			small = append(small, blob(string(noise[:n%50])))
		}
		go func() {
			for _, m := range small {
				bob.says(m)
			}
		}()
		up.gets(small...)
		go up.sends(small...)
		bob.gets(small...)
	})
}

// The server is restarted, with its history and without, and goes on in between:
// nothing is doubled or lost here.
func TestV2UpstreamComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret, overWS))
		bob := h.v2Joins("bob", "room")
		up := r.greets(gateHello("room"))
		up.sends(text(gateHello("room")), blob("on"), blob("on"))
		bob.gets(blob("on"), blob("on"))
		h.running("room")
		bob.says(blob("on"))
		bob.says(blob("off"))
		up.gets(blob("on"), blob("off"))
		up.sends(blob("on"))
		bob.gets(blob("on"))
		up.nc.Close()

		up = r.greets(gateHello("room")) // all of the history and more
		up.sends(text(gateHello("room")), blob("on"), blob("on"), blob("on"), blob("off"), blob("on"),
			text(gateHello("room")), blob("on"), text("news"))
		bob.gets(blob("on"), text("news"))
		up.nc.Close()

		up = r.greets(gateHello("room")) // none of it
		up.sends(text(gateHello("room")), blob("on"))
		bob.gets(blob("on"))
		h.running("room")
		up.sends(blob("on"))
		bob.gets(blob("on"))
	})
}

// The server is far away, and its replay comes late: it is waited for.
func TestV2UpstreamFarAway(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret, overWS, func(up *bridge.Upstream) {
			up.Dial = func(ctx context.Context, network, hostport string) (net.Conn, error) {
				time.Sleep(600 * time.Millisecond)
				return r.dial(ctx, network, hostport)
			}
		}))
		bob := h.v2Joins("bob", "room")
		for _, news := range []string{"one", "two", "three"} {
			up := r.greets(gateHello("room"))
			time.Sleep(1500 * time.Millisecond)
			switch news {
			case "two":
				up.sends(blob("one"))
			case "three":
				up.sends(blob("one"), blob("two"))
			}
			up.sends(blob(news))
			bob.gets(blob(news))
			h.running("room")
			up.nc.Close()
		}
	})
}

// Why a server does not take a hello is in the log and in the status, and it is
// tried again.
func TestV2UpstreamRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		refuse func(e *wsRootEnd)
		reason string
	}{
		"at once, without a code":    {func(e *wsRootEnd) { e.sends(wsFrame{opClose, ""}) }, "closed without a code; the key does not fit, or gate is on the channel"},
		"at the next ping":           {func(e *wsRootEnd) { time.Sleep(24 * time.Second); e.sends(wsFrame{opClose, ""}) }, "closed without a code; the key does not fit, or gate is on the channel"},
		"with a reason":              {func(e *wsRootEnd) { e.sends(closing(1008, "wrong auth")) }, `closed with 1008 \"wrong auth\"`},
		"with a reason full of lies": {func(e *wsRootEnd) { e.sends(closing(1008, "a\nlevel=ERROR \x1b[2J")) }, `closed with 1008`},
		"without a word":             {func(e *wsRootEnd) { e.nc.Close() }, "refused: closed without a word"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *root) {
				h := openPipes(t, r.upstream(secret, overWS))
				h.v1Joins("alice", "room", "")
				start := time.Now()
				for range 4 {
					c.refuse(r.greets(gateHello("room")))
				}
				if took := time.Since(start); took < 3*time.Second {
					t.Errorf("four times within %s", took)
				}
				h.until("refused", func() bool { return len(h.log.lines("upstream not connected", c.reason)) > 2 })
				for _, line := range h.log.lines("lies") {
					t.Error(line)
				}
			})
		})
	}
}

// Channels that cannot be joined at mles 2 stand in the status with the reason,
// and are seldom tried again.
func TestV2UpstreamCannotJoin(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret, overWS))
		h.v1Joins("alice", "päivä", "")
		h.v1Joins("alice", "", "")
		for range 3 {
			call := r.calls().upgrades()
			call.ends()
		}
		if n := r.dials.Load(); n != 3 {
			t.Errorf("dialed %d times", n)
		}
		for _, s := range h.UpstreamStatus() {
			want := "not ASCII"
			if s.Channel == "" {
				want = "without a name"
			}
			if s.State != "refused" && s.State != "connecting" || !strings.Contains(s.Reason, want) {
				t.Errorf("%+v, want %q", s, want)
			}
		}
		if lines := h.log.lines("päivä", "not ASCII"); len(lines) > 4 {
			t.Errorf("logged %d times", len(lines))
		}
	})
}

// No WebSocket there, or another's: the reason names it.
func TestV2UpstreamIsNone(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret, overWS))
		h.v2Joins("bob", "room")
		e := r.calls()
		e.writes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
		e = r.calls()
		e.writes("HTTP/1.1 101 Switching Protocols\r\n\r\n")
		r.calls().writes("SSH-2.0-OpenSSH\r\n\r\n")
		h.until("told", func() bool {
			return len(h.log.lines("answered 200 OK")) > 0 && len(h.log.lines("malformed HTTP")) > 0
		})
	})
}
