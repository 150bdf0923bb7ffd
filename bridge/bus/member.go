package bus

import (
	"sync/atomic"
	"time"
)

// A Member is one subscription and voice on a channel: a cursor into the log of
// its dialect, and the right to publish.
type Member struct {
	// Fixed once joined.
	ch      *channel
	dialect Dialect
	quiet   bool        // joined with Join.Quiet
	relay   func() bool // Join.Relay
	start   uint32      // ordinal of the last event before
	id      string
	sink    Sink
	since   time.Time
	gone    func() // Join.Left

	// Guarded by the channel's lock.
	log      *log      // nil once it has lost its subscription
	memberAt int       // where in log.members
	idleAt   int       // where in log.idle, or -1
	chunk    *chunk    // that the cursor is in; nil when idle
	pos      int       // cursor's place in chunk
	given    int       // bytes of chunk that Next gave out last
	ownEnd   int64     // position behind its own last bytes in the log
	moved    time.Time // when it last made progress, or was woken
	left     bool
	slowed   chan struct{} // closed when it may publish again; nil when it may
	slowedAt time.Time
	replay   *replay // history not yet written; set nil by Next only
	rest     []byte  // of the frame half written when the subscription ended
	tally    tally

	// Owned by whoever set chained, until it is cleared again: see chain.
	chained  atomic.Bool
	wakeNext *Member
}

// Channel returns the name of the member's channel.
func (m *Member) Channel() string { return m.ch.name }

// Sink returns the connection behind the member.
func (m *Member) Sink() Sink { return m.sink }

// Dialect returns which dialect the member is given events in.
func (m *Member) Dialect() Dialect { return m.dialect }

// Start returns the ordinal of the last event on the channel before the member
// joined.
func (m *Member) Start() uint32 { return m.start }

// Heard says whether there is anybody but relays on the member's channel. It takes
// no lock.
func (m *Member) Heard() bool { return m.ch.hearers.Load() > 0 }

// Since returns when the member joined.
func (m *Member) Since() time.Time { return m.since }

// position is where in the log the cursor stands.
func (m *Member) position() int64 {
	if m.chunk == nil {
		return m.log.head
	}
	return m.chunk.start + int64(m.pos)
}

// lag is how many bytes the member has not yet been given.
func (m *Member) lag() int64 {
	lag := m.log.head - m.position()
	if m.replay != nil {
		lag += m.replay.left.Load()
	}
	return lag
}

// oldest is a time at which the oldest of those bytes was there already.
func (m *Member) oldest() time.Time {
	if m.replay != nil || m.chunk == nil {
		return m.since
	}
	return m.chunk.last
}

// Publish puts events on the channel, in order and together, as from m: every
// other member gets them, and the history. Where the channel's readers cannot
// keep up, it returns a channel: read nothing more from the connection until
// that is closed.
func (m *Member) Publish(events []Event) (wait <-chan struct{}) {
	ch := m.ch
	ch.mu.Lock()
	if m.left {
		ch.mu.Unlock()
		return nil
	}
	var woken *Member
	now := ch.bus.now() // asking for each event would cost more than delivering it
	for i := range events {
		ch.deliver(&events[i], m, now, &woken)
		ch.history.add(&events[i])
	}
	m.tally.published(events, now)
	ch.used(now)
	if m.slowed == nil && ch.mustSlow(m) {
		ch.slow(m)
	}
	if m.slowed != nil { // perhaps since an earlier call
		wait = m.slowed
	}
	lagging := ch.lagging()
	ch.mu.Unlock()
	wake(woken)
	if wait == nil {
		wait = ch.bus.hold(lagging)
	}
	return wait
}

// chain adds m to those who will be woken when the channel is unlocked. Where
// another goroutine has m in its chain and has not come to it, that wake-up is
// yet to happen and serves for this one, too.
func (m *Member) chain(woken **Member) {
	if !m.chained.Swap(true) {
		m.wakeNext, *woken = *woken, m
	}
}

// wake wakes a chain of members. Each may be woken again, and chained anew, as
// soon as it is out of the chain.
func wake(m *Member) {
	for m != nil {
		next := m.wakeNext
		m.wakeNext = nil
		m.chained.Store(false)
		m.sink.Wake(m)
		m = next
	}
}

// Next returns the next bytes to write, at most 256 KiB, and whether they end
// with a frame. They are valid until the following call, which also says that
// they have been written. When there is nothing more, ok is false, and the
// member's sink will be woken in time. Only one goroutine may call it at a time.
//
// When the subscription has ended in the middle of a frame, what is left of that
// is still given, so that something else can be written after it.
func (m *Member) Next() (data []byte, whole, ok bool) {
	ch := m.ch
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for m.log != nil {
		m.settle()
		r := m.replay
		if r == nil {
			return m.advance()
		}
		ch.mu.Unlock()
		data, whole, ok = r.next()
		ch.mu.Lock()
		if ok {
			m.tally.out.Bytes += int64(len(data))
			return data, whole, true
		}
		m.replayed(r)
	}
	n := min(len(m.rest), maxWrite)
	data, m.rest = m.rest[:n], m.rest[n:]
	return data, len(m.rest) == 0, n > 0
}

