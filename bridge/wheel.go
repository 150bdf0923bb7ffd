package bridge

import (
	"sync"
	"time"
)

// pingEvery is how often a v2 connection is pinged.
const pingEvery = 24 * time.Second

// wheel visits every connection once in pingEvery, with one timer for all of
// them: each stands in one of its slots, which come up one a second.
type wheel struct {
	mu    sync.Mutex
	slots [int(pingEvery / time.Second)]map[visited]struct{}
	at    int // the slot that was visited last

	once    sync.Once
	closing chan struct{}
	ended   chan struct{}
}

// visited is called by the wheel and must not block.
type visited interface{ visit() }

func newWheel() *wheel {
	w := &wheel{closing: make(chan struct{}), ended: make(chan struct{})}
	for i := range w.slots {
		w.slots[i] = make(map[visited]struct{})
	}
	go w.turn()
	return w
}

// add puts v on the wheel, to be visited for the first time after pingEvery, and
// returns its slot.
func (w *wheel) add(v visited) (slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slots[w.at][v] = struct{}{}
	return w.at
}

func (w *wheel) remove(v visited, slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.slots[slot], v)
}

func (w *wheel) turn() {
	defer close(w.ended)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var due []visited
	for {
		select {
		case <-tick.C:
		case <-w.closing:
			return
		}
		w.mu.Lock()
		w.at = (w.at + 1) % len(w.slots)
		due = due[:0]
		for v := range w.slots[w.at] {
			due = append(due, v)
		}
		w.mu.Unlock()
		for _, v := range due {
			v.visit()
		}
		clear(due)
	}
}

func (w *wheel) close() {
	w.once.Do(func() { close(w.closing) })
	<-w.ended
}
