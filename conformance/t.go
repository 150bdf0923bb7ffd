package conformance

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A T is what a case runs on, in the place of testing.T: it connects to the
// target, gives out names, keeps the transcript and the verdict. Each of its
// connections belongs to one goroutine at a time, as do Fatalf and NotRunf to
// the goroutine that runs the case.
type T struct {
	target   *endpoint
	rec      *transcript
	ctx      context.Context
	deadline time.Time
	maxConns int
	wait     atomic.Int64 // how long one thing may take, a time.Duration

	readers sync.WaitGroup

	mu       sync.Mutex
	conns    []net.Conn
	open     int
	dialled  int
	cleanups []func()
	outcome  Outcome
	failure  string
}

// Fatalf fails the case with what was expected and what came, and ends it.
func (t *T) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Errorf fails the case and lets it go on.
func (t *T) Errorf(format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	t.rec.add("", "-", "FAILED: "+said, nil)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.outcome == Fail {
		t.failure += "; " + said
		return
	}
	t.outcome, t.failure = Fail, said
}

// NotRunf ends the case as one that cannot be tried on this target, and says
// why: "the target has an IPv6 address". What the target does wrong is Fatalf's.
func (t *T) NotRunf(format string, args ...any) {
	t.mu.Lock()
	if t.outcome != Fail {
		t.outcome, t.failure = NotRun, fmt.Sprintf(format, args...)
	}
	t.mu.Unlock()
	runtime.Goexit()
}

// Logf adds a line to the transcript: what the case is about to do, and why.
func (t *T) Logf(format string, args ...any) { t.rec.add("", "-", fmt.Sprintf(format, args...), nil) }

// Context ends with the case's deadline.
func (t *T) Context() context.Context { return t.ctx }

// Patience is how long one expectation waits.
func (t *T) Patience() time.Duration { return time.Duration(t.wait.Load()) }

// SetPatience changes that, for a server that may take its time: the gateway
// probes the holder of a CID for 3 s. The deadline holds all the same.
func (t *T) SetPatience(d time.Duration) { t.wait.Store(int64(d)) }

// Cleanup calls f when the case has ended, before its connections are closed.
func (t *T) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

// remaining is how long an expectation may wait now.
func (t *T) remaining() time.Duration { return max(0, min(t.Patience(), time.Until(t.deadline))) }

// gatewayProbe is how long a gateway may ask the holder of a CID or a uid whether
// it lives, before it answers who came second (bridge/mapping.md, "Identity").
const gatewayProbe = 4 * time.Second

// Key is the shared key that the target has; empty: none.
func (t *T) Key() string { return t.target.Key }

// Channel returns the name of a channel that nobody else uses, of 18 bytes.
func (t *T) Channel() string { return "conf-" + token(6) + "x" }

// ChannelUnicode is the same outside of ASCII: two-, three- and four-byte
// characters.
func (t *T) ChannelUnicode() string { return "сäule-" + token(4) + "-世界-🐟" }

// UID returns a uid that begins with name and that nobody else uses. In a channel
// of its own a case needs none: there, "alice" is good enough and easier to read.
func (t *T) UID(name string) string { return name + "-" + token(4) }

// token returns 2n hex digits that nobody can guess.
func token(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// V1Key is the key of a v1 first frame from addr: over the shared key if the
// target has one, else over the address as the target spells it, and the address
// key. See MadeKey for the headers that a gateway makes.
func (t *T) V1Key(addr netip.AddrPort, uid, channel string) uint64 {
	if t.target.Key != "" {
		return KeyOf(t.target.Key, uid, channel)
	}
	if t.target.groups {
		return t.AddressKey(Groups(addr), uid, channel)
	}
	return t.AddressKey(Dotted(addr), uid, channel)
}

// MadeKey is the key in the header that a gateway makes for who came
// over WebSocket (bridge/mapping.md, "Headers made for others").
func (t *T) MadeKey(addr netip.AddrPort, uid, channel string) uint64 {
	if t.target.Key != "" {
		return KeyOf(t.target.Key, uid, channel)
	}
	return t.AddressKey(Dotted(addr), uid, channel)
}

// AddressKey is the key over an address in a spelling of the caller's, and the
// address key if there is one.
func (t *T) AddressKey(spelled, uid, channel string) uint64 {
	if t.target.AddrKey != "" {
		return KeyOf(spelled, t.target.AddrKey, uid, channel)
	}
	return KeyOf(spelled, uid, channel)
}

// Auth is the auth of a v2 hello, empty where the target needs none.
func (t *T) Auth(uid, channel string) string {
	if t.target.Key == "" {
		return ""
	}
	return AuthOf(uid, channel, t.target.Key)
}

// dial connects, and says which of the case's it is, from 1. The first connection of a case that fails says nothing about
// what the case is about; a later one may have been its doing.
func (t *T) dial(address string) (net.Conn, int) {
	t.mu.Lock()
	t.dialled++
	t.open++
	n, over := t.dialled, t.open > t.maxConns
	t.mu.Unlock()
	if over {
		t.Fatalf("the case is wrong: it opens more connections at a time than its Conns, %d", t.maxConns)
	}
	d := net.Dialer{Timeout: max(t.remaining(), time.Millisecond)}
	nc, err := d.DialContext(t.ctx, "tcp", address)
	switch {
	case err != nil && n == 1:
		t.NotRunf("cannot connect: %v", err)
	case err != nil:
		t.Fatalf("cannot connect any more: %v", err)
	}
	t.mu.Lock()
	t.conns = append(t.conns, nc)
	t.mu.Unlock()
	return nc, n
}

// closed notes that a connection is no longer open on our side.
func (t *T) closed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
}

// run runs the case to its end or its deadline, and leaves nothing behind.
func (t *T) run(c Case) {
	ctx, cancel := context.WithDeadline(t.ctx, t.deadline)
	defer cancel()
	t.ctx = ctx
	// A case that hangs in a connection comes back once that is closed.
	stop := context.AfterFunc(ctx, t.closeConns)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("the case is wrong: panic: %v\n%s", p, debug.Stack())
			}
		}()
		c.Run(t)
	}()
	<-ended
	t.rec.close()
	for len(t.cleanups) > 0 {
		last := t.cleanups[len(t.cleanups)-1]
		t.cleanups = t.cleanups[:len(t.cleanups)-1]
		last()
	}
	cancel() // for readers whose inbox is full
	t.closeConns()
	t.readers.Wait()
}

func (t *T) closeConns() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, nc := range t.conns {
		nc.Close()
	}
}

// verdict returns the outcome and, unless it is Pass, why.
func (t *T) verdict() (Outcome, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.outcome == "" {
		return Pass, ""
	}
	return t.outcome, t.failure
}
