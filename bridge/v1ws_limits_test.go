package bridge_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// Without the flag a binary first frame is refused as ever; with it, text still
// begins v2, on the same listener.
func TestV1WSMustBeAllowed(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	wendy := h.v1ws()
	wendy.sends(final(opBinary, string(msgBody("wendy", "room", ""))))
	wendy.closed(1008, "hello must be text")

	h = open(t, withWS(secret))
	wendy, carol := h.v1wsJoins("wendy", "room", ""), h.v2Joins("carol", "room")
	wendy.gets(carol.onWS(""))
	eve := h.v2()
	eve.sends(final(opText, `{"uid":"eve","channel":"room"}`)) // the key is not waived for v2
	eve.closed(1008, "wrong auth")
	if st := h.Stats(); st.V1WSMembers != 1 || st.V2Members != 1 {
		t.Errorf("%+v", st)
	}
}

// What is refused, as a first frame and as a later one: with its code and reason
// at once, and a line in the log. Nobody hears of it, and nothing is stored.
func TestV1WSRefusals(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 1025)
	for name, c := range map[string]struct {
		frame  []byte
		code   int
		reason string
	}{
		"no CBOR":              {final(opBinary, "hello"), 1007, "body does not decode"},
		"empty":                {final(opBinary, ""), 1007, "body does not decode"},
		"with header":          {final(opBinary, string(keyed(1, msgBody("w", "room", "x")))), 1007, "body does not decode"},
		"no message":           {final(opBinary, "\xa2\x63uid\x61w\x67channel\x64room"), 1007, "body does not decode"},
		"bytes after":          {final(opBinary, string(msgBody("w", "room", "x"))+"\x00"), 1007, "body does not decode"},
		"uid not UTF-8":        {final(opBinary, string(msgBody("\xff", "room", "x"))), 1007, "body does not decode"},
		"a resync":             {final(opBinary, string(resyncBody(keyed(1, msgBody("w", "room", "x"))))), 1007, "body does not decode"},
		"new channel too long": {final(opBinary, string(msgBody("w", long, "x"))), 1008, "name too long"},
		"uid there too long":   {final(opBinary, string(msgBody(long, "other", "x"))), 1008, "name too long"},
		"RSV bit":              {masked(0xc2, msgBody("w", "room", "x")), 1002, "RSV1 set"},
		"too big":              {final(opBinary, string(make([]byte, 1<<24))), 1009, "too big"},
		"too big in two":       {append(masked(opBinary, make([]byte, 1<<23)), final(opMore, string(make([]byte, 1<<23)))...), 1009, "too big"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, withWS(secret))
			for _, joined := range []bool{false, true} {
				var eve *v1wsclient
				if joined {
					eve = h.v1wsJoins("eve", "room", "")
					eve.says("before")
				} else {
					eve = h.v1ws()
				}
				go eve.nc.Write(c.frame)
				eve.gets(closing(c.code, c.reason))
				closeWrite(t, eve.nc)
				eve.ends()
				h.members(0)
			}
			if !h.hasLogged(1, "level=WARN", "refused", "dialect") || !h.hasLogged(1, "level=WARN", "left", "dialect=v1ws", "uid=eve") {
				t.Errorf("the log: %q", h.log.lines("level=WARN"))
			}
			if n := len(h.Stats().Refusals); n != 1 {
				t.Errorf("refusals: %v", h.Stats().Refusals)
			}
			dave := h.v1wsJoins("dave", "room", "")
			dave.gets(body("eve", "room", ""), body("eve", "room", "before"))
			if n := h.Stats().Channels; n != 1 {
				t.Errorf("%d channels", n)
			}
		})
	}
}

