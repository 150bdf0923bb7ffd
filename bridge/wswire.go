package bridge

import (
	"bufio"
	"bytes"
	"net"
	"slices"

	"mles/v2"
)

// wireBuffer is the size of what gorilla reads frames through: control frames fit, and
// it reads large messages past it.
const wireBuffer = 512

// wire is the connection that gorilla has below it. It sees when the reader is
// about to wait for bytes, and keeps gorilla from writing beside our writer.
type wire struct {
	net.Conn
	c        *wsconn
	buffer   *bufio.Reader // gorilla's
	spent    bool          // TLS, if any, holds nothing that it has decrypted
	upgraded bool
	received int // bytes, in all
	frames   frames
	moved    bool // bytes have come while challenged
}

// await waits where nothing is left of what has come.
func (w *wire) await() {
	if w.spent && w.buffer.Buffered() == 0 {
		w.c.sock.in.await()
	}
}

// idle is called before the reader waits for bytes: what has been received is
// published.
func (w *wire) idle() {
	c := w.c
	c.flush()
	if w.moved { // only now: a farewell has ended the membership
		w.moved = false
		c.prove()
	}
	if c.paced && !c.closing.Load() && (c.message || w.frames.begun()) {
		c.pace.begun(w.received)
	}
}

// Read reads from the connection.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.spent = n < len(p)
	if n > 0 && w.upgraded {
		c := w.c
		w.received += n
		w.frames.pass(p[:n])
		if c.dialect == nil {
			c.ws.SetReadLimit(c.firstLimit())
		}
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
	frame, why := slices.Clone(p), &ending{reason: v2.ReasonProtocol, fault: true}
	if bytes.Equal(p, tooBig) {
		frame, why = v2.AppendClose(nil, v2.CloseTooBig, v2.ReasonTooBig), &ending{reason: v2.ReasonTooBig, fault: true}
	}
	c.gone.Do(func() {
		c.end = why
		c.closing.Store(true)
		c.depart(frame)
	})
	return len(p), nil
}
