package bus

import (
	"testing"
	"time"
)

// pile is a store that keeps the last change of each channel.
type pile map[string]Change

func (pile) Whole(string) bool { return true }
func (p pile) Put(c *Change) error {
	kept := *c
	kept.Events = nil
	for _, e := range c.Events {
		copied := *e.Event
		kept.Events = append(kept.Events, Numbered{e.Number, &copied})
	}
	p[c.Channel] = kept
	return nil
}
func (pile) Sync() error { return nil }

func saves(t *testing.T, b *Bus) pile {
	t.Helper()
	p := make(pile)
	if err := b.Save(p, true); err != nil {
		t.Fatal(err)
	}
	return p
}

// A machine without a battery starts in 1970 and learns the time later. Nothing is forgotten
// because of that: neither what was remembered before nor what is said meanwhile, by this
// gateway or the next.
func TestClockIsSetLate(t *testing.T) {
	t.Parallel()
	const days = 24 * time.Hour
	start := func(clock time.Time, from pile) *Bus {
		b := New(Config{Codec: testCodec{}, HistoryLimit: 10})
		t.Cleanup(b.Close)
		b.epoch = clock.UnixNano()
		for _, c := range from {
			if err := b.Restore(&c); err != nil {
				t.Fatal(err)
			}
		}
		return b
	}
	remembers := func(b *Bus, want int) {
		t.Helper()
		b.expire()
		if n := b.Stats().Channels; n != want {
			t.Errorf("%d channels are remembered, want %d", n, want)
		}
	}
	event := []Numbered{{1, &Event{UID: "alice", Message: []byte("hi")}}}
	now := time.Now()
	was := pile{
		"new": {Channel: "new", LastUsed: now.Add(-29 * days), Last: 1, Events: event},
		"old": {Channel: "old", LastUsed: now.Add(-31 * days), Last: 1, Events: event},
	}
	remembers(start(now, was), 1)
	delete(was, "old")

	b := start(time.Unix(100, 0), was) // the clock is set by the time of the next line
	remembers(b, 1)
	m, err := b.Join(Join{Channel: "talk", Sink: &writer{put: func([]byte, bool) {}}})
	if err != nil {
		t.Fatal(err)
	}
	m.Publish([]Event{{UID: "bob", Message: []byte("hi")}})
	m.Leave()
	remembers(b, 2)
	late := saves(t, b)
	if age := time.Since(late["talk"].LastUsed); age > time.Minute || age < -time.Minute {
		t.Errorf("what was just used was used %s ago", age)
	}
	remembers(start(now, late), 2)

	// The next one is killed before the clock is set.
	for name, c := range late {
		c.LastUsed = time.Unix(200, 0)
		late[name] = c
	}
	remembers(start(now, late), 2)
}
