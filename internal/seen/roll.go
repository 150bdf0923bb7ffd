package seen

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"time"
)

// An id is what makes an entry within a dialect.
type id struct {
	uid, channel string
	addr         netip.Addr
}

// cost is the most that an entry of that name takes as a line of the file.
func (i id) cost() int { return 200 + 6*(len(i.uid)+len(i.channel)) }

// An entry is one id and when it was seen. The store's lock guards it. There may be one
// for each connection, so that it is small.
type entry struct {
	id
	first, last moment
	older       *entry // while it is in its roll's queue
	newer       *entry
	key         keyName
	keyLine     int32
	present     int32 // connections there now
	queued      bool  // not present
	dirty       bool  // changed since it was written
}

// keyNames are what [bridge.Credential] calls itself.
var keyNames = [...]string{"none", "shared", "address"}

// A keyName is one of keyNames.
type keyName uint8

// keyNamed is the name as a number; what a later gateway may have written is none.
func keyNamed(name string) keyName { return keyName(max(0, slices.Index(keyNames[:], name))) }

func (k keyName) String() string { return keyNames[k] }

// A roll is what is known of one dialect.
type roll struct {
	dialect string
	seed    maphash.Seed
	entries map[uint64]*entry // by hash
	bytes   int
	// The queue is the entries that are not present, longest ago first.
	oldest, newest *entry

	present int    // memberships now, those without an entry included
	last    moment // when there was one
	dropped int64
}

func newRoll(dialect string) *roll {
	return &roll{dialect: dialect, seed: maphash.MakeSeed(), entries: make(map[uint64]*entry)}
}

func (r *roll) used(now moment) { r.last = max(r.last, now) }

// find returns the entry of i, or nil; taken says whether another has its place, which
// happens to nobody on purpose since the seed is secret.
func (r *roll) find(i id) (e *entry, hash uint64, taken bool) {
	hash = maphash.Comparable(r.seed, i)
	if e = r.entries[hash]; e != nil && e.id != i {
		return nil, hash, true
	}
	return e, hash, false
}

// full says whether there is no room for i.
func (r *roll) full(i id) bool { return len(r.entries) >= MaxEntries || r.bytes+i.cost() > maxBytes }

// entry returns the entry of i, made if need be: those unseen for longest make room. It
// is nil where everybody else is present.
func (r *roll) entry(i id, now moment) *entry {
	e, hash, taken := r.find(i)
	if e != nil {
		return e
	}
	for taken || r.full(i) {
		r.dropped++
		if taken || r.oldest == nil {
			return nil
		}
		r.forget(r.oldest)
	}
	e = &entry{id: i, first: now, last: now}
	r.insert(hash, e)
	r.enqueue(e)
	return e
}

func (r *roll) insert(hash uint64, e *entry) {
	r.entries[hash] = e
	r.bytes += e.cost()
}

// remember takes over what was known of v before, if there is room. It is to be called
// for those seen last first.
func (r *roll) remember(v record) {
	e, hash, taken := r.find(v.id())
	switch {
	case e != nil:
		e.first, e.last = min(e.first, v.First), max(e.last, v.Last)
	case taken || r.full(v.id()): // dropped before, if it was not in memory: those are counted
	default:
		e = &entry{id: v.id(), first: v.First, last: v.Last, key: keyNamed(v.Key), keyLine: int32(v.Line)}
		r.insert(hash, e)
		r.enqueueOldest(e)
	}
}

func (r *roll) forget(e *entry) {
	r.dequeue(e)
	_, hash, _ := r.find(e.id)
	delete(r.entries, hash)
	r.bytes -= e.cost()
}

// expire forgets who was last seen before then.
func (r *roll) expire(then time.Time) {
	for r.oldest != nil && r.oldest.last < at(then) {
		r.forget(r.oldest)
	}
}

// arrive notes one more connection of e.
func (r *roll) arrive(e *entry) {
	e.present++
	r.dequeue(e)
}

// leave notes the end of one; e may be of somebody who came when there was no room.
func (r *roll) leave(e *entry) {
	if e.present = max(0, e.present-1); e.present == 0 {
		r.dequeue(e)
		r.enqueue(e)
	}
}

func (r *roll) enqueue(e *entry) {
	e.queued, e.older = true, r.newest
	if r.newest != nil {
		r.newest.newer = e
	} else {
		r.oldest = e
	}
	r.newest = e
}

func (r *roll) enqueueOldest(e *entry) {
	e.queued, e.newer = true, r.oldest
	if r.oldest != nil {
		r.oldest.older = e
	} else {
		r.newest = e
	}
	r.oldest = e
}

// dequeue takes e out of the queue, if it is in it.
func (r *roll) dequeue(e *entry) {
	if !e.queued {
		return
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		r.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		r.newest = e.older
	}
	e.queued, e.older, e.newer = false, nil, nil
}
