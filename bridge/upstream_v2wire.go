package bridge

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"mles/v2"
)

// uplinkWire is the connection that gorilla has below it as a client. It sees when
// the reader is about to wait for bytes, and keeps gorilla from writing beside the
// uplink's own writer.
type uplinkWire struct {
	net.Conn
	l        *v2uplink
	stop     func() bool // ends the hold that the dialing context has on it
	upgraded bool
	counted  bool // in v2transport.open
	leaving  atomic.Bool
	closing  sync.Once

	// Of the reader.
	received int // bytes, in all
	frames   frames
	pinged   bool      // by the server
	farewell int       // code of the close frame that the server is owed; 0: none
	until    time.Time // when it must have said something
}

var errLongAnswer = errors.New("its answer has no end")

// Read reads, within the time that there is for it.
func (w *uplinkWire) Read(p []byte) (int, error) {
	if !w.upgraded {
		n, err := w.Conn.Read(p)
		if w.received += n; w.received > maxHeader {
			return 0, errLongAnswer
		}
		return n, err
	}
	switch now := time.Now(); {
	case w.leaving.Load():
	case w.l.message || w.frames.begun():
		w.l.pace.begun(w.received)
	case w.pinged && w.until.Sub(now) < silentTime-silentTime/10:
		w.until = now.Add(silentTime)
		w.SetReadDeadline(w.until)
	}
	n, err := w.Conn.Read(p)
	w.received += n
	w.frames.pass(p[:n])
	return n, err
}

// SetReadDeadline leaves alone the one that close has set.
func (w *uplinkWire) SetReadDeadline(t time.Time) error {
	if w.leaving.Load() {
		return nil
	}
	return w.Conn.SetReadDeadline(t)
}

// Write takes what gorilla writes by itself: the request, and then only a close
// frame for a fault that it finds in the frames it reads.
func (w *uplinkWire) Write(p []byte) (int, error) {
	if w.upgraded {
		w.farewell = v2.CloseProtocol
		return len(p), nil
	}
	return w.Conn.Write(p)
}

// Close closes the connection at once.
func (w *uplinkWire) Close() error {
	var err error
	w.closing.Do(func() {
		err = w.Conn.Close()
		if w.counted {
			w.l.t.open.Add(-1)
		}
	})
	return err
}

// closePayload is that of a close frame with the code.
func closePayload(code int) []byte {
	if code == v2.CloseNoStatus {
		return nil
	}
	return binary.BigEndian.AppendUint16(nil, uint16(code))
}

// uplinkWriter writes frames as a client does, masked. Its methods may be called by
// several goroutines at once.
type uplinkWriter struct {
	conn net.Conn

	turn    chan struct{} // holds a token while somebody writes, which may take long
	scratch []byte        // of whose turn it is
	over    error         // nothing is written any more; of the same

	ctlMu  sync.Mutex
	op     byte // of the control frame that is owed; 0: none
	answer []byte
}

// scratchBytes is how much is masked and written at once.
const scratchBytes = 32 << 10

// write masks whole frames and writes them, as many at once as there is room for,
// the large ones in pieces. Those are left out that leave says.
func (w *uplinkWriter) write(frames []byte, leave func(linkFrame) bool) error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	defer func() { w.scratch = nil }() // most uplinks are idle most of the time
	w.scratch = make([]byte, 0, min(scratchBytes, len(frames)+len(frames)/2+16))
	for len(frames) > 0 {
		f := firstFrameOf(frames)
		frames = frames[f.size:]
		if leave(f) {
			continue
		}
		if err := w.put(f.op, f.payload); err != nil {
			return err
		}
	}
	return w.flush()
}

// frame writes one frame.
func (w *uplinkWriter) frame(op byte, payload []byte) error {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	if err := w.put(op, payload); err != nil {
		return err
	}
	return w.flush()
}

// put adds a frame to what is to be written. It is the caller's turn.
func (w *uplinkWriter) put(op byte, payload []byte) error {
	var key [4]byte
	rand.Read(key[:]) // never fails, as of Go 1.24
	if len(w.scratch)+len(payload)+14 > scratchBytes {
		if err := w.flush(); err != nil {
			return err
		}
	}
	w.scratch = v2.AppendMaskedHeader(w.scratch, op, len(payload), key)
	for first := true; first || len(payload) > 0; first = false {
		n := min(len(payload), max(0, scratchBytes-len(w.scratch)))
		if n < len(payload) {
			n &^= 3 // the mask goes on where it began
		}
		start := len(w.scratch)
		w.scratch = append(w.scratch, payload[:n]...)
		v2.Mask(w.scratch[start:], key)
		if payload = payload[n:]; len(payload) > 0 {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes. It is the caller's turn.
func (w *uplinkWriter) flush() error {
	if w.over != nil {
		return w.over
	}
	if len(w.scratch) > 0 {
		_, w.over = w.conn.Write(w.scratch)
		w.scratch = w.scratch[:0]
	}
	return w.over
}

// reply owes the server a control frame: a pong, of which the latest is enough, or
// a close frame, the last of all. A goroutine of its own writes it, as the reader
// must go on while a write waits for a server that does not read: that may be
// waiting for us to read.
func (w *uplinkWriter) reply(op byte, payload []byte) {
	w.ctlMu.Lock()
	defer w.ctlMu.Unlock()
	if w.op == v2.OpClose {
		return
	}
	owed := w.op != 0
	w.op, w.answer = op, payload
	if !owed {
		go w.answerNow()
	}
}

func (w *uplinkWriter) answerNow() {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	w.ctlMu.Lock()
	op, payload := w.op, w.answer
	if op != v2.OpClose {
		w.op = 0
	}
	w.ctlMu.Unlock()
	if w.over != nil {
		return
	}
	err := w.put(op, payload)
	if err == nil {
		err = w.flush()
	}
	if op == v2.OpClose && err == nil {
		w.over = net.ErrClosed // nothing follows a close frame
	}
}

// write implements [uplink]. A server that is no gateway learns of arrivals by
// hellos only.
func (l *v2uplink) write(frames []byte) error {
	return l.out.write(frames, func(f linkFrame) bool {
		return l.gateway == "" && f.op == v2.OpText && isArrival(f.payload, l.t.g.identity)
	})
}