// settle counts what was given out last as written.
func (m *Member) settle() {
	if m.given == 0 && (m.replay == nil || !m.replay.started) {
		return
	}
	m.pos += m.given
	m.given = 0
	m.progressed()
}

// replayed ends the replay, all of which has been written.
func (m *Member) replayed(r *replay) {
	m.replay = nil
	if m.log != nil { // else the subscription ended meanwhile
		m.tally.out.Messages += r.written
		m.tally.excluded -= r.written
	}
}

func (m *Member) progressed() {
	m.moved = m.ch.bus.now()
	m.log.front.moved(m, m.position())
	m.ch.look()
}

// advance moves the cursor past what m sent itself and returns what follows.
func (m *Member) advance() (data []byte, whole, ok bool) {
	for m.chunk != nil {
		c := m.chunk
		if m.pos == len(c.buf) {
			m.turnPage()
			continue
		}
		end := len(c.buf)
		if m.ownEnd > c.start+int64(m.pos) {
			if own, found := c.own(m, m.pos); found && own.from <= m.pos {
				m.pos = own.to
				m.progressed()
				continue
			} else if found {
				end = own.from
			}
		}
		whole = true
		if end-m.pos > maxWrite {
			end, whole = m.pos+maxWrite, false
		}
		m.given = end - m.pos
		m.tally.out.Bytes += int64(m.given)
		if end == len(c.buf) && c.next == nil {
			m.givenAll()
		}
		return c.buf[m.pos:end], whole, true
	}
	return nil, false, false
}

// givenAll notes that m has been given all that the log has for it.
func (m *Member) givenAll() { m.tally.out.Messages = m.log.events - m.tally.excluded }

// turnPage moves the cursor to the next chunk, or to rest where there is none.
func (m *Member) turnPage() {
	next := m.chunk.next
	if next == nil {
		m.log.rest(m)
		m.ch.look()
		return
	}
	m.leaveChunk()
	m.chunk, m.pos = next, 0
	next.readers++
	m.log.free()
}

func (m *Member) leaveChunk() {
	if m.chunk == nil {
		return
	}
	m.chunk.readers--
	if m.given > 0 {
		m.chunk.pinned = true
	}
	m.chunk, m.pos, m.given = nil, 0, 0
}

// Mute ends the subscription, in the middle of a frame too: the member gets
// nothing more and holds nothing, but keeps its voice and its identity.
func (m *Member) Mute() { m.cut() }

// cut does that, and says whether there was a subscription to end.
func (m *Member) cut() bool {
	m.ch.mu.Lock()
	defer m.ch.mu.Unlock()
	had := m.log != nil
	m.detach()
	m.rest = nil
	return had
}

// detach takes m out of its log.
func (m *Member) detach() {
	l := m.log
	if l == nil {
		return
	}
	m.tally.excluded = m.lag()
	if m.idleAt >= 0 {
		last := len(l.idle) - 1
		l.idle[m.idleAt] = l.idle[last]
		l.idle[m.idleAt].idleAt = m.idleAt
		l.idle[last] = nil
		l.idle = l.idle[:last]
		m.idleAt = -1
	}
	if m.given == maxWrite { // more than that is in a chunk only of a frame larger than a write
		m.rest = m.chunk.buf[m.pos+m.given:]
	}
	m.leaveChunk()
	last := len(l.members) - 1
	l.members[m.memberAt] = l.members[last]
	l.members[m.memberAt].memberAt = m.memberAt
	l.members[last] = nil
	l.members = l.members[:last]
	if m.replay != nil {
		m.rest = m.replay.close()
	}
	l.front.stale = true
	l.front.best = nil
	l.free()
	m.log = nil
	if len(l.members) == 0 {
		m.ch.logs[m.dialect] = nil
	}
	m.ch.look()
}

// Leave ends the membership. It may be called more than once.
func (m *Member) Leave() {
	ch := m.ch
	ch.mu.Lock()
	leaves := m.depart()
	empty := ch.members == 0 && ch.history.all.n == 0
	ch.mu.Unlock()
	if empty {
		ch.bus.remove(ch, 0)
	}
	if leaves && m.gone != nil {
		m.gone()
	}
}

// depart makes m a member no more, and says whether it was one.
func (m *Member) depart() bool {
	if m.left {
		return false
	}
	m.left = true
	m.detach()
	ch := m.ch
	if m.relay == nil {
		ch.count(-1)
	}
	if ch.holders[identity{m.dialect, m.id}] == m {
		delete(ch.holders, identity{m.dialect, m.id})
	}
	if ch.members == 0 {
		ch.holders = nil // a channel that is only remembered should be small
	}
	ch.resume(m)
	ch.used(ch.bus.now())
	if !m.quiet {
		ch.bus.members.Add(-1)
	}
	return true
}
