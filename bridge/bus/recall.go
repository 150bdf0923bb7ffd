package bus

// Recall calls f with what a channel remembers at this moment, oldest first, and with no lock held. The events may
// not be changed, and their slices not be used after the call. ok is false if there is no such channel; then f is
// not called.
func (b *Bus) Recall(name string, f func([]Event)) (ok bool) {
	ch := b.existing(name)
	if ch == nil {
		return false
	}
	ch.mu.Lock()
	past := ch.history.snapshot()
	ch.mu.Unlock()
	b.show(past, f)
	return true
}

// existing returns the channel of that name; nil: there is none.
func (b *Bus) existing(name string) *channel {
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[name]
}