// Text after the first frame, and a uid too long where the channel is joined, end
// it too.
func TestV1WSLaterFaults(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	for reason, frame := range map[string][]byte{
		"frame must be binary": final(opText, `{"uid":"u","channel":"room"}`),
		"body does not decode": final(opBinary, string(msgBody(longName(1025), "room", "x"))),
	} {
		wendy := h.v1wsJoins("wendy", "room", "")
		wendy.sends(frame)
		if f := wendy.lastFrame(); f != closing(1007, reason) {
			t.Errorf("%v, want 1007 %s", f, reason)
		}
		h.members(0)
	}
}

// Names of 1,024 bytes, the longest message that fits a frame, and no byte more;
// in fragments, with a ping in between, as a first frame and later.
func TestV1WSLongest(t *testing.T) {
	t.Parallel()
	conf := withWS(secret)
	conf.HistoryLimit = 2
	h := open(t, conf)
	name := longName(1024)
	bob, carol := h.v1Joins("bob", name, ""), h.v2Joins("carol", name)
	carol.gets(notice("bob", name))
	bob.gets(carol.onV1(""))
	message := strings.Repeat("0123456789abcdef", 1<<20)[:most(name, name)]
	whole := string(msgBody(name, name, message))
	if len(whole) != 0xffffff {
		t.Fatal("the test cannot count")
	}
	wendy := h.v1ws()
	wendy.uid, wendy.channel = name, name
	third := len(whole) / 3
	for i := range 2 {
		go func() {
			wendy.nc.Write(masked(opBinary, whole[:third]))
			wendy.nc.Write(masked(opMore, whole[third:2*third]))
			wendy.nc.Write(final(opPing, "between"))
			wendy.nc.Write(final(opMore, whole[2*third:]))
		}()
		bob.gets(wendy.onV1(message))
		carol.gets(blob(message))
		wendy.gets(wsFrame{opPong, "between"})
		if i == 0 { // now it is there, and of two empty joins the history keeps one
			wendy.gets(carol.onWS(""))
		}
	}
	go wendy.nc.Write(final(opBinary, string(msgBody(name, name, message+"x"))))
	if f := wendy.lastFrame(); f != closing(1009, "too big") {
		t.Errorf("one byte more is answered %v", f)
	}
}

// A v1 WebSocket is pinged every 12 s. Who answers stays; who does not is closed
// after three pings in vain.
func TestV1WSPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, withWS(secret))
		wendy, walter := h.v1wsJoins("wendy", "room", ""), h.v1wsJoins("walter", "hall", "")
		const leaves = 5*time.Minute - 5*time.Second // between two pings
		time.AfterFunc(leaves, func() { wendy.nc.Close() })
		lived := make(chan struct{})
		go func() {
			defer close(lived)
			pings, end, last := wendy.answers(true)
			if len(pings) != 24 || end != leaves || last.op != 0 {
				t.Errorf("wendy was pinged %d times in %s and got %v", len(pings), end, last)
			}
			for i, at := range pings {
				if want := time.Duration(i+1) * 12 * time.Second; at > want || at <= want-time.Second {
					t.Errorf("ping %d came after %s", i+1, at)
				}
			}
		}()
		pings, end, last := walter.answers(false)
		if len(pings) != 3 || end > 50*time.Second || end <= 49*time.Second || last != closing(1008, "no pong") {
			t.Errorf("walter was pinged at %s, closed after %s with %v", pings, end, last)
		}
		h.members(1)
		<-lived
	})
}

