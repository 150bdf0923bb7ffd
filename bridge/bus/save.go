package bus

import (
	"errors"
	"time"
)

// A Store keeps histories outside the process: in a file, or in a system of streams.
// It is what [Bus.Save] gives changes to, and what [Bus.Restore] is fed from. Nothing
// else of a bus comes and goes by another way.
//
// What a store must do is small: note events that are numbered, for each channel in
// the order in which they come, and drop those before a number.
type Store interface {
	// Whole says whether all of the channel's history is wanted, as if nothing had been
	// saved of it.
	Whole(channel string) bool
	// Put takes a change, which is valid until it returns. Changes of one channel come in
	// order; one that was put before an error comes again.
	Put(*Change) error
	// Sync makes what was put outlast the process, and the machine where that can be.
	Sync() error
}

// A Change is what has become of a channel's history since it was last saved.
type Change struct {
	Channel string
	// Gone: the channel has been forgotten, history and all. But for Purged nothing else
	// is set.
	Gone bool
	// Whole: this is all there is. What was saved before is void.
	Whole bool
	// Purged: what is no longer remembered is to vanish from what is saved, too, and not
	// merely to be passed over.
	Purged bool
	// LastUsed is when somebody last joined, published or left.
	LastUsed time.Time
	// First and FirstJoin are the numbers of the oldest event and of the oldest empty
	// join that are still remembered. Whatever has a lower one is not, and an empty join
	// also not if the same one ([Event]'s From and UID) comes later.
	First, FirstJoin uint64
	// Last is the highest number given so far on the channel.
	Last uint64
	// Events are those that were not saved before, oldest first.
	Events []Numbered
}

// Numbered is an event and its number among all that its channel has remembered:
// later ones have larger ones, with gaps.
type Numbered struct {
	Number uint64
	*Event
}

// saved is what of a channel has been saved, guarded by its lock.
type saved struct {
	put    bool   // a store was given something: whatever became of that, it may stand there
	last   uint64 // number of the newest event when it was saved; 0: nothing is
	used   int64  // when it had last been used then, as Bus.stamp has it
	purged uint64 // what has a lower number is to vanish there; 0: nothing is
}

// A mark is how far a channel has been saved once the store has synced.
type mark struct {
	ch   *channel
	last uint64
	used int64
}

// touchedAfter is how much later a channel that has nothing new must have been used
// for that to be worth saving before the end.
const touchedAfter = int64(time.Hour)

// Save gives s the changes since Save last succeeded. With last set, when a channel was
// used counts as a change, too. No lock is held while s works; what happens on a channel
// after it has been looked at is for the next call. One Save at a time, with one store.
//
// After an error nothing counts as saved.
func (b *Bus) Save(s Store, last bool) error {
	gone, err := b.putGone(s)
	var marks []mark
	if err == nil {
		marks, err = b.putChanges(s, last)
	}
	if err == nil {
		err = s.Sync()
	}
	if err != nil {
		for name, vanish := range gone {
			b.shard(name).forgotten(name, vanish)
		}
		return err
	}
	for _, m := range marks {
		m.commit()
	}
	return nil
}

// putGone gives s the channels that have been forgotten, but for those that are there
// again and saved anew. It returns their names, each with whether it is to vanish.
func (b *Bus) putGone(s Store) (gone map[string]bool, err error) {
	gone = make(map[string]bool)
	for i := range b.shards {
		sh := &b.shards[i]
		sh.mu.Lock()
		for name, vanish := range sh.gone {
			if ch := sh.channels[name]; ch == nil || !ch.isSavedAnew(vanish) {
				gone[name] = vanish
			}
		}
		sh.gone = nil
		sh.mu.Unlock()
	}
	for name, vanish := range gone {
		if err = s.Put(&Change{Channel: name, Gone: true, Purged: vanish}); err != nil {
			break
		}
	}
	return gone, err
}

// isSavedAnew says whether a channel that had been forgotten is there again, and has been
// saved since. If what was saved before is to vanish, it still has to.
func (ch *channel) isSavedAnew(vanish bool) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.saved.last == 0 {
		return false
	}
	if vanish {
		ch.saved.purged = max(ch.saved.purged, 1)
	}
	return true
}

func (b *Bus) putChanges(s Store, last bool) (marks []mark, err error) {
	var c Change
	var held []*stored
	b.each(func(ch *channel) {
		if err != nil {
			return
		}
		m, some := ch.change(&c, &held, s.Whole(ch.name), last)
		if !some {
			return
		}
		err = s.Put(&c)
		for _, h := range held {
			h.release(b.budget)
		}
		clear(held)
		clear(c.Events)
		marks = append(marks, m)
	})
	return marks, err
}

