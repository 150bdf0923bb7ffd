package seen

import (
	"container/list"
	"net/netip"
	"time"
)

// An id is what makes an entry within a dialect.
type id struct {
	uid, channel string
	addr         netip.Addr
}

// cost is the most that an entry of that name takes as a line of the file.
func (i id) cost() int { return 200 + 6*(len(i.uid)+len(i.channel)) }

// An entry is one id and when it was seen. The store's lock guards it.
type entry struct {
	id
	dialect     string
	first, last time.Time
	key         string
	keyLine     int
	present     int           // connections there now
	at          *list.Element // in the roll's absent; nil while present or dropped
	dirty       bool          // changed since it was written
}

// A roll is what is known of one dialect.
type roll struct {
	dialect string
	entries map[id]*entry
	absent  list.List // entries that are not present, longest ago first
	bytes   int

	present int       // memberships now, those without an entry included
	last    time.Time // when there was one
	dropped int64
}

func newRoll(dialect string) *roll { return &roll{dialect: dialect, entries: make(map[id]*entry)} }

func (r *roll) used(now time.Time) {
	if r.last.Before(now) {
		r.last = now
	}
}

// entry returns the entry of i, made if need be: those unseen for longest make room. It
// is nil where everybody else is present.
func (r *roll) entry(i id, now time.Time) *entry {
	if e := r.entries[i]; e != nil {
		return e
	}
	for len(r.entries) >= MaxEntries || r.bytes+i.cost() > maxBytes {
		r.dropped++
		oldest := r.absent.Front()
		if oldest == nil {
			return nil
		}
		r.forget(oldest.Value.(*entry))
	}
	e := &entry{id: i, dialect: r.dialect, first: now, last: now}
	e.at = r.absent.PushBack(e)
	r.entries[i] = e
	r.bytes += i.cost()
	return e
}

// remember takes over what was known of v before, if there is room. It is to be called
// for those seen last first.
func (r *roll) remember(v record) {
	e := r.entries[v.id()]
	if e == nil {
		if len(r.entries) >= MaxEntries || r.bytes+v.id().cost() > maxBytes {
			return // dropped before, if it was not in memory: those are counted
		}
		e = &entry{id: v.id(), dialect: r.dialect, first: v.First.time(), last: v.Last.time(), key: v.Key, keyLine: v.Line}
		e.at = r.absent.PushFront(e)
		r.entries[e.id] = e
		r.bytes += e.cost()
		return
	}
	if first := v.First.time(); first.Before(e.first) {
		e.first = first
	}
	if last := v.Last.time(); e.last.Before(last) {
		e.last = last
	}
}

func (r *roll) forget(e *entry) {
	r.absent.Remove(e.at)
	e.at = nil
	delete(r.entries, e.id)
	r.bytes -= e.cost()
}

// expire forgets who was last seen before then.
func (r *roll) expire(then time.Time) {
	for oldest := r.absent.Front(); oldest != nil && oldest.Value.(*entry).last.Before(then); oldest = r.absent.Front() {
		r.forget(oldest.Value.(*entry))
	}
}

// arrive notes one more connection of e.
func (r *roll) arrive(e *entry) {
	if e.present++; e.at != nil {
		r.absent.Remove(e.at)
		e.at = nil
	}
}

// leave notes the end of one; e may be of somebody who came when there was no room.
func (r *roll) leave(e *entry) {
	if e.present = max(0, e.present-1); e.present > 0 {
		return
	}
	if e.at == nil {
		e.at = r.absent.PushBack(e)
	} else {
		r.absent.MoveToBack(e.at)
	}
}
