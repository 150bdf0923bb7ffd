package bridge

import (
	"encoding/binary"
	"io"
	"net"
	"sync"

	"mles/v1"
)

// inboxBytes is how much is received at a time. TLS gets it record by record.
const inboxBytes = 16 << 10

var inboxes = sync.Pool{New: func() any { return new([inboxBytes]byte) }}

func borrowInbox() []byte    { return inboxes.Get().(*[inboxBytes]byte)[:] }
func returnInbox(buf []byte) { inboxes.Put((*[inboxBytes]byte)(buf)) }

// An inbox is what has come from a client and nobody has taken yet. Its memory is
// borrowed while there is something in it. So a connection that waits holds no
// buffer, and whoever knows that nothing is left of what it has taken can wait here
// before it calls TLS or gorilla, in which the stack would be some KiB deeper. The
// connection's reader owns it.
type inbox struct {
	source  v1.Lazy           // nil: the transport cannot wait without a buffer, and nothing stands here
	block   *[inboxBytes]byte // borrowed; nil: empty
	at, end int32             // what has not been taken of it
	record  *records          // below TLS
	err     error             // found by await
	idle    func()            // if set, called before waiting
}

// fill waits for bytes and takes them in.
func (in *inbox) fill() error {
	if err := in.err; err != nil {
		in.err = nil
		return err
	}
	if in.idle != nil {
		in.idle()
	}
	buf, n, err := in.source.ReadLazy(borrowInbox, returnInbox)
	switch {
	case n > 0:
		in.block, in.at, in.end = (*[inboxBytes]byte)(buf), 0, int32(n)
		return nil
	case buf != nil:
		returnInbox(buf)
	}
	return err
}

// take moves bytes to p: below TLS those of one record at most, so that TLS never
// holds a record that it has not been asked for.
func (in *inbox) take(p []byte) int {
	n := copy(p, in.block[in.at:in.end])
	if in.record != nil {
		n = in.record.within(p[:n])
	}
	if in.at += int32(n); in.at == in.end {
		inboxes.Put(in.block)
		in.block = nil
	}
	return n
}

// await waits until there is something to read, or an error, where nothing is left
// and the transport can do so.
func (in *inbox) await() {
	if in.block == nil && in.source != nil && in.err == nil {
		in.err = in.fill()
	}
}

// records follows the records of TLS (RFC 8446 section 5.1).
type records struct {
	header [5]byte // of the one under way, as far as it has come
	n      int
	left   int // bytes of its payload to come
}

// within returns how many bytes of b belong to the record that they go on with, or
// begin.
func (r *records) within(b []byte) int {
	at := 0
	if r.left == 0 {
		at = copy(r.header[r.n:], b)
		if r.n += at; r.n < len(r.header) {
			return at
		}
		r.n, r.left = 0, int(binary.BigEndian.Uint16(r.header[3:]))
	}
	payload := min(r.left, len(b)-at)
	r.left -= payload
	return at + payload
}

// waiting is a connection of v1 that waits without a buffer: conn is s, or TLS over it.
type waiting struct {
	net.Conn
	s     *socket
	spent bool // TLS holds nothing that it has decrypted
}

// sourceOf returns what v1 is read from.
func sourceOf(s *socket, conn net.Conn) io.Reader {
	if s.in.source == nil {
		return conn
	}
	return &waiting{Conn: conn, s: s}
}

// ReadLazy implements [v1.Lazy].
func (w *waiting) ReadLazy(get func() []byte, put func([]byte)) ([]byte, int, error) {
	in := &w.s.in
	if w.Conn == net.Conn(w.s) && in.block == nil {
		return in.source.ReadLazy(get, put)
	}
	if w.spent {
		in.await()
	}
	buf := get()
	n, err := w.Read(buf)
	w.spent = n < len(buf)
	return buf, n, err
}
