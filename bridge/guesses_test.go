package bridge_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// tries says hello with a key from an address, and how long the answer takes.
func (h *house) tries(l *pipeListener, addr, key string) time.Duration {
	h.Helper()
	start := time.Now()
	c := h.v2On(l.dialFrom(addr))
	c.sends(final(opText, fmt.Sprintf(`{"uid":"u","channel":"hall","auth":"%s"}`, v2Auth("u", "hall", key))))
	c.closed(1008, "wrong auth")
	return time.Since(start).Round(time.Second)
}

// triesV1 shows a wrong key on v1.
func (h *house) triesV1(l *pipeListener, addr string) time.Duration {
	h.Helper()
	c := h.v1On(l.dialFrom(addr))
	before, start := h.refusals("wrong key"), time.Now()
	c.sends(keyed(1, msgBody("u", "hall", "")))
	h.until("it is refused", func() bool { return h.refusals("wrong key") > before })
	c.ends()
	const linger = 2 * time.Second // a pipe has no end before the last
	return (time.Since(start) - linger).Round(time.Second)
}

// guarded is a gateway in a bubble, with listeners to dial from any address.
func guarded(t *testing.T) (h *house, one, two *pipeListener) {
	h = openPipes(t, bridge.Config{V1Keys: []string{"right", "device"}, V2Keys: []string{"right", "device"},
		V1KeyScopes: []bridge.Scope{{}, {Channels: []string{"iot"}}}, V2KeyScopes: []bridge.Scope{{}, {Channels: []string{"iot"}}}})
	one, two = newPipeListener(), newPipeListener()
	h.serve(func() error { return h.ServeV1(one) })
	h.serve(func() error { return h.ServeV2(two) })
	return h, one, two
}

// Mallory tries keys: soon each answer takes a second. Whoever has a right key does not wait,
// behind the same address too, and nobody else does.
func TestGuessesAreSlowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, one, two := guarded(t)
		const mallory = "203.0.113.7:4711"
		for i := range 10 {
			if d := h.tries(two, mallory, fmt.Sprint(i)); d > 0 {
				t.Errorf("guess %d is answered after %v", i, d)
			}
		}
		for _, key := range []string{"wrong", "device"} { // which opens something else
			if d := h.tries(two, mallory, key); d != time.Second {
				t.Errorf("a guess is answered after %v", d)
			}
		}
		start := time.Now()
		bob := h.v2On(two.dialFrom(mallory))
		h.joins("v2", func() { bob.join("bob", "hall") })
		alice := h.v1On(one.dialFrom(mallory))
		alice.key = v1Key("right", "alice", "hall")
		h.joins("v1", func() { alice.join("alice", "hall", "") })
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("right keys are let in after %v", d)
		}
		if d := h.tries(two, "[::ffff:203.0.113.7]:99", "wrong"); d == 0 {
			t.Error("IPv4 in IPv6 is another address")
		}
		for range 12 {
			if d := h.triesV1(one, "[::ffff:203.0.113.7]:99"); d != 0 {
				t.Errorf("on v1, where it would be taken for an answer, it comes after %v", d)
			}
		}
		for _, addr := range []string{"203.0.113.8:4711", "[2001:db8::1]:1", "pipe"} {
			if d := h.tries(two, addr, "wrong"); d > 0 {
				t.Errorf("%s is answered after %v", addr, d)
			}
		}
		time.Sleep(time.Minute)
		if d := h.tries(two, mallory, "wrong"); d > 0 {
			t.Errorf("after a minute, an answer takes %v", d)
		}
	})
}

// With many connections at once no answer takes more than three seconds, and one network of IPv6
// is one address.
func TestGuessesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, _, two := guarded(t)
		took := make(chan time.Duration, 50)
		for i := range cap(took) {
			go func() { took <- h.tries(two, fmt.Sprintf("[2001:db8:1:2:%x::1]:80", i), "wrong") }()
		}
		var slow, slowest int
		for range cap(took) {
			switch d := <-took; {
			case d > 3*time.Second:
				t.Errorf("an answer took %v", d)
			case d == 3*time.Second:
				slowest++
				fallthrough
			case d > 0:
				slow++
			}
		}
		if slow != 40 || slowest < 30 {
			t.Errorf("%d of 50 waited, %d of them for 3 s", slow, slowest)
		}
	})
}

// Who is being held back does not hold up the end of the gateway.
func TestGuessesEndWithTheGateway(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	for range 15 {
		h.v2().sends(final(opText, `{"uid":"u","channel":"hall","auth":"1"}`))
	}
	h.until("all are refused", func() bool { return h.refusals("wrong auth") == 15 })
	start := time.Now()
	h.Close()
	if d := time.Since(start); d > time.Second {
		t.Errorf("closing took %v", d)
	}
}
