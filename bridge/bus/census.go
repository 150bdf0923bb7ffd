package bus

import (
	"iter"
	"time"
)

// A Census is who is on a channel at one moment, and what it remembers.
type Census struct {
	Channel string
	// Members are all but those that joined quietly and those that have lost
	// both subscription and identity. The slice is valid until the next
	// census.
	Members []*Member
	// History counts the stored events and the bytes that they take in memory.
	History Traffic
	// LastUsed is when somebody last joined, published or left.
	LastUsed time.Time
}

// Channels yields every channel that there is, in no order, one at a time. No lock
// is held while it is looked at: who joins or leaves meanwhile may be missed.
func (b *Bus) Channels() iter.Seq[Census] {
	return func(yield func(Census) bool) {
		var some []*channel
		var members []*Member
		for i := range b.shards {
			some = b.shards[i].all(some[:0])
			for _, ch := range some {
				c := ch.census(members[:0])
				members = c.Members
				if !yield(c) {
					return
				}
			}
		}
	}
}

// Census looks at one channel; ok is false if there is none of that name.
func (b *Bus) Census(name string) (c Census, ok bool) {
	s := b.shard(name)
	s.mu.Lock()
	ch := s.channels[name]
	s.mu.Unlock()
	if ch == nil {
		return Census{}, false
	}
	return ch.census(nil), true
}

// census appends to members.
func (ch *channel) census(members []*Member) Census {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for m := range ch.subscribed() {
		if !m.quiet {
			members = append(members, m)
		}
	}
	for _, m := range ch.holders {
		if m.log == nil && !m.quiet { // has lost its subscription
			members = append(members, m)
		}
	}
	return Census{
		Channel:  ch.name,
		Members:  members,
		History:  Traffic{Messages: int64(ch.history.all.n), Bytes: ch.history.bytes},
		LastUsed: ch.bus.unstamp(ch.lastUsed.Load()),
	}
}

// all appends the shard's channels to some.
func (s *shard) all(some []*channel) []*channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ch := range s.channels {
		some = append(some, ch)
	}
	return some
}
