package bus

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A story is a bus with one channel, in fake time.
type story struct {
	*testing.T
	bus *Bus
}

func tale(t *testing.T, f func(s story)) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, MemoryLimit: 4 << 30})
		defer b.Close()
		f(story{t, b})
	})
}

func (s story) join(d Dialect, sink Sink) *Member {
	m := mustJoin(s, s.bus, Join{Channel: "c", Dialect: d, Sink: sink, First: Event{From: d, Opaque: true}})
	s.Cleanup(m.Leave)
	return m
}

// say publishes one message that takes n bytes in a log.
func say(m *Member, n int) <-chan struct{} {
	return m.Publish([]Event{{From: m.dialect, Message: sized(n)}})
}

var sizedPayload = make([]byte, maxLag+1<<20)

func sized(n int) []byte { return sizedPayload[:n-headLen] }

func (s story) mustWait(wait <-chan struct{}, why string) {
	s.Helper()
	synctest.Wait()
	if !blocked(wait) {
		s.Errorf("the publisher goes on: %s", why)
	}
}

func (s story) mustGoOn(wait <-chan struct{}, why string) {
	s.Helper()
	synctest.Wait()
	if blocked(wait) {
		s.Errorf("the publisher waits: %s", why)
	}
}

func (s story) mustBeCut(h *hand, want ...Reason) {
	s.Helper()
	synctest.Wait()
	if got := h.reasons(); !slices.Equal(got, want) {
		s.Errorf("cut for %q, want %q", got, want)
	}
}

// TestSlowed: alice writes, bob and carol read by hand, in two dialects.
func TestSlowed(t *testing.T) {
	const mib = 1 << 20
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		s.mustGoOn(say(alice, 20*mib), "she is alone")
		s.join(1, &hand{})
		s.mustGoOn(say(alice, 8*mib-100), "bob is not 8 MiB behind")
		s.mustWait(say(alice, 100), "bob is 8 MiB behind")
	})
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		bob, carol := s.join(1, &hand{}), s.join(2, &hand{})
		for range 7 {
			s.mustGoOn(say(alice, mib), "the nearest is less than 8 MiB behind")
		}
		wait := say(alice, mib)
		s.mustWait(wait, "the nearest is 8 MiB behind")
		read(carol, 4*mib-maxWrite)
		s.mustWait(wait, "carol is more than 4 MiB behind")
		read(carol, maxWrite)
		read(carol, 1) // which says that the last bytes were written, too
		s.mustGoOn(wait, "carol is 4 MiB behind")
		if n := bob.lag(); n != 8*mib {
			s.Errorf("bob, who reads nothing, is %d bytes behind", n)
		}
		// Carol has it all; bob, ever further behind, does not matter.
		for range 20 {
			read(carol, 100*mib)
			s.mustGoOn(say(alice, mib), "carol follows")
		}
	})
}

// TestResumed: alice waits for bob, until something else than his reading ends it.
func TestResumed(t *testing.T) {
	const much = slowAt
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		s.join(1, &hand{})
		wait := say(alice, much)
		s.mustWait(wait, "bob is far behind")
		s.join(2, &hand{})
		s.mustGoOn(wait, "carol has joined, who is at the head")
	})
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		bob := s.join(1, &hand{})
		wait := say(alice, much)
		s.mustWait(wait, "bob is far behind")
		bob.Leave()
		s.mustGoOn(wait, "bob has left")
	})
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		bob := s.join(1, &hand{})
		wait := say(alice, much)
		s.mustWait(wait, "bob is far behind")
		bob.Mute()
		s.mustGoOn(wait, "bob has lost his subscription")
	})
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		s.join(1, &hand{})
		wait := say(alice, much)
		alice.Leave()
		s.mustGoOn(wait, "she has left herself")
	})
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		sink := &hand{}
		s.join(1, sink)
		wait := say(alice, much)
		time.Sleep(patience - time.Millisecond)
		s.mustWait(wait, "bob has some time left")
		s.mustBeCut(sink)
		time.Sleep(2 * time.Second)
		s.mustGoOn(wait, "bob was cut")
		s.mustBeCut(sink, Stalled)
	})
}

// TestTwoThatDoNotRead: alice and bob both write and neither reads.
func TestTwoThatDoNotRead(t *testing.T) {
	tale(t, func(s story) {
		a, b := &hand{}, &hand{}
		alice, bob := s.join(0, a), s.join(1, b)
		wait, wait2 := say(alice, slowAt), say(bob, slowAt)
		s.mustWait(wait, "bob is far behind")
		s.mustWait(wait2, "alice is far behind")
		time.Sleep(patience + time.Second)
		s.mustGoOn(wait, "bob was cut")
		s.mustGoOn(wait2, "alice was cut")
		s.mustBeCut(a, Stalled)
		s.mustBeCut(b, Stalled)
		s.mustGoOn(say(alice, slowAt), "nobody reads")
	})
}

