package bridge_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// trickle writes b in pieces of n bytes, one every step, until all is written or
// the connection ends.
func trickle(nc net.Conn, b []byte, n int, step time.Duration) {
	for len(b) > 0 {
		k := min(n, len(b))
		if _, err := nc.Write(b[:k]); err != nil {
			return
		}
		b = b[k:]
		time.Sleep(step)
	}
}

// endsAfter reads to the end and checks when that comes.
func endsAfter(t *testing.T, r io.Reader, start time.Time, want time.Duration) []byte {
	t.Helper()
	got, _ := io.ReadAll(r)
	if took := time.Since(start); took != want {
		t.Errorf("ended after %s, want %s; read %q", took, want, got)
	}
	return got
}

// From accept to the complete first header or hello there are 10 s, however the
// bytes come. Where a close frame can say so it does; it takes 2 s more for one
// who does not answer that.
func TestTimeToJoin(t *testing.T) {
	t.Parallel()
	join := keyed(v1Key("swordfish", "alice", "room"), msgBody("alice", "room", ""))
	request := []byte(upgradeRequest("/", subprotocol)) // nothing may be sent before its answer
	hello := final(opText, `{"uid":"alice","channel":"room"}`)
	late := closing(1008, "no hello in time")
	lateBytes := string([]byte{0x88, byte(len(late.data))}) + late.data
	for name, c := range map[string]struct {
		v2   bool
		send func(nc net.Conn)
		ends time.Duration
		says string
	}{
		"v1 silent":           {false, func(net.Conn) {}, 12 * time.Second, ""},
		"v1 half a header":    {false, func(nc net.Conn) { time.Sleep(9 * time.Second); nc.Write(join[:15]) }, 12 * time.Second, ""},
		"v1 header in pieces": {false, func(nc net.Conn) { trickle(nc, join[:16], 1, 700*time.Millisecond) }, 12 * time.Second, ""},
		"v2 silent":           {true, func(net.Conn) {}, 10 * time.Second, ""},
		"v2 half a request":   {true, func(nc net.Conn) { time.Sleep(9 * time.Second); nc.Write(request[:30]) }, 10 * time.Second, ""},
		"v2 slow request":     {true, func(nc net.Conn) { trickle(nc, request, 10, time.Second) }, 10 * time.Second, ""},
		"v2 no hello":         {true, func(nc net.Conn) { time.Sleep(6 * time.Second); nc.Write(request) }, 12 * time.Second, lateBytes},
		"v2 slow hello": {true, func(nc net.Conn) {
			nc.Write(request)
			time.Sleep(time.Second)
			trickle(nc, hello, 1, 500*time.Millisecond)
		},
			12 * time.Second, lateBytes},
		"v2 pings instead": {true, func(nc net.Conn) {
			nc.Write(request)
			time.Sleep(time.Second)
			trickle(nc, bytes.Repeat(final(opPong, ""), 30), 6, time.Second)
		},
			12 * time.Second, lateBytes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, secret)
				call := h.callV1
				if c.v2 {
					call = h.callV2
				}
				nc := h.keep(call())
				start := time.Now()
				sent := make(chan struct{})
				go func() { defer close(sent); c.send(nc) }()
				got := endsAfter(t, nc, start, c.ends)
				<-sent
				if !strings.HasSuffix(string(got), c.says) {
					t.Errorf("the gateway says %q", got)
				}
				if n := len(h.log.lines("level=WARN", "refused")); n > 1 || c.says != "" && n != 1 {
					t.Errorf("%d lines in the log", n)
				}
			})
		})
	}
}

// A request that is refused gives its client no more time than that, whatever it has announced to send. It has one line
// in the log, and is counted once.
func TestTimeOfRefused(t *testing.T) {
	t.Parallel()
	page := "Origin: https://evil.example"
	for name, c := range map[string]struct {
		request, reason, status string
		conf                    bridge.Config
	}{
		"a page that owes a body": {upgradeRequest("/", subprotocol, page, "Content-Length: 1000"), "origin not allowed", "403 Forbidden",
			bridge.Config{Origins: []string{"https://chat.example"}}},
		"a page that owes chunks": {upgradeRequest("/", subprotocol, page, "Transfer-Encoding: chunked"), "origin not allowed", "403 Forbidden",
			bridge.Config{Origins: []string{"https://chat.example"}}},
		"no upgrade, and a body": {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", "no upgrade", "426 Upgrade Required", bridge.Config{}},
		"no upgrade, kept":       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "no upgrade", "426 Upgrade Required", bridge.Config{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, c.conf)
				nc := h.keep(h.callV2())
				start := time.Now()
				io.WriteString(nc, c.request)
				got := endsAfter(t, nc, start, 10*time.Second)
				if !strings.HasPrefix(string(got), "HTTP/1.1 "+c.status) {
					t.Errorf("the gateway says %q", got)
				}
				if n := len(h.log.lines("msg=refused")); n != 1 || len(h.log.lines("level=WARN", c.reason)) != 1 {
					t.Errorf("%d lines in the log: %s", n, h.log)
				}
				if h.refusals(c.reason) != 1 || h.refusals("no request") != 0 {
					t.Errorf("counted are %v", h.Stats().Refusals)
				}
			})
		})
	}
}

