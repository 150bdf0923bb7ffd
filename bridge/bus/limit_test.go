package bus

import (
	"fmt"
	"testing"
)

// TestSetHistoryLimit: what bob is being sent of the history goes on when it
// becomes shorter, in every channel, and what is forgotten is given back.
func TestSetHistoryLimit(t *testing.T) {
	b := New(Config{Codec: testCodec{}, HistoryLimit: 100})
	defer b.Close()
	before := b.Budget().Used()
	const channels, events = 70, 20 // more channels than shards
	for c := range channels {
		alice := mustJoin(t, b, Join{Channel: fmt.Sprint(c), Sink: &hand{}, First: Event{Join: true, UID: "alice", Message: []byte("0")}})
		for i := 1; i < events; i++ {
			alice.Publish([]Event{{Key: uint64(i), Message: []byte("hi")}})
		}
		alice.Leave()
	}
	bob := mustJoin(t, b, Join{Channel: "0", Sink: &hand{}, Quiet: true})
	for _, step := range []struct{ limit, remembered int }{{5, 5}, {1, 1}, {50, 1}} {
		b.SetHistoryLimit(step.limit)
		for c := range channels {
			n := -1
			carol := mustJoin(t, b, Join{Channel: fmt.Sprint(c), Sink: &hand{}, Quiet: true, History: func(past []Event) {
				if n = len(past); past[n-1].Key != events-1 {
					t.Errorf("the newest event is %d", past[n-1].Key)
				}
			}})
			carol.Leave()
			if n != step.remembered {
				t.Fatalf("limit %d: %d events are remembered, want %d", step.limit, n, step.remembered)
			}
		}
	}
	if got := keysFor(t, bob); len(got) != events {
		t.Errorf("bob gets %d events, want the %d that there were when he joined", len(got), events)
	}
	bob.Leave()
	b.SetHistoryLimit(0)
	if st := b.Stats(); st.Channels != 0 || st.Memory != before {
		t.Errorf("without history there are left: %+v", st)
	}
}
