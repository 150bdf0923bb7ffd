package bridge

import "testing"

// A server that was restarted with its history replays fewer arrivals than before, some of which had come
// while that was collected. A short history is known all the same.
func TestAlignFewerArrivals(t *testing.T) {
	t.Parallel()
	said := func(s string) trace { return trace{digest: digestOf([]byte(s))} }
	there := func(s string) trace { return trace{digest: digestOf([]byte(s)), arrival: true} }
	var l ledger
	l.connected()
	l.align([]trace{there("carol"), there("bob"), said("one"), said("two"), there("bob"), there("dave")}, true)
	l.connected()
	for i, isNew := range l.align([]trace{said("one"), said("two"), there("bob"), there("dave")}, true) {
		if isNew {
			t.Errorf("frame %d is taken for new", i)
		}
	}
	l.connected()
	if isNew := l.align([]trace{said("two")}, true); !isNew[0] {
		t.Error("the server has forgotten all, and what looks alike is not taken for new")
	}
}
