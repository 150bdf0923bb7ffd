package bus

import (
	"cmp"
	"math/bits"
	"slices"
	"time"
)

// The bounds of what members may lag; see the package comment.
const (
	slowAt   = 8 << 20  // a publisher waits when its nearest reader is so far behind
	resumeAt = 4 << 20  // … until that reader has come so near
	maxLag   = 64 << 20 // a member is cut beyond this …
	patience = 30 * time.Second
)

const (
	// grace is how long reading stops before the furthest behind is cut for memory.
	grace = 250 * time.Millisecond
	// pause is the least time between two looks for memory to free, where the
	// first did not find enough.
	pause = 20 * time.Millisecond
)

// janitor keeps the bounds that need time or an overview, until the bus closes.
func (b *Bus) janitor() {
	defer close(b.ended)
	defer b.gate.end()
	second := time.NewTicker(time.Second)
	defer second.Stop()
	hour := time.NewTicker(time.Hour)
	defer hour.Stop()
	for {
		select {
		case <-second.C:
			b.inspect()
			b.rounds.Add(1)
		case <-b.budget.over:
			b.rest(b.relieve())
		case <-hour.C:
			b.expire()
		case <-b.closing:
			return
		}
	}
}

// Rounds counts the janitor's, of which there is one a second: a bus where it stays the
// same is stuck.
func (b *Bus) Rounds() uint64 { return b.rounds.Load() }

// inspect looks at every channel where somebody lags or waits.
func (b *Bus) inspect() {
	b.watchMu.Lock()
	watched := make([]*channel, 0, len(b.watchList))
	for ch := range b.watchList {
		watched = append(watched, ch)
	}
	b.watchMu.Unlock()
	for _, ch := range watched {
		tell(ch.inspect(b.now()))
	}
}

// a verdict is a member that lost its subscription.
type verdict struct {
	m   *Member
	why Reason
}

func tell(cut []verdict) {
	for _, v := range cut {
		v.m.sink.Cut(v.m, v.why)
	}
}

// stuck says whether a publisher has waited too long, and none of the others
// has moved. What it reads itself while it waits helps it nothing.
func (ch *channel) stuck(now time.Time) bool {
	if len(ch.slowed) == 0 {
		return false
	}
	var last *Member // who moved last
	var at, next time.Time
	for m := range ch.subscribed() {
		if last == nil || m.moved.After(at) {
			last, at, next = m, m.moved, at
		} else if m.moved.After(next) {
			next = m.moved
		}
	}
	for _, m := range ch.slowed {
		other := at
		if m == last {
			other = next
		}
		if now.Sub(m.slowedAt) >= patience && now.Sub(other) >= patience {
			return true
		}
	}
	return false
}

// inspect cuts those who are too far behind, and those who stand still while a
// publisher waits and nobody moves. Where nobody lags or waits any more, the
// channel is no longer watched.
func (ch *channel) inspect(now time.Time) (cut []verdict) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	stuck := ch.stuck(now)
	for m := range ch.subscribed() {
		switch {
		case m.lag() > maxLag && now.Sub(m.oldest()) >= patience:
			cut = append(cut, verdict{m, TooSlow})
		case stuck && m.lag() > 0 && now.Sub(m.moved) >= patience:
			cut = append(cut, verdict{m, Stalled})
		}
	}
	for _, v := range cut {
		v.m.detach()
	}
	ch.look()
	calm := len(ch.slowed) == 0
	for _, l := range ch.logs {
		calm = calm && (l == nil || l.first == nil || l.head-l.first.start <= maxLag)
	}
	if calm {
		ch.unwatch()
	}
	return cut
}

// hold returns what a publisher must wait for before it goes on, or nil: the
// gate, which it shuts itself where the budget is exceeded. Where nobody lags,
// what is published goes out at once, and may go on a little longer.
func (b *Bus) hold(lagging bool) <-chan struct{} {
	over := b.budget.Used() - b.budget.limit
	if over > 0 {
		b.gate.shut()
		b.budget.alarm() // after shutting, so that it is opened again
	}
	if !lagging && over <= b.budget.limit/8 {
		return nil
	}
	return b.gate.wait()
}

