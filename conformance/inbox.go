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

// An inbox queues arrivals between a connection's reader and its case, which so
// never stops the server from writing.
type inbox struct {
	mu    sync.Mutex
	queue []arrival
	more  chan struct{} // has room for one: something was put
}

func newInbox() *inbox { return &inbox{more: make(chan struct{}, 1)} }

func (in *inbox) put(a arrival) {
	in.mu.Lock()
	in.queue = append(in.queue, a)
	in.mu.Unlock()
	select {
	case in.more <- struct{}{}:
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
		in.queue = in.queue[1:]
		in.mu.Unlock()
	}
	return a, ok
}
