package bridge_test

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"mles/bridge"
)

// Whatever the server upstream does, alice and bob hear each other here, in order.
func TestHostileUpstream(t *testing.T) {
	noise := make([]byte, 64<<10)
	random := rand.NewChaCha8([32]byte{1})
	random.Read(noise)
	header := bytes.Clone(v1Frame(1, 2, make([]byte, 16<<20-1))[:16:16]) // announces all that can be
	for name, serve := range map[string]func(r *root, e *rootEnd){
		"random bytes": func(r *root, e *rootEnd) { e.nc.Write(noise); e.nc.Close() },
		"M and noise":  func(r *root, e *rootEnd) { e.nc.Write(slices.Concat([]byte("M\x00\x00\x10"), noise)); e.nc.Close() },
		"frame of none": func(r *root, e *rootEnd) {
			e.nc.Write([]byte("M\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
		},
		"closes at once":  func(r *root, e *rootEnd) { e.nc.Close() },
		"silence":         func(r *root, e *rootEnd) {},
		"reads, silent":   func(r *root, e *rootEnd) { e.r.WriteTo(io.Discard) },
		"half a frame":    func(r *root, e *rootEnd) { e.nc.Write(slices.Concat(header, noise)) },
		"byte by byte":    func(r *root, e *rootEnd) { drip(e, header) },
		"a frame, closes": func(r *root, e *rootEnd) { e.nc.Write(shared("eve", "room", "x")); e.nc.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *root) {
				h := openPipes(t, r.upstream(secret))
				done := make(chan struct{})
				go func() {
					defer close(done)
					for nc := range r.conns {
						go serve(r, &rootEnd{r, nc, bufio.NewReader(nc)})
						t.Cleanup(func() { nc.Close() })
					}
				}()
				alice, bob := h.v1Joins("alice", "room", ""), h.v1Joins("bob", "room", "")
				carol := h.v1Joins("carol", "other", "")
				dan := h.v1Joins("dan", "other", "")
				for i := range 300 {
					message := strings.Repeat("m", 1+i*100)
					alice.says(message)
					carol.says(message)
					for _, f := range [][]byte{alice.frame(message)} {
						readsPast(t, bob, "eve", f, alice.frame(""))
					}
					readsPast(t, dan, "eve", carol.frame(message), carol.frame(""))
					time.Sleep(time.Second)
				}
				if h.Stats().Memory > 64<<20 {
					t.Errorf("holds %d bytes", h.Stats().Memory)
				}
				h.Close()
				close(r.conns)
				<-done
			})
		})
	}
}

// readsPast reads a frame, past what uid said and past others that are expected.
func readsPast(t *testing.T, c *v1client, uid string, want []byte, besides ...[]byte) {
	t.Helper()
next:
	for {
		got, err := readV1Frame(c.r)
		if err != nil {
			t.Fatalf("%s reads nothing: %v", c.uid, err)
		}
		if bytes.Equal(got, want) {
			return
		}
		for _, b := range besides {
			if bytes.Equal(got, b) {
				continue next
			}
		}
		if !bytes.Contains(got, []byte("cuid\x63"+uid)) {
			t.Fatalf("%s reads %.200q, want %.200q", c.uid, got, want)
		}
	}
}

// drip sends a byte a second.
func drip(e *rootEnd, p []byte) {
	for i := range p {
		if _, err := e.nc.Write(p[i : i+1]); err != nil {
			return
		}
		time.Sleep(time.Second)
	}
}

// A server that floods is read no faster than the members here read; other
// channels notice nothing.
func TestFloodingUpstream(t *testing.T) {
	t.Parallel()
	r := newRoot(t)
	h := open(t, r.upstream(secret, func(u *bridge.Upstream) { u.Dial = r.dial }))
	alice := h.v1Joins("alice", "room", "")
	up := r.accepts()
	up.gets(alice.frame(""))
	flood := bytes.Repeat(shared("eve", "room", strings.Repeat("x", 1000)), 1000)
	stopped := make(chan int)
	go func() {
		n := 0
		for {
			k, err := up.nc.Write(flood)
			n += k
			if err != nil {
				stopped <- n
				return
			}
		}
	}()
	carol, dan := h.v1Joins("carol", "other", ""), h.v1Joins("dan", "other", "")
	r.accepts() // for that channel; it hears nothing
	dan.gets(carol.frame(""))
	carol.gets(dan.frame(""))
	for range 100 {
		carol.says("hello")
		dan.gets(carol.frame("hello"))
	}
	if m := h.Stats().Memory; m > 96<<20 {
		t.Errorf("the flood takes %d bytes", m)
	}
	for range 5000 {
		alice.gets(shared("eve", "room", strings.Repeat("x", 1000)))
	}
	up.nc.Close()
	<-stopped
}
