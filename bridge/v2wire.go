package bridge

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"time"

	"mles/bridge/bus"
	"mles/v2"
)

// wire is the connection that gorilla has below it. It sees when the reader is
// about to wait for bytes, and keeps gorilla from writing beside our writer.
type wire struct {
	net.Conn
	c        *v2conn
	upgraded bool
	received int // bytes, in all
	frames   frames
	moved    bool // bytes have come while challenged
}

// Read reads from the connection. What has been received is published before it
// waits for more.
func (w *wire) Read(p []byte) (int, error) {
	c := w.c
	if w.upgraded {
		c.flush()
		if w.moved { // only now: a farewell has ended the membership
			w.moved = false
			c.prove()
		}
		if c.member != nil && !c.closing.Load() && (c.message || w.frames.begun()) {
			c.pace.begun(w.received)
		}
	}
	n, err := w.Conn.Read(p)
	if n > 0 && w.upgraded {
		w.received += n
		w.frames.pass(p[:n])
		c.missed.Store(0)
		w.moved = c.challenged.Load()
	}
	return n, err
}

// tooBig is what gorilla sends, without a reason, when a message is over the read
// limit or is announced to be.
var tooBig = v2.AppendClose(nil, v2.CloseTooBig, "")

// Write takes what gorilla writes by itself: the answer to the upgrade, and then
// only close frames for faults that it finds in the frames it reads.
func (w *wire) Write(p []byte) (int, error) {
	if !w.upgraded {
		return w.Conn.Write(p)
	}
	c := w.c
	c.flush()
	frame, why := slices.Clone(p), v2.ReasonProtocol
	if bytes.Equal(p, tooBig) {
		frame, why = v2.AppendClose(nil, v2.CloseTooBig, v2.ReasonTooBig), "message too big"
	}
	c.gone.Do(func() {
		if c.member != nil {
			c.g.log.Warn("left", "dialect", "v2", "client", c.sock.name(), "uid", c.uid, "channel", c.channel, "reason", why)
		}
		c.closing.Store(true)
		c.depart(frame)
	})
	return len(p), nil
}

// pieceBytes is the size of the buffers that small messages are received in.
const pieceBytes = 4 << 10

var pieces = sync.Pool{New: func() any { b := make([]byte, 0, pieceBytes); return &b }}

// maxBatch is how many bytes of small messages are received before they are
// published at the latest.
const maxBatch = 64 << 10

// A batch is what has been received and not yet been published: whole messages.
type batch struct {
	events []bus.Event
	bytes  []byte // of the small ones
}

var spare = sync.Pool{New: func() any { return new(batch) }}

// collect adds a message to the batch. A small one is copied; the buffer of a
// large one is published from.
func (c *v2conn) collect(op byte, message []byte) {
	if c.batch == nil {
		c.batch = spare.Get().(*batch)
	}
	b := c.batch
	small := len(message) <= pieceBytes
	if small {
		start := len(b.bytes)
		b.bytes = append(b.bytes, message...)
		message = b.bytes[start:len(b.bytes):len(b.bytes)]
	}
	b.events = append(b.events, bus.Event{From: onV2, Op: op, Key: c.key, UID: c.uid, Message: message})
	if !small || len(b.bytes) > maxBatch {
		c.flush()
	}
}

// flush publishes the batch and, where the channel's readers cannot keep up,
// waits. Once a close frame is due nothing is published any more.
func (c *v2conn) flush() {
	b := c.batch
	if b == nil {
		return
	}
	c.batch = nil
	wait := c.publish(b.events)
	clear(b.events)
	b.events, b.bytes = b.events[:0], b.bytes[:0]
	spare.Put(b)
	if wait != nil {
		c.paused.Store(true)
		start := time.Now()
		for ; wait != nil; wait = c.member.Publish(nil) { // others may have gone on first
			<-wait
		}
		c.missed.Store(0)
		c.paused.Store(false)
		c.pace.restart(start)
	}
}

func (c *v2conn) publish(events []bus.Event) (wait <-chan struct{}) {
	if c.closing.Load() {
		return nil
	}
	in := &c.g.counters.v2
	in.messages.Add(int64(len(events)))
	for i := range events {
		in.bytes.Add(int64(len(events[i].Message)))
	}
	return c.member.Publish(events)
}

// holds counts n bytes of a begun message, and waits where that is too much at
// the moment.
func (c *v2conn) holds(n int) error {
	start := time.Now()
	waited, err := c.g.intake.set(&c.hold, int64(n))
	if waited {
		c.pace.restart(start)
	}
	return err
}
