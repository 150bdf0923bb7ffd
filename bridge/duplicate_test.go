package bridge_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// A CID that is taken on the channel is refused while its holder lives, which
// TCP itself is asked for; on other channels it is free.
func TestCIDTaken(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	alice := h.v1Joins("alice", "room", "")
	static := func(uid, channel string) *v1client {
		c := h.v1()
		c.uid, c.channel = uid, channel
		c.sends(v1Frame(uint32(alice.key), v1Key("swordfish", uid, channel), msgBody(uid, channel, "")))
		return c
	}
	start := time.Now()
	second := static("bob", "room") // another uid, but the CID is what counts
	h.joins("v1", func() { static("carol", "hall") })
	third := static("dora", "room") // is not let wait while alice is asked
	third.ends()
	if time.Since(start) > time.Second {
		t.Errorf("a third was refused after %s", time.Since(start))
	}
	second.ends()
	if time.Since(start) > 3*time.Second {
		t.Errorf("a living twin was found out after %s", time.Since(start))
	}
	lines := h.log.lines("refused", "cid taken", "held for", alice.nc.LocalAddr().String())
	if len(lines) != 2 || strings.Contains(lines[0], "restart") {
		t.Errorf("the log of the refusal: %q", lines)
	}
	// Nobody noticed, and alice has kept her place; her uid may come with another CID.
	again := h.v1()
	again.uid, again.channel, again.key = "alice", "room", v1Key("swordfish", "alice", "room")
	join := v1Frame(1, again.key, msgBody("alice", "room", ""))
	h.joins("v1", func() { again.sends(join) })
	alice.gets(join)
	again.gets(alice.frame(""))
	alice.says("still here")
	again.gets(alice.frame("still here"))
	// With its holder the CID goes.
	alice.leaves()
	h.joins("v1", func() { static("erin", "room") })
}

// If the holder is a peer, the operator is told to restart it.
func TestCIDTakenByPeer(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	bob := h.v2Joins("bob", "room")
	peer := h.v1Joins("alice", "room", "")
	peer.sends(keyed(v1Key("swordfish", "behind", "room"), msgBody("behind", "room", "hi")))
	bob.gets(blob("hi"))
	moved := h.v1()
	moved.join("alice", "room", "")
	moved.ends()
	if lines := h.log.lines("refused", "cid taken", "peer", "restart"); len(lines) != 1 {
		t.Errorf("the log of the refusal: %q", h.log.lines("refused"))
	}
}

// The same uid may be there in both dialects.
func TestDialectsDoNotCompete(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	one := h.v1Joins("alice", "room", "")
	two := h.v2Joins("alice", "room")
	one.gets(two.onV1(""))
	one.says("1")
	two.gets(notice("alice", "room"), blob("1"))
}

// The second of a uid in v2 is refused if the first answers its ping.
func TestTwinLives(t *testing.T) {
	t.Parallel()
	busy := final(opText, "busy")
	for name, sent := range map[string]struct{ answer, rest []byte }{
		"pong":            {final(opPong, ""), nil},
		"message":         {busy, nil},
		"byte of a frame": {busy[:1], busy[1:]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, secret)
			first, second, third := h.v2Joins("alice", "room"), h.v2(), h.v2()
			second.join("alice", "room")
			first.gets(wsFrame{op: opPing})
			third.join("alice", "room")
			third.closed(1008, "already joined")
			first.sends(sent.answer)
			second.closed(1008, "already joined")
			if lines := h.log.lines("refused", "already joined", "held for", first.nc.LocalAddr().String()); len(lines) != 2 {
				t.Errorf("the log of the refusal: %q", lines)
			}
			first.sends(sent.rest)
			h.v2Joins("alice", "hall")
			bob := h.v2Joins("bob", "room")
			first.says(text("still here"))
			for f := (wsFrame{}); f != text("still here"); {
				var err error
				if f, err = readWSFrame(bob.r); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// One that does not answer within 3 s is replaced. What the second has sent
// meanwhile is heard once it has joined.
func TestDeadTwin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		bob := h.v1Joins("bob", "room", "")
		first, second := h.v2Joins("alice", "room"), h.v2()
		bob.gets(first.onV1(""))
		go first.nc.Write(final(opText, "last words"))
		bob.gets(first.onV1("last words"))
		first.gets(notice("bob", "room"))
		start := time.Now()
		second.join("alice", "room")
		go second.nc.Write(final(opText, "first words"))
		first.gets(wsFrame{op: opPing})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if st := h.Stats(); st.Joins["v2"] != 1 || st.MessagesIn["v2"] != 1 {
			t.Errorf("the second was not made to wait: %+v", st)
		}
		first.closed(1008, "replaced")
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("replaced after %s", took)
		}
		second.gets(notice("bob", "room"), notice("alice", "room"), text("last words"))
		bob.gets(first.onV1(""), second.onV1("first words"))
		h.members(2)
		if lines := h.log.lines("subscription cut", "replaced"); len(lines) != 1 || h.Stats().Cuts["replaced"] != 1 {
			t.Errorf("the log of it: %q, %v", lines, h.Stats().Cuts)
		}
	})
}

