package bridge

import (
	"runtime"
	"sync"
)

// A crew is a few goroutines that write for connections with little to write: a
// channel of a hundred members that are all awaiting the next message is served
// by one goroutine that is running anyway, in place of a hundred that are started
// for one write each. What cannot be written at once is left to a goroutine of the
// connection's own, so that nobody waits for another's client.
//
// The goroutines live only while there is something to do.
type crew struct {
	mu    sync.Mutex
	queue []*writer // from next on
	next  int
	hands int
}

// perHand is how many writers must wait before another goroutine helps.
const perHand = 16

// add has w written at once, as far as its connection takes it.
func (c *crew) add(w *writer) {
	c.mu.Lock()
	c.queue = append(c.queue, w)
	more := c.hands == 0 || c.hands < runtime.GOMAXPROCS(0) && len(c.queue)-c.next > perHand*c.hands
	if more {
		c.hands++
	}
	c.mu.Unlock()
	if more {
		go c.work()
	}
}

func (c *crew) work() {
	for w := c.take(); w != nil; w = c.take() {
		w.dash()
	}
}

// take returns the writer that has waited longest. With nil the goroutine ends.
func (c *crew) take() *writer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == len(c.queue) {
		c.hands--
		c.next, c.queue = 0, c.queue[:0]
		if cap(c.queue) > maxQueue {
			c.queue = nil
		}
		return nil
	}
	w := c.queue[c.next]
	c.queue[c.next] = nil
	c.next++
	if c.next == maxQueue { // never empty for long
		c.queue = c.queue[:copy(c.queue, c.queue[c.next:])]
		c.next = 0
	}
	return w
}

// maxQueue is how many places the queue keeps for later use.
const maxQueue = 1024