// TestWhoMovesIsNotCut: carol reads a little now and then, bob nothing. Alice
// waits as long as carol needs.
func TestWhoMovesIsNotCut(t *testing.T) {
	tale(t, func(s story) {
		b, c := &hand{}, &hand{}
		alice := s.join(0, &honest{})
		s.join(1, b)
		carol := s.join(1, c)
		wait := say(alice, 40<<20)
		read(carol, 1) // her writer has begun
		for range 10 {
			time.Sleep(patience - time.Second)
			s.mustWait(wait, "carol is far behind")
			read(carol, maxWrite)
		}
		s.mustBeCut(b)
		s.mustBeCut(c)
	})
}

// TestOwnProgressDoesNotCount: bob chatters but reads nothing. That alice, who
// waits for him, reads what he says is no sign of life of his receiving side.
func TestOwnProgressDoesNotCount(t *testing.T) {
	tale(t, func(s story) {
		b := &hand{}
		a := &honest{}
		alice, bob := s.join(0, a), s.join(1, b)
		wait := say(alice, slowAt)
		for range 8 {
			time.Sleep(5 * time.Second)
			s.mustGoOn(say(bob, 100), "alice has everything")
		}
		s.mustBeCut(b, Stalled)
		s.mustGoOn(wait, "bob was cut")
		if a.got() != 800 || len(a.cuts) > 0 {
			s.Errorf("alice got %d bytes of bob's 800, cut for %q", a.got(), a.cuts)
		}
	})
}

// TestJustBehind: alice waits for bob, who stands still; what bob says reaches
// alice only at the end of his 30 s. She is a second behind, not stalled.
func TestJustBehind(t *testing.T) {
	tale(t, func(s story) {
		a, b := &hand{}, &hand{}
		alice, bob := s.join(0, a), s.join(1, b)
		s.mustWait(say(alice, slowAt), "bob is far behind")
		time.Sleep(patience - time.Second)
		say(bob, 100)
		time.Sleep(2 * time.Second)
		s.mustBeCut(b, Stalled)
		s.mustBeCut(a)
	})
}

// TestTooSlow: bob is cut when he is both more than 64 MiB and more than 30 s
// behind; carol reads, so that alice is not slowed.
func TestTooSlow(t *testing.T) {
	tale(t, func(s story) {
		alice := s.join(0, &honest{})
		b := &hand{}
		bob := s.join(0, b)
		s.join(1, &honest{})
		// A burst.
		s.mustGoOn(say(alice, maxLag+1), "carol follows")
		time.Sleep(patience - 2*time.Second)
		s.mustBeCut(b)
		read(bob, 1<<20)
		read(bob, 1)
		time.Sleep(time.Hour)
		s.mustBeCut(b) // long, but not far behind
		s.mustGoOn(say(alice, 1<<20), "carol follows")
		s.mustBeCut(b)
		time.Sleep(2 * time.Second)
		s.mustBeCut(b, TooSlow)
		if used := s.bus.Budget().Used(); used > 1<<20 {
			s.Errorf("bob was cut, and %d bytes are still held", used)
		}
	})
}

// TestStalledOnlyIfSomebodyWaits: bob reads nothing for a day, and costs nobody
// anything.
func TestStalledOnlyIfSomebodyWaits(t *testing.T) {
	tale(t, func(s story) {
		b := &hand{}
		alice := s.join(0, &honest{})
		s.join(1, b)
		s.mustGoOn(say(alice, slowAt-1), "bob is less than 8 MiB behind")
		time.Sleep(24 * time.Hour)
		s.mustBeCut(b)
	})
}

// TestSlowReplay: the history itself is what bob does not read.
func TestSlowReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 3, HistoryBytes: 64 << 20, MemoryLimit: 4 << 30})
		defer b.Close()
		s := story{t, b}
		alice := s.join(0, &honest{})
		say(alice, 10<<20)
		sink := &hand{}
		bob := s.join(1, sink)
		read(bob, 1) // all of it encoded, none of it written
		wait := say(alice, slowAt)
		s.mustWait(wait, "bob is 8 MiB behind what follows")
		time.Sleep(patience - time.Second)
		read(bob, 8<<20)
		time.Sleep(patience - time.Second)
		s.mustBeCut(sink)
		s.mustWait(wait, "bob has not read what followed")
		time.Sleep(2 * time.Second)
		s.mustBeCut(sink, Stalled)
		s.mustGoOn(wait, "bob was cut")
	})
}
