package bus

import (
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRelayIsForgotten: a relay keeps the garden only while somebody hears it. When that
// is over, and the garden has been unused for long enough, it is forgotten, and the relay
// told so.
func TestRelayIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 10, IdleLimit: time.Hour})
		defer b.Close()
		empty := b.Stats().Memory
		sink, left := &hand{}, 0
		var heard atomic.Bool
		heard.Store(true)
		relay := mustJoin(t, b, Join{
			Channel: "garden", Sink: sink, Quiet: true, Relay: heard.Load, Left: func() { left++ },
		})
		if relay.Heard() {
			t.Error("somebody hears the relay in an empty garden")
		}
		alice := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, First: Event{Join: true, UID: "alice"}})
		if !relay.Heard() {
			t.Error("alice does not hear the relay")
		}
		alice.Leave()
		if relay.Heard() || b.Stats().Channels != 1 || len(sink.reasons()) != 0 {
			t.Errorf("when alice has gone: heard %v, %+v, cut %v", relay.Heard(), b.Stats(), sink.reasons())
		}
		time.Sleep(3 * time.Hour)
		if b.Stats().Channels != 1 || len(sink.reasons()) != 0 {
			t.Errorf("while somebody hears it: %+v, cut %v", b.Stats(), sink.reasons())
		}
		heard.Store(false)
		time.Sleep(3 * time.Hour)
		if st := b.Stats(); st.Channels != 0 || st.Memory != empty || !slices.Equal(sink.reasons(), []Reason{Forgotten}) || left != 1 {
			t.Errorf("later: %+v, cut %v, left %d times", st, sink.reasons(), left)
		}
		relay.Publish([]Event{{Message: []byte("to nobody")}})
		relay.Leave()
		if left != 1 {
			t.Errorf("left %d times", left)
		}
	})
}

// TestRelayEndsWithAGardenThatRemembersNothing: without a history the garden goes with alice.
func TestRelayEndsWithAGardenThatRemembersNothing(t *testing.T) {
	b := New(Config{Codec: testCodec{}})
	defer b.Close()
	sink := &hand{}
	mustJoin(t, b, Join{Channel: "garden", Sink: sink, Quiet: true, Relay: func() bool { return false }})
	mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, First: Event{Join: true, UID: "alice"}}).Leave()
	if st := b.Stats(); st.Channels != 0 || !slices.Equal(sink.reasons(), []Reason{Forgotten}) {
		t.Errorf("%+v, cut %v", st, sink.reasons())
	}
}

// TestRelaySlowsOnlyWhenHeard: bob does not read, the relay has read all. Alice has
// to wait for bob unless somebody hears the relay.
func TestRelaySlowsOnlyWhenHeard(t *testing.T) {
	for _, heard := range []bool{false, true} {
		b := New(Config{Codec: testCodec{}})
		defer b.Close()
		relay := mustJoin(t, b, Join{Channel: "garden", Dialect: 1, Sink: &hand{}, Quiet: true, Relay: func() bool { return heard }})
		bob := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}})
		defer bob.Leave()
		alice := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}})
		defer alice.Leave()
		var wait <-chan struct{}
		for range 10 {
			wait = alice.Publish([]Event{{Message: make([]byte, 1<<20)}})
			read(relay, 2<<20)
		}
		if (wait == nil) != heard {
			t.Errorf("heard %v: alice waits %v", heard, wait != nil)
		}
	}
}

// TestOrdinals: each event has a number larger than those before, whoever it is from
// and whether it is remembered or not, and a member knows where it came in.
func TestOrdinals(t *testing.T) {
	b := New(Config{Codec: testCodec{}, HistoryLimit: 2})
	defer b.Close()
	alice := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, First: Event{Join: true, UID: "alice"}})
	defer alice.Leave()
	said := []Event{{Message: []byte("one")}, {Message: []byte("two")}}
	alice.Publish(said)
	bob := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, First: Event{Join: true, UID: "bob"}})
	defer bob.Leave()
	bob.Publish([]Event{{Message: []byte("three")}})
	if alice.Start() != 0 || bob.Start() != 3 || said[0].Ordinal != 2 || said[1].Ordinal != 3 {
		t.Errorf("alice began at %d, bob at %d, and she said %d and %d", alice.Start(), bob.Start(), said[0].Ordinal, said[1].Ordinal)
	}
	var past []uint32
	mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, Quiet: true, History: func(events []Event) {
		for i := range events {
			past = append(past, events[i].Ordinal)
		}
	}}).Leave()
	if !slices.Equal(past, []uint32{4, 5}) {
		t.Errorf("remembered are %d", past)
	}
}
