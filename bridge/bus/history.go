package bus

import (
	"hash/maphash"
	"sync/atomic"
	"unsafe"
)

// stored is an event in a channel's history. It is immutable but for its links,
// which the channel's lock guards, and counts who still needs it: the history
// itself, and each replay that has not yet written it.
type stored struct {
	Event
	size   int64
	number uint64 // its place among all that the channel has ever remembered; see Change
	refs   atomic.Int32
	links  [2]link
}

type link struct{ prev, next *stored }

// The two lists an event may stand in.
const (
	byAge   = iota // all events
	byEmpty        // empty joins only
)

// release says that one who needed the event does so no more, and returns whether
// that was the last.
func (s *stored) release(b *Budget) (last bool) {
	if s.refs.Add(-1) > 0 {
		return false
	}
	b.Add(-s.size)
	return true
}

// reused empties s to be filled with e, and returns memory for e's bytes: that of s,
// if the allocator would give as much.
func (s *stored) reused(e *Event) []byte {
	buf, need := s.Data, len(e.Data)
	if buf == nil {
		buf = s.Message
	}
	if need == 0 {
		need = len(e.Message)
	}
	// Sizes of the allocator's above 32 are not nearer to each other than 16.
	slack := cap(buf) - need
	if near := slack >= 0 && slack < 16 && cap(buf) >= 48; !near && len(buf) != need {
		buf = nil
	}
	*s = stored{}
	return buf[:0]
}

// list is a doubly linked list, oldest first, threaded through its elements.
type list struct {
	which       int
	first, last *stored
	n           int
}

// push puts s at the end.
func (l *list) push(s *stored) {
	s.links[l.which] = link{prev: l.last}
	if l.last != nil {
		l.last.links[l.which].next = s
	} else {
		l.first = s
	}
	l.last = s
	l.n++
}

func (l *list) remove(s *stored) {
	k := s.links[l.which]
	if k.prev != nil {
		k.prev.links[l.which].next = k.next
	} else {
		l.first = k.next
	}
	if k.next != nil {
		k.next.links[l.which].prev = k.prev
	} else {
		l.last = k.prev
	}
	s.links[l.which] = link{}
	l.n--
}

// who names the arrival that an empty join repeats.
type who struct {
	from Dialect
	uid  string
}

// history is what a channel remembers, oldest first, guarded by its lock. It is
// bounded in events and in bytes, and empty joins fill at most half of it, so
// that a device which comes and goes does not push out what was said.
type history struct {
	limit    int
	maxBytes int64
	budget   *Budget

	all, empty list
	joins      map[who]*stored // the empty joins
	bytes      int64
	last       uint64 // number of the newest event, or of what has been forgotten since
}

func newHistory(limit int, maxBytes int64, b *Budget) history {
	return history{limit: limit, maxBytes: maxBytes, budget: b, empty: list{which: byEmpty}}
}

// setLimit changes how many events are remembered.
func (h *history) setLimit(limit int) {
	h.limit = limit
	if limit <= 0 {
		h.clear()
		return
	}
	h.trim()
}

// onlyEmptyJoins says whether nobody has said anything that is remembered.
func (h *history) onlyEmptyJoins() bool { return h.all.n == h.empty.n }

// joinCost is about what an empty join takes in the map of joins.
const joinCost = 64

// add stores a copy of e as the newest event and drops what is then too much.
func (h *history) add(e *Event) {
	if h.limit <= 0 {
		return
	}
	s, buf := h.place(e)
	s.Event = e.clone(buf)
	h.last++
	s.number = h.last
	h.insert(s)
}

// insert makes s, which is numbered, the newest event and drops what is then too much.
func (h *history) insert(s *stored) {
	s.size = int64(unsafe.Sizeof(*s)) + int64(cap(s.Data)+len(s.UID))
	if _, inside := offset(s.Data, s.Message); !inside {
		s.size += int64(cap(s.Message))
	}
	if s.emptyJoin() {
		s.size += joinCost
	}
	s.refs.Store(1)
	h.budget.Add(s.size)
	if s.emptyJoin() {
		h.supersede(s)
	}
	h.all.push(s)
	h.bytes += s.size
	h.trim()
}

// place returns an event to fill with e, and memory for its bytes. In a full history
// these are what the oldest event had, which makes room.
func (h *history) place(e *Event) (*stored, []byte) {
	if h.all.n < h.limit || e.emptyJoin() { // which may make room itself
		return new(stored), nil
	}
	if oldest := h.all.first; h.drop(oldest) {
		return oldest, oldest.reused(e)
	}
	return new(stored), nil
}

// supersede drops the empty join that s repeats and notes s in its place.
func (h *history) supersede(s *stored) {
	key := who{s.From, s.UID}
	if old := h.joins[key]; old != nil {
		h.drop(old)
	}
	if h.joins == nil {
		h.joins = make(map[who]*stored)
	}
	h.joins[key] = s
	h.empty.push(s)
}

// restore stores what a returning peer remembers, before the arrivals that came
// ahead of it.
func (h *history) restore(events []Event) {
	arrived := h.snapshot()
	h.clear()
	for i := range events {
		h.add(&events[i])
	}
	for _, s := range arrived {
		h.add(&s.Event)
		s.release(h.budget)
	}
}

func (h *history) trim() {
	for h.empty.n > max(1, h.limit/2) {
		h.drop(h.empty.first)
	}
	for h.all.n > h.limit || h.bytes > h.maxBytes && h.all.n > 1 {
		h.drop(h.all.first)
	}
}

// drop returns whether nobody needs s any more.
func (h *history) drop(s *stored) (unused bool) {
	h.all.remove(s)
	if s.emptyJoin() {
		h.empty.remove(s)
		delete(h.joins, who{s.From, s.UID})
	}
	h.bytes -= s.size
	return s.release(h.budget)
}

// unknown returns those of what a returning peer remembers that do not stand in the
// history. Of several alike, as many of the first as stand there are left out.
func (h *history) unknown(events []Event, seed maphash.Seed) []Event {
	digest := func(e *Event) uint64 {
		var m maphash.Hash
		m.SetSeed(seed)
		if e.Opaque {
			m.WriteByte(1)
			m.Write(e.Data)
			return m.Sum64()
		}
		m.WriteByte(0)
		m.WriteString(e.UID)
		m.WriteByte(0xff) // in no UTF-8, as names are
		m.Write(e.Message)
		return m.Sum64()
	}
	here := make(map[uint64]int, h.all.n)
	for s := h.all.first; s != nil; s = s.links[byAge].next {
		here[digest(&s.Event)]++
	}
	var others []Event
	for i := range events {
		if d := digest(&events[i]); here[d] > 0 {
			here[d]--
			continue
		}
		others = append(others, events[i])
	}
	return others
}

// clear forgets everything. What a replay still holds keeps no other alive.
func (h *history) clear() {
	for s := h.all.first; s != nil; {
		next := s.links[byAge].next
		s.links = [2]link{}
		s.release(h.budget)
		s = next
	}
	h.all, h.empty, h.joins, h.bytes = list{}, list{which: byEmpty}, nil, 0
	h.last++ // so that what is saved is seen to differ
}

// snapshot returns the events as they stand, each held for the caller.
func (h *history) snapshot() []*stored {
	if h.all.n == 0 {
		return nil
	}
	events := make([]*stored, 0, h.all.n)
	for s := h.all.first; s != nil; s = s.links[byAge].next {
		s.refs.Add(1)
		events = append(events, s)
	}
	return events
}