// From accept to the first frame's header there are 10 s; then the frame, as all
// later ones, must go on at 64 KiB in each 10 s.
func TestV1WSPace(t *testing.T) {
	t.Parallel()
	frame := final(opBinary, string(msgBody("wendy", "room", strings.Repeat("x", 300<<10))))
	for name, c := range map[string]struct {
		head   int // bytes that come first
		joined bool
		after  time.Duration
		reason string
	}{
		"nothing":             {0, false, 10 * time.Second, "no hello in time"},
		"half a header":       {5, false, 10 * time.Second, "no hello in time"},
		"half a first frame":  {1000, false, 10 * time.Second, "too slow"},
		"half a later header": {5, true, 10 * time.Second, "too slow"},
		"half a later frame":  {1000, true, 10 * time.Second, "too slow"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, withWS(secret))
				wendy := h.v1ws()
				if c.joined {
					wendy = h.v1wsJoins("wendy", "room", "")
				}
				start := time.Now()
				wendy.sends(frame[:c.head])
				wendy.gets(closing(1008, c.reason))
				if took := time.Since(start); took > c.after || took < c.after-time.Second {
					t.Errorf("closed after %s", took)
				}
				wendy.nc.Close()
				h.members(0)
			})
		})
	}
	t.Run("fast enough", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			h := openPipes(t, withWS(secret))
			bob := h.v1Joins("bob", "room", "")
			wendy := h.v1ws()
			wendy.uid, wendy.channel = "wendy", "room"
			sent := make(chan struct{})
			go func() {
				trickle(wendy.nc, frame, 66<<10, 9*time.Second)
				close(sent)
			}()
			bob.gets(wendy.onV1(strings.Repeat("x", 300<<10)))
			<-sent
		})
	})
}

// Shutdown tells v1 WebSockets that the server goes away.
func TestV1WSShutdown(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	wendy := h.v1wsJoins("wendy", "room", "")
	wendy.enters("hall", "")
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.Shutdown(ctx) }()
	wendy.closed(1001, "server is going away")
	if err := <-done; err != nil {
		t.Error("Shutdown:", err)
	}
}

// Leaving leaves all channels, after what was sent has been published; a close
// frame is answered with its code.
func TestV1WSLeaving(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(secret))
	for name, leave := range map[string]func(*v1wsclient){
		"close frame": func(c *v1wsclient) {
			c.sends(final(opClose, closing(1000, "bye").data))
			if f := c.lastFrame(); f != closing(1000, "") {
				t.Errorf("answered with %v", f)
			}
		},
		"end":  func(c *v1wsclient) { closeWrite(t, c.nc) },
		"gone": func(c *v1wsclient) { c.nc.Close() },
	} {
		bob := h.v1Joins("bob", name, "")
		wendy := h.v1wsJoins("wendy", "room", "")
		wendy.enters(name, "")
		bob.gets(wendy.headed("wendy", name, msgBody("wendy", name, "")))
		wendy.saysOn(name, "bye")
		leave(wendy)
		bob.gets(wendy.headed("wendy", name, msgBody("wendy", name, "bye")))
		h.until("all have left", func() bool { return h.Stats().V1WSMembers == 0 })
	}
}

// Who stops reading one channel, and so all, costs the others nothing, and is told
// why it is closed: it cannot lose one channel and keep the others.
func TestV1WSStoppedReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conf := withWS(secret)
		conf.HistoryLimit = bridge.NoHistory
		h := openPipes(t, conf)
		alice, carol := h.v1Joins("alice", "room", ""), h.v1Joins("carol", "room", "")
		wendy := h.v1wsJoins("wendy", "hall", "")
		wendy.enters("room", "")
		carol.gets(wendy.headed("wendy", "room", msgBody("wendy", "room", "")))
		go func() { // alice reads
			for {
				if _, err := readV1Frame(alice.r); err != nil {
					return
				}
			}
		}()
		flood(alice, 340, carol) // 66 MiB
		time.Sleep(31500 * time.Millisecond)
		if cuts := h.Stats().Cuts; cuts["too slow"] != 1 || len(cuts) != 1 {
			t.Fatalf("cut are %v", cuts)
		}
		if lines := h.log.lines("level=WARN", "subscription cut", "too slow", "dialect=v1ws", "uid=wendy", "channel=room"); len(lines) != 1 {
			t.Error("not in the log")
		}
		if f := wendy.lastFrame(); f != closing(1008, "too slow") {
			t.Errorf("wendy reads %v", f)
		}
		time.Sleep(3 * time.Second)
		h.members(2)
	})
}

