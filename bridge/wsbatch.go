package bridge

import (
	"io"
	"sync"
	"time"

	"mles/bridge/bus"
)

// pieceBytes is the size of the buffers that small messages are received in.
const pieceBytes = 4 << 10

var pieces = sync.Pool{New: func() any { b := make([]byte, 0, pieceBytes); return &b }}

// readMessage reads a message from r into buf, or into more memory as far as holds
// allows that: to its end, or until it has more than most bytes.
func readMessage(r io.Reader, buf []byte, most int, holds func(n int) error) ([]byte, error) {
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case err == io.EOF, err == nil && len(buf) > most:
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) < cap(buf):
			continue
		}
		size := min(2*len(buf), most+1) // one byte more, to see the end
		if err := holds(size); err != nil {
			return nil, err
		}
		buf = append(make([]byte, 0, size), buf...)
	}
}

// maxBatch is how many bytes of small messages are received before they are
// published at the latest.
const maxBatch = 64 << 10

// A batch is what has been received and not yet been published: whole messages,
// each with the member that it is of.
type batch struct {
	events  []bus.Event
	members []*bus.Member
	bytes   []byte // of the small ones
}

var spare = sync.Pool{New: func() any { return new(batch) }}

// keep returns a received message in memory that is good until the batch is
// published: a small one is copied, a large one stays where it is.
func (c *wsconn) keep(message []byte) []byte {
	if c.batch == nil {
		c.batch = spare.Get().(*batch)
	}
	if len(message) > pieceBytes {
		return message
	}
	b := c.batch
	start := len(b.bytes)
	b.bytes = append(b.bytes, message...)
	return b.bytes[start:len(b.bytes):len(b.bytes)]
}

// collect adds what m says to the batch. The event is made of what keep returned
// last, which had size bytes.
func (c *wsconn) collect(m *bus.Member, e bus.Event, size int) {
	b := c.batch
	b.events = append(b.events, e)
	b.members = append(b.members, m)
	in := c.dialect.counts()
	in.messages.Add(1)
	in.bytes.Add(int64(size))
	if size > pieceBytes || len(b.bytes) > maxBatch {
		c.flush()
	}
}

// flush publishes the batch and, where a channel's readers cannot keep up,
// waits. Once a close frame is due nothing is published any more.
func (c *wsconn) flush() {
	b := c.batch
	if b == nil {
		return
	}
	c.batch = nil
	for at := 0; at < len(b.events); {
		m, end := b.members[at], at+1
		for end < len(b.events) && b.members[end] == m {
			end++
		}
		c.publish(m, b.events[at:end])
		at = end
	}
	clear(b.events)
	clear(b.members)
	b.events, b.members, b.bytes = b.events[:0], b.members[:0], b.bytes[:0]
	spare.Put(b)
}

// publish puts events on m's channel.
func (c *wsconn) publish(m *bus.Member, events []bus.Event) {
	if c.closing.Load() {
		return
	}
	wait := m.Publish(events)
	if wait == nil {
		return
	}
	c.paused.Store(true)
	start := time.Now()
	for ; wait != nil; wait = m.Publish(nil) { // others may have gone on first
		<-wait
	}
	c.missed.Store(0)
	c.paused.Store(false)
	c.pace.restart(start)
}
