package bridge_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Shutdown accepts nobody any more, tells v2 members that the server goes away,
// closes v1 connections and those that have not joined, and returns when all are
// gone; serving ends without an error.
func TestShutdown(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, secret)
			alice, bob := h.v1Joins("alice", "room", ""), h.v2Joins("bob", "room")
			stranger, guest := h.v1(), h.v2()
			bob.gets(notice("alice", "room"))
			alice.gets(bob.onV1(""))
			bob.says(text("last"))
			alice.gets(bob.onV1("last"))
			if h.Draining() {
				t.Error("draining already")
			}
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- h.Shutdown(ctx) }()
			bob.closed(1001, "server is going away")
			for _, r := range []interface{ Read([]byte) (int, error) }{alice.r, stranger.nc, guest.nc} {
				var b [200]byte
				if n, err := r.Read(b[:]); err == nil && b[0] != 0x88 {
					t.Errorf("reads %q", b[:n])
				} else if err != nil && !closedSomehow(err) {
					t.Error(err)
				}
			}
			guest.nc.Close()
			if err := <-done; err != nil {
				t.Error("Shutdown:", err)
			}
			if !h.Draining() || h.Stats().Connections != 0 {
				t.Errorf("after Shutdown: %+v", h.Stats())
			}
		})
	}
}

// v2 members are told one by one, over a second where there is time enough: the first wait for
// so long, and are to be back within 5 s.
func TestShutdownIsPaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		const n = 500
		var start time.Time
		var mu sync.Mutex
		var told []time.Duration
		var all sync.WaitGroup
		for i := range n {
			c := h.v2Joins(fmt.Sprint("m", i), fmt.Sprint("room", i))
			all.Go(func() {
				if f, err := readWSFrame(c.r); err != nil || f != closing(1001, "server is going away") {
					t.Errorf("reads %v, %v", f, err)
				}
				mu.Lock()
				told = append(told, time.Since(start))
				mu.Unlock()
				c.nc.Close()
			})
		}
		start = time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), 12*time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Error("Shutdown:", err)
		}
		all.Wait()
		if took := time.Since(start); took < 900*time.Millisecond || took > 1100*time.Millisecond {
			t.Errorf("took %s of 12 s", took)
		}
		if at := told[n/2]; at < 400*time.Millisecond || at > 600*time.Millisecond {
			t.Errorf("half were told after %s", at)
		}
	})
}

// Who does not leave is cut off at the deadline at the latest.
func TestShutdownDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		bob := h.v2Joins("bob", "room")
		start := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error("Shutdown:", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %s", took)
		}
		if _, err := bob.nc.Write(final(opText, "x")); err == nil {
			t.Error("bob's connection is open")
		}
	})
}

// Close ends everything at once; it may be called again, at the same time, and
// beside Shutdown. What is served after it is not.
func TestClose(t *testing.T) {
	t.Parallel()
	for range 10 {
		h := open(t, secret)
		h.v1Joins("alice", "room", "")
		h.v2Joins("bob", "room")
		h.v1()
		h.v2()
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if i == 0 {
					ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
					defer cancel()
					h.Shutdown(ctx)
				} else if err := h.Close(); err != nil {
					t.Error("Close:", err)
				}
			})
		}
		all.Wait()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.ServeV1(l); err != nil {
			t.Error("ServeV1 after Close:", err)
		}
		if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Error("the listener is open:", err)
		}
	}
}

// The gateway may be closed in the middle of anything.
func TestCloseInTheMiddle(t *testing.T) {
	t.Parallel()
	for i := range 20 {
		h := open(t, secret)
		var all sync.WaitGroup
		for n := range 8 {
			nc := h.callV1()
			if n%2 == 1 {
				nc = h.callV2()
			}
			all.Go(func() {
				defer nc.Close()
				uid := fmt.Sprint("member", n)
				if n%2 == 0 {
					frame := keyed(v1Key("swordfish", uid, "room"), msgBody(uid, "room", "hello"))
					for range 1000 {
						if _, err := nc.Write(frame); err != nil {
							return
						}
					}
					return
				}
				nc.Write([]byte(upgradeRequest("/", subprotocol)))
				nc.Read(make([]byte, 1000))
				nc.Write(final(opText, fmt.Sprintf(`{"uid":"%s","channel":"room","auth":"%s"}`, uid, v2Auth(uid, "room", "swordfish"))))
				for range 1000 {
					if _, err := nc.Write(final(opText, "hello")); err != nil {
						return
					}
				}
			})
		}
		time.Sleep(time.Duration(i) * 500 * time.Microsecond)
		if i%2 == 0 {
			h.Close()
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
			h.Shutdown(ctx)
			cancel()
		}
		all.Wait()
	}
}

// Clients that vanish while they join leave nothing behind.
func TestVanishingWhileJoining(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	alice := h.v1Joins("alice", "room", "")
	flood(alice, 3)
	for i := range 100 {
		c := h.callV1().(*net.TCPConn)
		uid := fmt.Sprint("v", i)
		c.Write(keyed(v1Key("swordfish", uid, "room"), msgBody(uid, "room", "")))
		c.SetLinger(0) // a reset
		c.Close()
		d := h.v2()
		d.join(uid, "room")
		d.nc.(*net.TCPConn).SetLinger(0)
		d.nc.Close()
	}
	h.until("all but alice have gone", func() bool { return h.Stats().Connections == 1 })
	h.members(1)
}