// relieve brings the memory budget down again: the coldest histories go first;
// where that is not enough nobody is read for a moment, and then the members
// furthest behind are cut.
//
// It returns how long to leave the budget alone.
func (b *Bus) relieve() time.Duration {
	defer b.gate.open()
	start := b.now()
	if b.budget.Used() <= b.budget.high() || b.dropCold(b.budget.low()) {
		return 0 // who adds more says so
	}
	if b.budget.Used() <= b.budget.limit {
		// It is not histories that fill it, and nobody is to blame yet: do not
		// search all channels again and again.
		return max(pause, 4*b.now().Sub(start))
	}
	b.gate.shut()
	b.rest(grace)
	for _, v := range b.laggards() {
		if b.budget.Used() <= b.budget.high() {
			break
		}
		if v.m.cut() {
			v.m.sink.Cut(v.m, OverMemory)
		}
	}
	return pause
}

// rest waits, unless the bus closes.
func (b *Bus) rest(d time.Duration) {
	if d == 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-b.closing:
	}
}

// a laggard is a member and how far it was behind.
type laggard struct {
	m   *Member
	lag int64
}

// laggards returns the members that lag, those furthest behind first.
func (b *Bus) laggards() (found []laggard) {
	b.each(func(ch *channel) {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		for m := range ch.subscribed() {
			if n := m.lag(); n > 0 {
				found = append(found, laggard{m, n})
			}
		}
	})
	slices.SortFunc(found, func(a, b laggard) int { return cmp.Compare(b.lag, a.lag) })
	return found
}

// dropCold forgets the histories that have been unused for longest, until the
// budget is down to goal. It sorts them into ages first, each a quarter longer
// than the one before, rather than in exact order. enough says that there was so
// much to forget.
func (b *Bus) dropCold(goal int64) (enough bool) {
	var sizes [maxAge + 1]int64
	now := b.now()
	b.each(func(ch *channel) {
		ch.mu.Lock()
		sizes[ch.age(now)] += ch.forgettable()
		ch.mu.Unlock()
	})
	oldest, left := maxAge, b.budget.Used()-goal
	for ; oldest > 0 && sizes[oldest] < left; oldest-- {
		left -= sizes[oldest]
	}
	enough = sizes[oldest] >= left
	b.each(func(ch *channel) {
		ch.mu.Lock()
		age := ch.age(now)
		forget := age > oldest || age == oldest && left > 0
		if forget {
			if age == oldest {
				left -= ch.forgettable()
			}
			ch.history.clear()
		}
		empty := forget && ch.deserted()
		ch.mu.Unlock()
		if empty {
			b.remove(ch, 0)
		}
	})
	return enough
}

// forgettable is what would be freed if the channel forgot its history.
func (ch *channel) forgettable() int64 {
	if ch.deserted() {
		return ch.history.bytes + ch.cost()
	}
	return ch.history.bytes
}

const maxAge = 255

// age tells how long the channel has been unused, in steps of about a quarter.
func (ch *channel) age(now time.Time) int {
	ms := uint64(max(0, ch.bus.stamp(now)-ch.lastUsed.Load()) / int64(time.Millisecond))
	if ms < 4 {
		return int(ms)
	}
	n := bits.Len64(ms) - 3 // ms has n bits below its top three
	return min(4*n+int(ms>>n&3)+4, maxAge)
}

// expire drops the channels that nobody has used for as long as configured.
func (b *Bus) expire() {
	before := b.stamp(b.now()) - int64(b.conf.IdleLimit)
	b.each(func(ch *channel) {
		if ch.lastUsed.Load() < before {
			b.remove(ch, before)
		}
	})
}
