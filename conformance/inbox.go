package conformance

import (
	"sync"
	"time"
)

// An arrival is what a connection received: a frame, or its end.
type arrival struct {
	raw     []byte // the whole frame, header included
	first   byte   // v2: first byte of the frame (Fin|opcode)
	payload []byte // v2: its payload; v1: its body
	end     error  // the connection has ended; nothing follows
}

// maxInbox bounds in bytes what a connection holds for its case: a server that
// sends without end must not fill our memory. It is more than any case expects.
const maxInbox = 64 << 20

// An inbox queues arrivals between a connection's reader and its case, which so
// does not stop the server from writing.
type inbox struct {
	mu    sync.Mutex
	queue []arrival
	size  int           // bytes in queue
	more  chan struct{} // has room for one: something was put
	less  chan struct{} // the same: something was taken
}

func newInbox() *inbox {
	return &inbox{more: make(chan struct{}, 1), less: make(chan struct{}, 1)}
}

// put queues a, and while there is too much waits until some has been taken or
// done is closed.
func (in *inbox) put(a arrival, done <-chan struct{}) {
	in.mu.Lock()
	in.queue = append(in.queue, a)
	in.size += len(a.raw)
	in.mu.Unlock()
	signal(in.more)
	for in.full() {
		select {
		case <-in.less:
		case <-done:
			return
		}
	}
}

func (in *inbox) full() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.size > maxInbox
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// peek returns the next arrival, which stays; false if none comes in time.
func (in *inbox) peek(d time.Duration) (arrival, bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		in.mu.Lock()
		if len(in.queue) > 0 {
			a := in.queue[0]
			in.mu.Unlock()
			return a, true
		}
		in.mu.Unlock()
		select {
		case <-in.more:
		case <-timer.C:
			return arrival{}, false
		}
	}
}

// take returns the next arrival; the end of a connection stays.
func (in *inbox) take(d time.Duration) (arrival, bool) {
	a, ok := in.peek(d)
	if ok && a.end == nil {
		in.mu.Lock()
		in.queue[0] = arrival{}
		in.queue = in.queue[1:]
		in.size -= len(a.raw)
		in.mu.Unlock()
		signal(in.less)
	}
	return a, ok
}