// One that leaves when it is asked makes room at once, with a close frame or
// without.
func TestTwinLeaves(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(c *v2client){
		"close frame": func(c *v2client) { c.sends(final(opClose, "\x03\xe8")) },
		"end":         func(c *v2client) { c.nc.Close() },
		"fault":       func(c *v2client) { c.sends(final(3, "")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, secret)
				first, second := h.v2Joins("alice", "room"), h.v2()
				start := time.Now()
				second.join("alice", "room")
				first.gets(wsFrame{op: opPing})
				leave(first)
				second.gets(notice("alice", "room"))
				if took := time.Since(start); took != 0 {
					t.Errorf("let in after %s", took)
				}
			})
		})
	}
}

// The same over TCP: the first has vanished behind a relay without a word.
func TestDeadTwinBehindRelay(t *testing.T) {
	t.Parallel()
	h := openTLS(t, bridge.Config{})
	direct := h.callV2
	r := newRelay(t)
	h.callV2 = func() net.Conn { return overTLS(r.dial)() }
	r.to = h.tcpV2
	first := h.v2Joins("alice", "room")
	h.callV2 = direct
	bob := h.v2Joins("bob", "room")
	first.says(text("here"))
	bob.gets(notice("alice", "room"), text("here"))
	r.stop()
	second := h.v2()
	start := time.Now()
	h.joins("v2", func() { second.join("alice", "room") })
	if took := time.Since(start); took < 2900*time.Millisecond || took > 10*time.Second {
		t.Errorf("replaced after %s", took)
	}
	second.gets(notice("alice", "room"), notice("bob", "room"), text("here"))
}

// Who has the wrong auth does not even make the holder be asked.
func TestTwinWithoutAuth(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	alice, bob, eve := h.v2Joins("alice", "room"), h.v2Joins("bob", "room"), h.v2()
	eve.sends(final(opText, `{"uid":"alice","channel":"room","auth":"1234"}`))
	eve.closed(1008, "wrong auth")
	bob.says(text("psst"))
	alice.gets(text("psst"))
}

// Clients that leave and come back at once are let in.
func TestComeBackAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	for range 100 {
		one, two := h.v1(), h.v2()
		h.joins("v1", func() { one.join("alice", "room", "") })
		h.joins("v2", func() { two.join("alice", "room") })
		if len(h.log.lines("refused")) > 0 {
			t.Fatal("refused")
		}
		one.nc.Close()
		two.sends(final(opClose, ""))
		two.nc.Close()
	}
}

// A relay passes bytes on until it is stopped, which neither end notices.
type relay struct {
	testing.TB
	to      func() net.Conn
	mu      sync.Mutex
	stopped bool
}

func newRelay(t testing.TB) *relay { return &relay{TB: t} }

func (r *relay) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

func (r *relay) dial() net.Conn {
	near, far := net.Pipe()
	server := r.to()
	var both sync.WaitGroup
	both.Go(func() { r.pass(server, far) })
	both.Go(func() { r.pass(far, server) })
	r.Cleanup(func() {
		far.Close()
		server.Close()
		both.Wait()
	})
	return near
}

func (r *relay) pass(to io.Writer, from io.Reader) {
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		r.mu.Lock()
		stopped := r.stopped
		r.mu.Unlock()
		if !stopped {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}
