package bridge_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// answers reads pings, and answers them where it is told to, until the end or a
// close frame. It returns when they came, and when the end.
func (c *v2client) answers(pongs bool) (pings []time.Duration, end time.Duration, last wsFrame) {
	start := time.Now()
	for {
		f, err := readWSFrame(c.r)
		switch {
		case err != nil:
			return pings, time.Since(start), last
		case f.op == opPing:
			pings = append(pings, time.Since(start))
			if pongs {
				c.nc.Write(final(opPong, f.data))
			}
		default:
			last = f
		}
	}
}

// A v2 connection is pinged every 24 s. Who answers stays; who does not is
// closed after three pings in vain. Others are told nothing.
func TestPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		alice, carol := h.v2Joins("alice", "room"), h.v2Joins("carol", "room")
		carol.gets(notice("alice", "room"))
		const leaves = 10*time.Minute - 5*time.Second // between two pings
		time.AfterFunc(leaves, func() { alice.nc.Close() })
		lived := make(chan struct{})
		go func() {
			defer close(lived)
			pings, end, last := alice.answers(true)
			if len(pings) != 24 || end != leaves || last.op != 0 {
				t.Errorf("alice was pinged %d times in %s and got %v", len(pings), end, last)
			}
			for i, at := range pings {
				if want := time.Duration(i+1) * 24 * time.Second; at > want || at <= want-time.Second {
					t.Errorf("ping %d came after %s", i+1, at)
				}
			}
		}()
		pings, end, last := carol.answers(false)
		// … the end comes 2 s after the close frame, which carol does not answer.
		if len(pings) != 3 || end > 98*time.Second || end <= 97*time.Second || last != closing(1008, "no pong") {
			t.Errorf("carol was pinged at %s, closed after %s with %v", pings, end, last)
		}
		h.members(1)
		<-lived
		if lines := h.log.lines("no pong", "carol"); len(lines) != 1 {
			t.Errorf("the log of it: %q", lines)
		}
	})
}

// Any byte counts as life: a client that answers no ping but says something now
// and then stays.
func TestAnyByteIsLife(t *testing.T) {
	t.Parallel()
	for name, frame := range map[string][]byte{"message": final(opText, "I live"), "ping": final(opPing, ""), "unasked pong": final(opPong, "x")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, secret)
				alice := h.v2Joins("alice", "room")
				done := make(chan struct{})
				go func() {
					defer close(done)
					if _, end, last := alice.answers(false); end < 15*time.Minute || last.op == opClose {
						t.Errorf("closed after %s: %v", end, last)
					}
				}()
				for range 13 {
					time.Sleep(70 * time.Second)
					alice.sends(frame)
				}
				h.members(1)
				alice.nc.Close()
				<-done
			})
		})
	}
}

// A silent v1 connection lives on: phones sleep.
func TestSilentV1Lives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		bob := h.v1Joins("bob", "room", "")
		time.Sleep(30 * time.Minute)
		alice := h.v1Joins("alice", "room", "")
		bob.gets(alice.frame(""))
	})
}

// The clocks of a publisher that is not read, because its reader is slow, stand
// still: it cannot answer pings, nor go on with the frame that it has begun.
func TestPausedPublisher(t *testing.T) {
	t.Parallel()
	message := strings.Repeat("m", 1<<18-1000)
	for name, publish := range map[string]func(h *house) (send func() error){
		"v1": func(h *house) func() error {
			c := h.v1Joins("pub", "room", "")
			return func() error { _, err := c.nc.Write(c.frame(message)); return err }
		},
		"v2": func(h *house) func() error {
			c := h.v2Joins("pub", "room")
			go c.answers(true)
			return func() error { _, err := c.nc.Write(final(opBinary, message)); return err }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conf := secret
				conf.HistoryLimit = bridge.NoHistory
				h := openPipes(t, conf)
				bob := h.v1Joins("bob", "room", "")
				send := publish(h)
				join, err := readV1Frame(bob.r)
				if err != nil {
					t.Fatal(err)
				}
				const many = 60 // 15 MiB
				sent := make(chan error, 1)
				go func() {
					for range many {
						if err := send(); err != nil {
							sent <- err
							return
						}
					}
					sent <- nil
				}()
				start := time.Now()
				for i := range many {
					if i < 20 { // for more than three pings
						time.Sleep(10 * time.Second)
					}
					f, err := readV1Frame(bob.r)
					if err != nil || len(f) < len(message) || string(f[len(f)-100:]) != message[:100] {
						t.Fatalf("bob reads %.100q, %v after %s", f, err, time.Since(start))
					}
					if i == 10 {
						select {
						case err := <-sent:
							t.Fatalf("the publisher was not slowed: %v", err)
						default:
						}
					}
				}
				if err := <-sent; err != nil {
					t.Errorf("the publisher was cut off: %v", err)
				}
				h.members(2)
				_ = join
			})
		})
	}
}
