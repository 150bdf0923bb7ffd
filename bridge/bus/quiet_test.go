package bus

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestQuietMember: a link comes to the garden where alice is. She sees nothing of
// that, and neither does bob's history; the link has a voice and hears her.
func TestQuietMember(t *testing.T) {
	b := New(Config{Codec: testCodec{}, HistoryLimit: 10})
	defer b.Close()
	sink := &hand{}
	alice := mustJoin(t, b, Join{Channel: "garden", Sink: sink, First: Event{Join: true, UID: "alice", Key: 1}})
	defer alice.Leave()

	link := mustJoin(t, b, Join{
		Channel: "garden", Dialect: 1, Sink: &hand{}, Quiet: true,
		First:  Event{Join: true, UID: "link", Key: 2},
		Resync: []Event{{Key: 3, Message: []byte("never")}},
	})
	defer link.Leave()
	if got := keysFor(t, alice); len(got) > 0 {
		t.Errorf("alice gets %d of a quiet arrival", got)
	}
	if got := keysFor(t, link); len(got) != 1 || got[0] != 1 {
		t.Errorf("the link gets %d from the history, want alice's arrival", got)
	}
	alice.Publish([]Event{{Key: 4, Message: []byte("heard")}})
	if got := keysFor(t, link); len(got) != 1 || got[0] != 4 {
		t.Errorf("the link hears %d, want 4", got)
	}
	link.Publish([]Event{{Key: 5, Message: []byte("from afar")}})
	if got := keysFor(t, alice); len(got) != 1 || got[0] != 5 {
		t.Errorf("alice hears %d, want 5", got)
	}
	bob := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, First: Event{Join: true, UID: "bob"}})
	defer bob.Leave()
	if got := keysFor(t, bob); len(got) != 3 || got[0] != 1 || got[1] != 4 || got[2] != 5 {
		t.Errorf("bob finds %d, want 1, 4, 5", got)
	}
}

// TestHistoryShown: the link looks at the history instead of getting it, and then
// hears what follows, with nothing missing at the seam.
func TestHistoryShown(t *testing.T) {
	b := New(Config{Codec: testCodec{}, HistoryLimit: 2})
	defer b.Close()
	alice := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, First: Event{Join: true, UID: "alice"}})
	defer alice.Leave()
	say := func(key uint64) { alice.Publish([]Event{{Key: key, Message: []byte("hi")}}) }
	say(1)
	say(2)
	var past []uint64
	link := mustJoin(t, b, Join{
		Channel: "garden", Sink: &hand{}, Quiet: true,
		History: func(events []Event) {
			for i := range events {
				past = append(past, events[i].Key)
			}
		},
	})
	defer link.Leave()
	say(3)
	if len(past) != 2 || past[0] != 1 || past[1] != 2 {
		t.Errorf("shown %d, want 1, 2", past)
	}
	if got := keysFor(t, link); len(got) != 1 || got[0] != 3 {
		t.Errorf("then the link hears %d, want 3", got)
	}
}

// TestQuietMemberKeepsTheChannel: the channel of a held link is remembered for as
// long as the link is there, however long nobody uses it.
func TestQuietMemberKeepsTheChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 10, IdleLimit: time.Hour})
		defer b.Close()
		link := mustJoin(t, b, Join{Channel: "garden", Sink: &hand{}, Quiet: true})
		time.Sleep(5 * time.Hour)
		if n := b.Stats().Channels; n != 1 {
			t.Errorf("%d channels while the link is there", n)
		}
		link.Leave()
		if n := b.Stats().Channels; n != 0 {
			t.Errorf("%d channels when it has gone", n)
		}
	})
}

// TestLeft: whoever asked for it is told once that bob is gone, whether he leaves
// or another connection takes his place.
func TestLeft(t *testing.T) {
	b := New(Config{Codec: testCodec{}})
	defer b.Close()
	var told int
	join := func(replace *Member) *Member {
		return mustJoin(t, b, Join{Channel: "c", ID: "bob", Sink: &hand{}, Replace: replace, Left: func() { told++ }})
	}
	first := join(nil)
	second := join(first)
	if first.Leave(); told != 1 {
		t.Errorf("told %d times of the one that was replaced", told)
	}
	second.Leave()
	if second.Leave(); told != 2 {
		t.Errorf("told %d times of both", told)
	}
}

// keysFor returns the numbers of the events that m has to read.
func keysFor(t *testing.T, m *Member) (found []uint64) {
	t.Helper()
	for {
		data, _, ok := m.Next()
		if !ok {
			return found
		}
		for len(data) > 0 {
			var f testFrame
			if f, data, ok = parseFrame(data); !ok {
				t.Fatalf("no whole frame: %q", data)
			}
			found = append(found, f.key)
		}
	}
}