// change fills c with what is to be saved, if there is something, and held with its events.
func (ch *channel) change(c *Change, held *[]*stored, whole, last bool) (m mark, some bool) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	h, used := &ch.history, ch.lastUsed.Load()
	whole = whole || ch.saved.last == 0
	later := used - ch.saved.used
	switch {
	case ch.dead, whole && h.all.n == 0 && !ch.saved.put:
		return m, false
	case !whole && ch.saved.purged == 0 && h.last == ch.saved.last && later < touchedAfter && !(last && later > 0):
		return m, false
	}
	*c = Change{
		Channel: ch.name, Whole: whole, Purged: ch.saved.purged > 0, LastUsed: ch.bus.unstamp(used),
		First: h.last + 1, FirstJoin: h.last + 1, Last: h.last, Events: c.Events[:0],
	}
	if h.all.first != nil {
		c.First = h.all.first.number
	}
	if h.empty.first != nil {
		c.FirstJoin = h.empty.first.number
	}
	*held = h.since(*held, whole, ch.saved.last)
	for _, s := range *held {
		c.Events = append(c.Events, Numbered{s.number, &s.Event})
	}
	ch.saved.put = true
	return mark{ch, h.last, used}, true
}

// since appends the events that are newer than a number, or all, each held for the caller.
func (h *history) since(held []*stored, all bool, number uint64) []*stored {
	from := h.all.first
	if !all {
		from = nil
		for s := h.all.last; s != nil && s.number > number; s = s.links[byAge].prev {
			from = s
		}
	}
	held = held[:0]
	for ; from != nil; from = from.links[byAge].next {
		from.refs.Add(1)
		held = append(held, from)
	}
	return held
}

// commit notes that a channel has been saved.
func (m mark) commit() {
	m.ch.mu.Lock()
	purged := m.ch.saved.purged
	if purged <= m.last {
		purged = 0
	}
	m.ch.saved = saved{put: true, last: max(m.last, 1), used: m.used, purged: purged}
	m.ch.mu.Unlock()
}

// forgets notes that a channel of which something is saved has gone, and whether that is
// to vanish. The caller holds mu.
func (s *shard) forgets(name string, vanish bool) {
	if s.gone == nil {
		s.gone = make(map[string]bool)
	}
	s.gone[name] = s.gone[name] || vanish
}

func (s *shard) forgotten(name string, vanish bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgets(name, vanish)
}

// Purge forgets what a channel remembers, and has it vanish from what is saved, too,
// with the next [Bus.Save]. Who is there stays, and replays that have begun go on. It
// returns how many events there were; ok is false if there is no such channel.
func (b *Bus) Purge(name string) (events int, ok bool) {
	sh := b.shard(name)
	sh.mu.Lock()
	ch := sh.channels[name]
	sh.mu.Unlock()
	if ch == nil {
		return 0, false
	}
	ch.mu.Lock()
	events = ch.history.all.n
	ch.purge()
	empty := ch.deserted()
	ch.mu.Unlock()
	if empty {
		b.remove(ch, 0)
	}
	return events, true
}

// purge forgets all, for good.
func (ch *channel) purge() {
	ch.history.clear()
	if ch.saved.put {
		ch.saved.purged = ch.history.last
	}
}

// clockUnset is before any time that a clock tells which has been set: in Unix seconds, when 2020 began.
const clockUnset = 1577836800

// errTaken refuses to put a history back.
var errTaken = errors.New("the channel is in use already")

// Restore puts back what was saved of a channel, as a [Store] has it: the change that
// would be put now if all were wanted. The events belong to the bus from then on. It is
// for a bus that nobody uses yet: a channel that is there already stays as it is.
//
// What does not fit into the bounds of the history goes as it would have gone, and so do
// the coldest channels where the memory budget is nearly used up. A channel that was last
// used while the clock was not set, or is to be, counts as used now.
func (b *Bus) Restore(c *Change) error {
	now := b.now()
	used := b.stamp(now)
	oldest := used - int64(b.conf.IdleLimit)
	if c.LastUsed.Unix() > clockUnset {
		used = min(used, c.LastUsed.Add(-b.drift(now)).UnixNano())
	}
	if used < oldest || b.HistoryLimit() <= 0 {
		if c.Last > 0 {
			b.shard(c.Channel).forgotten(c.Channel, b.HistoryLimit() <= 0)
		}
		return nil
	}
	ch := b.channel(c.Channel)
	ch.mu.Lock()
	if ch.dead || ch.members > 0 || ch.ordinal > 0 || ch.history.last > 0 {
		ch.mu.Unlock()
		return errTaken
	}
	for _, e := range c.Events {
		ch.ordinal++
		s := &stored{Event: *e.Event, number: e.Number}
		s.Ordinal = ch.ordinal
		ch.history.insert(s)
		ch.history.last = max(ch.history.last, e.Number)
	}
	ch.history.last = max(ch.history.last, c.Last)
	ch.saved = saved{put: true, last: max(ch.history.last, 1), used: used}
	ch.lastUsed.Store(used)
	empty := ch.history.all.n == 0
	ch.mu.Unlock()
	if empty {
		b.remove(ch, 0)
	}
	if b.budget.Used() > b.budget.high() {
		b.dropCold(b.budget.low())
	}
	return nil
}
