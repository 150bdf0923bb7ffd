package bus

import (
	"iter"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// identity is what no two members of a channel may share.
type identity struct {
	dialect Dialect
	id      string
}

// A channel is the one place where order is given out: whatever changes it
// happens under its lock, and no other channel is concerned.
type channel struct {
	name string
	bus  *Bus

	lastUsed atomic.Int64 // as Bus.stamp has it

	mu      sync.Mutex
	dead    bool         // no longer in the bus
	watched bool         // the janitor looks at it each second
	members int          // but for relays
	hearers atomic.Int32 // the same, for relays on other channels
	ordinal uint32       // of the last event
	holders map[identity]*Member
	logs    [MaxDialects]*log
	history history
	slowed  []*Member // publishers that wait
	saved   saved
}

// channelCost is about what a channel with one stored join takes besides its
// name and its events: the struct, its entry in the bus, its map of joins.
// BenchmarkChannels measures it.
var channelCost = int64(unsafe.Sizeof(channel{})) + 346

func newChannel(b *Bus, name string) *channel {
	ch := &channel{name: name, bus: b}
	ch.history = newHistory(int(b.limit.Load()), b.conf.HistoryBytes, b.budget)
	ch.used(b.now()) // or the janitor takes it for very old before its first join
	b.budget.Add(ch.cost())
	return ch
}

func (ch *channel) cost() int64 { return channelCost + int64(len(ch.name)) }

func (ch *channel) used(now time.Time) { ch.lastUsed.Store(ch.bus.stamp(now)) }

// join makes a member, with the history as it stands before its own arrival:
// to be replayed to it or, where it wants that otherwise, returned.
func (ch *channel) join(j *Join, woken **Member) (m *Member, past []*stored, err error) {
	key := identity{j.Dialect, j.ID}
	if holder := ch.holders[key]; j.ID != "" && holder != nil {
		if holder != j.Replace {
			return nil, nil, &TakenError{Holder: holder}
		}
		holder.depart()
	}
	now := ch.bus.now()
	m = &Member{ch: ch, dialect: j.Dialect, id: j.ID, sink: j.Sink, since: now, moved: now, quiet: j.Quiet, gone: j.Left, relay: j.Relay, start: ch.ordinal}
	past = ch.history.snapshot()
	if past != nil && j.History == nil {
		m.replay = newReplay(ch.bus, j.Dialect, ch.name, past)
		m.chain(woken)
	}
	ch.attach(m)
	if j.ID != "" {
		if ch.holders == nil {
			ch.holders = make(map[identity]*Member)
		}
		ch.holders[key] = m
	}
	if !j.Quiet {
		ch.arrive(m, j, now, woken)
	}
	if j.Relay == nil {
		ch.count(1)
	}
	if !j.Quiet {
		ch.bus.members.Add(1)
	}
	ch.used(now)
	ch.look()
	return m, past, nil
}

// deserted says whether nobody is there but relays that nobody hears.
func (ch *channel) deserted() bool {
	if ch.members > 0 {
		return false
	}
	for _, l := range ch.logs {
		if l != nil && !l.unheard() {
			return false
		}
	}
	return true
}

// count notes that members have come or gone.
func (ch *channel) count(n int) {
	ch.members += n
	ch.hearers.Store(int32(ch.members))
}

// subscribed goes through the members that have a subscription, none of which may
// lose it meanwhile. The caller holds mu.
func (ch *channel) subscribed() iter.Seq[*Member] {
	return func(yield func(*Member) bool) {
		for _, l := range ch.logs {
			if l == nil {
				continue
			}
			for _, m := range l.members {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// attach puts m's cursor at the head of its dialect's log.
func (ch *channel) attach(m *Member) {
	l := ch.logs[m.dialect]
	if l == nil {
		l = &log{dialect: m.dialect, budget: ch.bus.budget}
		ch.logs[m.dialect] = l
	}
	m.log = l
	m.tally.excluded = l.events
	m.memberAt = len(l.members)
	l.members = append(l.members, m)
	m.idleAt = len(l.idle)
	l.idle = append(l.idle, m)
}

// arrive tells the others of m and stores its arrival, and what it remembers
// for a channel that has nothing but arrivals.
func (ch *channel) arrive(m *Member, j *Join, now time.Time, woken **Member) {
	if len(j.First.Message) > 0 {
		m.tally.published([]Event{j.First}, now)
	}
	restore := len(j.Resync) > 0 && ch.history.onlyEmptyJoins()
	resync := j.Resync
	if !restore && len(resync) > 0 {
		resync = ch.history.unknown(resync, ch.bus.seed)
	}
	ch.deliver(&j.First, m, now, woken)
	for i := range resync {
		ch.deliver(&resync[i], m, now, woken)
	}
	if restore {
		ch.history.restore(append([]Event{j.First}, j.Resync...))
		return
	}
	ch.history.add(&j.First)
}

// deliver appends e, which comes now, to each log that has another member than its
// sender.
func (ch *channel) deliver(e *Event, by *Member, now time.Time, woken **Member) {
	ch.ordinal++
	e.Ordinal = ch.ordinal
	for d, l := range ch.logs {
		if l == nil || len(l.members) == 1 && l.members[0] == by {
			continue
		}
		if n := ch.bus.codec.Size(Dialect(d), ch.name, e, false); n > 0 {
			l.append(ch.bus.codec, ch.name, e, n, by, now, woken)
			if l.head-l.first.start > maxLag {
				ch.watch()
			}
		}
	}
}

// nearest returns how far behind the most advanced member but m is.
func (ch *channel) nearest(m *Member) (lag int64, ok bool) {
	for _, l := range ch.logs {
		if l == nil || l.unheard() {
			continue
		}
		if n, any := l.nearest(m); any && (!ok || n < lag) {
			lag, ok = n, true
		}
	}
	return lag, ok
}

func (ch *channel) mustSlow(m *Member) bool {
	lag, ok := ch.nearest(m)
	return ok && lag >= slowAt
}

// lagging says whether somebody is more than one write behind, so that what is
// published now will stay in memory.
func (ch *channel) lagging() bool {
	for _, l := range ch.logs {
		if l != nil && l.first != nil && l.head-l.first.start > maxWrite {
			return true
		}
	}
	return false
}

// slow makes m wait.
func (ch *channel) slow(m *Member) {
	m.slowed = make(chan struct{})
	m.slowedAt = ch.bus.now()
	ch.slowed = append(ch.slowed, m)
	ch.watch()
}

// look lets those publishers go on whose readers have come near enough.
func (ch *channel) look() {
	for i := len(ch.slowed) - 1; i >= 0; i-- {
		m := ch.slowed[i]
		if lag, ok := ch.nearest(m); !ok || lag <= resumeAt {
			ch.resume(m)
		}
	}
}

// resume lets m go on if it waits.
func (ch *channel) resume(m *Member) {
	if m.slowed == nil {
		return
	}
	close(m.slowed)
	m.slowed = nil
	for i, s := range ch.slowed {
		if s == m {
			last := len(ch.slowed) - 1
			ch.slowed[i], ch.slowed[last] = ch.slowed[last], nil
			ch.slowed = ch.slowed[:last]
			return
		}
	}
}

// watch has the janitor look at the channel until it has calmed down.
func (ch *channel) watch() {
	if !ch.watched {
		ch.watched = true
		ch.bus.watch(ch)
	}
}

// unwatch is called under the lock that decided it: somebody who begins to
// wait right after is watched again.
func (ch *channel) unwatch() {
	if ch.watched {
		ch.watched = false
		ch.bus.unwatch(ch)
	}
}
