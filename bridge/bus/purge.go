package bus

// Purge forgets what a channel remembers. Who is there stays, and replays that have begun go on. It returns how many
// events there were; ok is false if there is no such channel.
func (b *Bus) Purge(name string) (events int, ok bool) {
	ch := b.existing(name)
	if ch == nil {
		return 0, false
	}
	ch.mu.Lock()
	events = ch.history.all.n
	ch.history.clear()
	empty := ch.deserted()
	ch.mu.Unlock()
	if empty {
		b.remove(ch, 0)
	}
	return events, true
}