// The handshake of TLS is within the same 10 s.
func TestTimeToShakeHands(t *testing.T) {
	t.Parallel()
	for name, send := range map[string]func(nc net.Conn){
		"silent":       func(net.Conn) {},
		"half a hello": func(nc net.Conn) { nc.Write([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}) },
		"trickling hello": func(nc net.Conn) {
			trickle(nc, append([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}, make([]byte, 500)...), 10, time.Second)
		},
		"silent afterwards": func(nc net.Conn) { tls.Client(nc, &tls.Config{InsecureSkipVerify: true}).Handshake() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, secret)
				l := newPipeListener()
				h.serve(func() error { return h.ServeV2TLS(l, serverTLS()) })
				nc := h.keep(l.dial())
				start := time.Now()
				sent := make(chan struct{})
				go func() { defer close(sent); send(nc) }()
				if name == "silent afterwards" {
					<-sent
				}
				endsAfter(t, nc, start, 10*time.Second)
				<-sent
			})
		})
	}
}

// Once the header is there the frame must go on, at 64 KiB per 10 s: the first
// one and every later one.
func TestFramesGoOn(t *testing.T) {
	t.Parallel()
	message := strings.Repeat("m", 300<<10)
	slowly, tooSlowly := 66<<10, 62<<10 // in pieces each 9.9 s
	for name, c := range map[string]struct {
		v2, later bool
		piece     int
		good      bool
	}{
		"v1 first":           {false, false, slowly, true},
		"v1 first, too slow": {false, false, tooSlowly, false},
		"v1 later":           {false, true, slowly, true},
		"v1 later, too slow": {false, true, tooSlowly, false},
		"v1 one byte":        {false, true, 1, false},
		"v2 later":           {true, true, slowly, true},
		"v2 later, too slow": {true, true, tooSlowly, false},
		"v2 one byte":        {true, true, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, secret)
				bob := h.v1Joins("bob", "room", "")
				var frame, heard []byte
				var nc net.Conn
				var r *bufio.Reader
				if c.v2 {
					alice := h.v2Joins("alice", "room")
					alice.gets(notice("bob", "room"))
					bob.gets(alice.onV1(""))
					nc, r, frame = alice.nc, alice.r, final(opText, message)
					heard = keyed(v1Key("swordfish", "alice", "room"), msgBody("alice", "room", message))
				} else {
					alice := h.v1()
					nc, r = alice.nc, alice.r
					if c.later {
						h.joins("v1", func() { alice.join("alice", "room", "") })
						alice.gets(bob.frame(""))
						bob.gets(alice.frame(""))
					}
					alice.uid, alice.channel, alice.key = "alice", "room", v1Key("swordfish", "alice", "room")
					frame = alice.frame(message)
					heard = frame
				}
				nc.SetDeadline(time.Now().Add(24 * time.Hour))
				ended := make(chan struct{})
				go func() { defer close(ended); io.Copy(io.Discard, r) }()
				trickled := make(chan struct{})
				go func() { defer close(trickled); trickle(nc, frame, c.piece, 9900*time.Millisecond) }()
				if c.good {
					bob.gets(heard)
					h.members(2)
					nc.Close()
				} else {
					<-ended
					h.members(1)
					if c.later && !h.hasLogged(1, "level=WARN", "not continued in time") {
						t.Error("more than one line of it in the log")
					}
				}
				<-ended
				<-trickled
			})
		})
	}
}

// The clock runs for a frame that is begun, wherever the one before it ends, and
// stands still between frames.
func TestBegunFrame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		bob := h.v1Joins("bob", "room", "")
		one, two := h.v1Joins("one", "room", ""), h.v2Joins("two", "room")
		idle := h.v1Joins("idle", "room", "")
		for _, c := range []*v1client{bob, one, idle} {
			go io.Copy(io.Discard, c.r)
		}
		start := time.Now()
		one.sends(append(one.frame("whole"), 'M'))
		go two.nc.Write(append(final(opText, "whole"), 0x81))
		two.gets(notice("bob", "room"), notice("one", "room"), blob("whole"), closing(1008, "too slow"))
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("two was closed after %s", took)
		}
		synctest.Wait()
		h.members(2)
	})
}
