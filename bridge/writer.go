package bridge

import (
	"net"
	"slices"
	"sync"

	"mles/bridge/bus"
)

// writer is the one that writes to a connection once it has joined: what its
// members are given by the bus, and at the next frame boundary, before anything
// else, the frames of the connection's own. What is little and can be written at
// once the gateway's crew writes; for the rest there is a goroutine, which lives
// only while there is something to write.
type writer struct {
	conn   net.Conn
	sock   *socket // below conn, where the crew can write to it; else nil
	failed func()  // called once, when writing fails
	run    func()  // w.loop, kept so that starting it allocates nothing

	patient bool // the socket's writes wait; whoever runs owns this

	mu      sync.Mutex
	running bool
	ended   bool          // nothing more will be written
	ready   []*bus.Member // that have something to write, in turn
	control []byte        // a pong, a ping, or both, whole frames
	final   []byte        // a close frame: the last thing written
	done    chan struct{} // closed when ended, if somebody waits for it
}

func newWriter(conn net.Conn, failed func()) *writer {
	w := &writer{conn: conn, failed: failed}
	w.run = func() { w.loop(nil, nil) }
	if s := below(conn); s != nil && s.hasten() {
		w.sock = s
	}
	return w
}

// wake has m's bytes written. A member that is already in turn stays there.
func (w *writer) wake(m *bus.Member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue(m)
	w.start()
}

// queue gives m a turn, unless it awaits one. The caller holds mu.
func (w *writer) queue(m *bus.Member) {
	if !slices.Contains(w.ready, m) {
		w.ready = append(w.ready, m)
	}
}

// maxControl bounds the control frames that wait for a frame boundary: whoever
// sends pings without reading the pongs is answered the later ones only.
const maxControl = 4 * 127

// send has a control frame written.
func (w *writer) send(frame []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.control)+len(frame) > maxControl {
		w.control = w.control[:0]
	}
	w.control = append(w.control, frame...)
	w.start()
}

// finish has frame written, and nothing after it. The channel is closed when
// that is done or cannot be done any more. Only the first frame counts.
func (w *writer) finish(frame []byte) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.final == nil {
		w.final = frame
	}
	if w.done == nil {
		w.done = make(chan struct{})
		if w.ended {
			close(w.done)
		}
	}
	w.start()
	return w.done
}

func (w *writer) start() {
	if w.running || w.ended {
		return
	}
	w.running = true
	if w.sock != nil && w.final == nil {
		w.sock.g.crew.add(w)
		return
	}
	go w.run()
}

// What the crew writes for a member before its turn is over.
const (
	maxDash = 4 << 10 // bytes at a time
	maxLaps = 8
)

// dash writes, without waiting, what is little. It is the crew's part of loop.
func (w *writer) dash() {
	for {
		own, last, m := w.next()
		switch {
		case last:
			go w.run()
			return
		case own != nil:
			if !w.put(own, nil) {
				return
			}
		case m != nil:
			if !w.sprint(m) {
				return
			}
		default:
			return
		}
	}
}

// sprint writes what m has, if that is little. With false, somebody else goes on.
func (w *writer) sprint(m *bus.Member) bool {
	for range maxLaps {
		data, _, ok := m.Next()
		if !ok {
			return true
		}
		if len(data) > maxDash {
			go w.loop(data, m)
			return false
		}
		if !w.put(data, m) {
			return false
		}
	}
	go w.loop(nil, m)
	return false
}

// put writes data, which is from a member or the connection's own, without
// waiting. With false, a goroutine goes on, or it has failed.
func (w *writer) put(data []byte, of *bus.Member) bool {
	if _, err := w.conn.Write(data); err != nil {
		w.end(err)
		return false
	}
	if w.sock.full() {
		go w.loop(nil, of)
		return false
	}
	return true
}

// loop writes until there is nothing left to write: first what of has been given
// already.
func (w *writer) loop(given []byte, of *bus.Member) {
	if err := w.resume(given, of); err != nil {
		w.end(err)
		return
	}
	for {
		own, last, m := w.next()
		switch {
		case own != nil:
			if _, err := w.conn.Write(own); err != nil || last {
				w.end(err)
				return
			}
		case m != nil:
			if err := w.deliver(m); err != nil {
				w.end(err)
				return
			}
		default:
			return
		}
	}
}

// resume goes on where the crew has stopped.
func (w *writer) resume(given []byte, of *bus.Member) error {
	if w.sock != nil {
		w.patient = true
		if err := w.sock.rest(); err != nil {
			return err
		}
	}
	if len(given) > 0 {
		if _, err := w.conn.Write(given); err != nil {
			return err
		}
	}
	if of == nil {
		return nil
	}
	return w.deliver(of)
}

// next chooses what to write, or notes that the loop ends.
func (w *writer) next() (own []byte, last bool, m *bus.Member) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.final != nil:
		return w.final, true, nil
	case len(w.control) > 0:
		own, w.control = w.control, nil
		return own, false, nil
	case len(w.ready) > 0:
		m = w.ready[0]
		n := copy(w.ready, w.ready[1:])
		w.ready[n] = nil
		w.ready = w.ready[:n]
		return nil, false, m
	}
	if w.patient {
		w.patient = false
		w.sock.hasten()
	}
	w.running = false
	return nil, false, nil
}

// deliver writes what m has, until something else is due at a frame boundary or
// m has no more.
func (w *writer) deliver(m *bus.Member) error {
	for {
		data, whole, ok := m.Next()
		if !ok {
			return nil
		}
		if _, err := w.conn.Write(data); err != nil {
			return err
		}
		if whole && w.yields(m) {
			return nil
		}
	}
}

// yields says whether anything but m, which is being written, is due: then m gets
// another turn.
func (w *writer) yields(m *bus.Member) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.final == nil && len(w.control) == 0 && len(w.ready) == 0 {
		return false
	}
	w.queue(m)
	return true
}

func (w *writer) end(err error) {
	w.mu.Lock()
	w.running, w.ended = false, true
	w.ready, w.control = nil, nil
	if w.done != nil {
		close(w.done)
	}
	w.mu.Unlock()
	if err != nil {
		w.failed()
	}
}
