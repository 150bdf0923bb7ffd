package bus

import (
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Config says how a bus is bounded.
type Config struct {
	// Codec writes events down in the dialects.
	Codec Codec
	// HistoryLimit is how many events a channel remembers; 0: none.
	HistoryLimit int
	// HistoryBytes bounds the same in bytes; 0: 32 MiB. The newest event is
	// kept, however large.
	HistoryBytes int64
	// IdleLimit is how long a channel that nobody uses is remembered; 0: 30 days.
	IdleLimit time.Duration
	// MemoryLimit is the budget in bytes; see [Budget]. 0: 256 MiB.
	MemoryLimit int64
}

// A Bus carries events between the members of channels.
type Bus struct {
	conf    Config
	codec   Codec
	started time.Time
	epoch   int64 // when that was by the clock as it was then, Unix ns
	budget  *Budget
	gate    gate
	members atomic.Int64
	limit   atomic.Int64 // events that a channel remembers
	rounds  atomic.Uint64

	seed   maphash.Seed
	shards [64]shard

	watchMu   sync.Mutex
	watchList map[*channel]struct{}

	closeOnce sync.Once
	closing   chan struct{}
	ended     chan struct{}
}

type shard struct {
	mu       sync.Mutex
	channels map[string]*channel
	gone     map[string]bool // channels forgotten of which something is saved; see Save
}

// New starts a bus. Close ends it.
func New(conf Config) *Bus {
	if conf.HistoryBytes == 0 {
		conf.HistoryBytes = 32 << 20
	}
	if conf.IdleLimit == 0 {
		conf.IdleLimit = 30 * 24 * time.Hour
	}
	if conf.MemoryLimit == 0 {
		conf.MemoryLimit = 256 << 20
	}
	b := &Bus{
		conf:      conf,
		codec:     conf.Codec,
		started:   time.Now(),
		budget:    newBudget(conf.MemoryLimit),
		seed:      maphash.MakeSeed(),
		watchList: make(map[*channel]struct{}),
		closing:   make(chan struct{}),
		ended:     make(chan struct{}),
	}
	b.epoch = b.started.UnixNano()
	b.limit.Store(int64(conf.HistoryLimit))
	for i := range b.shards {
		b.shards[i].channels = make(map[string]*channel)
	}
	go b.janitor()
	return b
}

// Close ends the bus's own goroutine. Members may still leave afterwards.
func (b *Bus) Close() {
	b.closeOnce.Do(func() { close(b.closing) })
	<-b.ended
}

// HistoryLimit returns how many events each channel remembers.
func (b *Bus) HistoryLimit() int { return int(b.limit.Load()) }

// SetHistoryLimit changes how many events each channel remembers; 0: none. The
// oldest are forgotten where there are more. Replays that have begun go on.
func (b *Bus) SetHistoryLimit(events int) {
	if b.limit.Swap(int64(events)) == int64(events) {
		return
	}
	b.each(func(ch *channel) {
		ch.mu.Lock()
		ch.history.setLimit(events)
		if events <= 0 {
			ch.purge()
		}
		empty := ch.members == 0 && ch.history.all.n == 0
		ch.mu.Unlock()
		if empty {
			b.remove(ch, 0)
		}
	})
}

// Budget returns the memory budget, for what the bus's user holds itself.
func (b *Bus) Budget() *Budget { return b.budget }

func (b *Bus) now() time.Time { return time.Now() }

// stamp is a time as channels note it: Unix nanoseconds by the clock of when the bus
// started. Setting the clock, as on a machine that starts without knowing the time, makes
// no channel older.
func (b *Bus) stamp(t time.Time) int64 { return b.epoch + int64(t.Sub(b.started)) }

// drift is how far the clock has been set on since the bus started.
func (b *Bus) drift(now time.Time) time.Duration {
	return time.Duration(now.UnixNano() - b.stamp(now)).Round(time.Second)
}

// unstamp is the time of a stamp by the clock as it is now.
func (b *Bus) unstamp(stamp int64) time.Time {
	return time.Unix(0, stamp).Add(b.drift(b.now()))
}

// A Join is a wish to become a member.
type Join struct {
	Channel string
	Dialect Dialect
	// ID is what no two members of the dialect may share on the channel; ""
	// competes with nobody.
	ID string
	// Sink is the connection behind the member. It may be woken before Join
	// returns.
	Sink Sink
	// First is the event of the arrival itself. The others get it; the
	// member does not.
	First Event
	// Resync is what the member remembers of the channel besides: those
	// present get it after First, and the history if it has nothing but empty
	// joins. What stands in the history already, by who said it and what, they
	// have been given, and it does not come again.
	Resync []Event
	// Replace is the member whose identity is taken over, if it still holds it.
	Replace *Member
	// Quiet joins without an arrival: First and Resync are ignored, nothing is
	// delivered or stored. Otherwise a quiet member is like any other: it gets
	// the history and all that follows, counts for backpressure, and keeps the
	// channel from being forgotten until it leaves.
	Quiet bool
	// Relay, if set, makes the member one that only passes on what it hears to
	// another channel. Only while Relay says that somebody hears it there does it
	// count as one who reads, and keep its own channel from being forgotten, which
	// else its sink is told ([Forgotten]). Relay must be quick and may call
	// nothing of the bus but [Member.Heard].
	Relay func() bool
	// History, if set, is called once with the history in place of giving it
	// to the member: oldest first, as it stood at the moment of joining, and
	// before Join returns. The events may not be changed, and their slices not
	// be used after the call. It may be called with no events.
	History func([]Event)
	// Left, if set, is called once, when the member is none any more: because
	// it has left or was replaced. No lock is held.
	Left func()
}

// A TakenError refuses a join because another member has the identity.
type TakenError struct{ Holder *Member }

func (e *TakenError) Error() string {
	return fmt.Sprintf("identity is taken on the channel since %s", e.Holder.since.Format(time.RFC3339))
}

// Join makes a member of the channel. It is given the history first, as it
// stands at this moment, and then all that follows. A member that is replaced
// is told so through its sink. The error is a *[TakenError].
func (b *Bus) Join(j Join) (*Member, error) {
	for {
		ch := b.channel(j.Channel)
		ch.mu.Lock()
		if ch.dead {
			ch.mu.Unlock()
			continue
		}
		var woken *Member
		replaced := j.Replace != nil && j.Replace == ch.holders[identity{j.Dialect, j.ID}]
		m, past, err := ch.join(&j, &woken)
		ch.mu.Unlock()
		wake(woken)
		if err == nil && j.History != nil {
			b.show(past, j.History)
		}
		if replaced {
			j.Replace.sink.Cut(j.Replace, Replaced)
			if j.Replace.gone != nil {
				j.Replace.gone()
			}
		}
		return m, err
	}
}

// show calls f with events that are held for the caller, and lets go of them.
func (b *Bus) show(held []*stored, f func([]Event)) {
	events := make([]Event, len(held))
	for i, s := range held {
		events[i] = s.Event
	}
	f(events)
	for _, s := range held {
		s.release(b.budget)
	}
}

func (b *Bus) shard(name string) *shard {
	return &b.shards[maphash.String(b.seed, name)%uint64(len(b.shards))]
}

// channel returns the channel of that name, made if need be.
func (b *Bus) channel(name string) *channel {
	s := b.shard(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channels[name]
	if ch == nil {
		ch = newChannel(b, name)
		s.channels[name] = ch
	}
	return ch
}

// remove forgets a channel that is deserted, and has no history either unless
// it was last used before that time (Unix ns).
func (b *Bus) remove(ch *channel, before int64) {
	for _, m := range b.take(ch, before) {
		m.sink.Cut(m, Forgotten)
		if m.gone != nil {
			m.gone()
		}
	}
}

// take does that and returns the relays that were left.
func (b *Bus) take(ch *channel, before int64) []*Member {
	s := b.shard(ch.name)
	s.mu.Lock()
	defer s.mu.Unlock()
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.dead || !ch.deserted() || ch.history.all.n > 0 && ch.lastUsed.Load() >= before {
		return nil
	}
	ch.dead = true
	ch.history.clear()
	delete(s.channels, ch.name)
	if ch.saved.put {
		s.forgets(ch.name, ch.saved.purged > 0)
	}
	b.budget.Add(-ch.cost())
	left := slices.Collect(ch.subscribed())
	for _, m := range left {
		m.depart()
	}
	return left
}

// each calls f for every channel there is, one at a time, with no lock held.
func (b *Bus) each(f func(*channel)) {
	var some []*channel
	for i := range b.shards {
		some = b.shards[i].all(some[:0])
		for _, ch := range some {
			f(ch)
		}
	}
}

func (b *Bus) watch(ch *channel) {
	b.watchMu.Lock()
	defer b.watchMu.Unlock()
	b.watchList[ch] = struct{}{}
}

func (b *Bus) unwatch(ch *channel) {
	b.watchMu.Lock()
	defer b.watchMu.Unlock()
	delete(b.watchList, ch)
}

// Stats is what a bus holds at one moment.
type Stats struct {
	Channels int   // with members or history
	Members  int   // of all channels together, less the quiet ones
	Memory   int64 // bytes counted in the budget
}

// Stats counts.
func (b *Bus) Stats() Stats {
	st := Stats{Members: int(b.members.Load()), Memory: b.budget.Used()}
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock()
		st.Channels += len(s.channels)
		s.mu.Unlock()
	}
	return st
}
