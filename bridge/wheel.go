package bridge

import (
	"sync"
	"time"
)

// wheelSteps is how many seconds the wheel takes to come around.
const wheelSteps = 24

// wheel visits every connection at equal intervals, with one timer for all of
// them: each stands in one of its slots, or several at equal distances, which
// come up one a second.
type wheel struct {
	mu    sync.Mutex
	slots [wheelSteps]map[visited]struct{}
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

// add puts v on the wheel, to be visited every so many seconds, a divisor of
// wheelSteps, for the first time when these have passed. It returns v's slot.
func (w *wheel) add(v visited, every int) (slot int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := 0; n < wheelSteps; n += every {
		w.slots[(w.at+n)%wheelSteps][v] = struct{}{}
	}
	return w.at
}

// remove takes v off again, which add has put into slot.
func (w *wheel) remove(v visited, slot, every int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := 0; n < wheelSteps; n += every {
		delete(w.slots[(slot+n)%wheelSteps], v)
	}
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
		w.at = (w.at + 1) % wheelSteps
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
