package bus

import (
	"sync"
	"sync/atomic"
)

// replay writes a snapshot of the history down for one member that has joined,
// outside the channel's lock.
type replay struct {
	bus     *Bus
	dialect Dialect
	channel string

	written int64        // events given out; Next's caller's own
	left    atomic.Int64 // bytes that it holds: events not yet encoded, and buf
	started bool         // Next has given some of it out; its caller's own

	mu     sync.Mutex
	events []*stored // those left; nil once closed
	buf    []byte    // what is being given out, and its memory
	pos    int       // how much of buf has been
}

func newReplay(b *Bus, d Dialect, channel string, events []*stored) *replay {
	r := &replay{bus: b, dialect: d, channel: channel, events: events}
	for _, s := range events {
		r.left.Add(s.size)
	}
	return r
}

// next returns up to maxWrite bytes and whether they end with a frame.
func (r *replay) next() (data []byte, whole, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.started = true
	if r.pos == len(r.buf) {
		r.fill()
	}
	if len(r.buf) == 0 {
		return nil, false, false
	}
	end := min(len(r.buf), r.pos+maxWrite)
	data = r.buf[r.pos:end]
	r.pos = end
	return data, end == len(r.buf), true
}

// fill encodes as many events as fit into one write, but at least one that
// members of the dialect get.
func (r *replay) fill() {
	n, size := 0, 0
	for _, s := range r.events {
		more := r.bus.codec.Size(r.dialect, r.channel, &s.Event, true)
		if size > 0 && size+more > maxWrite {
			break
		}
		size += more
		n++
		if more > 0 {
			r.written++
		}
	}
	r.resize(size)
	for _, s := range r.events[:n] {
		r.buf = r.bus.codec.Append(r.buf, r.dialect, r.channel, &s.Event, true)
		r.left.Add(-s.size)
		s.release(r.bus.budget)
	}
	clear(r.events[:n])
	r.events = r.events[n:]
}

// resize makes buf empty, with room for size bytes.
func (r *replay) resize(size int) {
	if cap(r.buf) < size || size == 0 {
		more := int64(size - cap(r.buf))
		r.bus.budget.Add(more)
		r.left.Add(more)
		r.buf = make([]byte, 0, size)
	}
	r.buf, r.pos = r.buf[:0], 0
}

// close gives up what has not been written, and returns what is left of a frame
// that has been begun. What next returned stays valid.
func (r *replay) close() (rest []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pos > 0 {
		rest = r.buf[r.pos:]
	}
	for _, s := range r.events {
		s.release(r.bus.budget)
	}
	r.events = nil
	r.resize(0)
	r.left.Store(0)
	return rest
}