// A publisher whose readers are behind on one channel is not read at all, and its
// clocks stand still.
func TestV1WSPausedPublisher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conf := withWS(secret)
		conf.HistoryLimit = bridge.NoHistory
		h := openPipes(t, conf)
		bob, dora := h.v1Joins("bob", "room", ""), h.v1Joins("dora", "hall", "")
		wendy := h.v1wsJoins("wendy", "room", "")
		wendy.enters("hall", "")
		bob.gets(wendy.onV1(""))
		dora.gets(wendy.headed("wendy", "hall", msgBody("wendy", "hall", "")))
		go wendy.answers(true)
		message := strings.Repeat("m", 1<<18)
		const many = 60 // 15 MiB
		sent := make(chan error, 1)
		go func() {
			for range many {
				if _, err := wendy.nc.Write(final(opBinary, string(msgBody("wendy", "room", message)))); err != nil {
					sent <- err
					return
				}
			}
			_, err := wendy.nc.Write(final(opBinary, string(msgBody("wendy", "hall", "after that"))))
			sent <- err
		}()
		for i := range many {
			if i < 10 { // for more than three pings
				time.Sleep(10 * time.Second)
				select {
				case err := <-sent:
					t.Fatalf("the publisher was not slowed: %v", err)
				default:
				}
			}
			bob.gets(wendy.onV1(message))
		}
		dora.gets(wendy.headed("wendy", "hall", msgBody("wendy", "hall", "after that")))
		if err := <-sent; err != nil {
			t.Errorf("the publisher was cut off: %v", err)
		}
		h.members(4)
	})
}

// Over the limit on connections it is told so, whatever it would speak.
func TestV1WSOverLimit(t *testing.T) {
	t.Parallel()
	conf := withWS(secret)
	conf.MaxConnections = 1
	h := open(t, conf)
	h.v1wsJoins("wendy", "room", "")
	walter := h.v1ws()
	walter.gets(closing(1013, "over a limit"))
}

// Those on many channels leave room for others: all together are on as many as memory
// is set aside for, and everybody may be on one.
func TestV1WSOverLimitOnChannels(t *testing.T) {
	t.Parallel()
	conf := withWS(secret)
	conf.MemoryLimit = 1 << 20 // half an eighth of it holds 32 channels
	h := open(t, conf)
	wendy := h.v1wsJoins("wendy", "room", "")
	for i := range 32 {
		wendy.enters(fmt.Sprint("room", i), "")
	}
	walter := h.v1wsJoins("walter", "hall", "")
	walter.sends(final(opBinary, string(msgBody("walter", "garden", ""))))
	walter.closed(1013, "over a limit")
	wendy.leaves()
	h.until("wendy has left", func() bool { return h.Stats().V1WSMembers == 0 })
	walter = h.v1wsJoins("walter", "hall", "")
	for i := range 32 {
		walter.enters(fmt.Sprint("room", i), "")
	}
}

// Over TLS as without it; what is said at once with the join is not lost, nor what
// comes in one write with others.
func TestV1WSTransports(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, withWS(secret))
			bob := h.v1Joins("bob", "room", "")
			wendy := h.v1ws()
			wendy.uid, wendy.channel = "wendy", "room"
			var all []byte
			for _, message := range []string{"joins", "one", "two"} {
				all = append(all, final(opBinary, string(msgBody("wendy", "room", message)))...)
			}
			wendy.sends(append(all, final(opBinary, string(msgBody("wendy", "hall", "elsewhere")))...))
			bob.gets(wendy.onV1("joins"), wendy.onV1("one"), wendy.onV1("two"))
			bob.says("hello")
			wendy.gets(bob.onWS(""), bob.onWS("hello"))
			dora := h.v1Joins("dora", "hall", "")
			dora.gets(wendy.headed("wendy", "hall", msgBody("wendy", "hall", "elsewhere")))
		})
	}
}
