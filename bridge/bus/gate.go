package bus

import (
	"sync"
	"sync/atomic"
)

// gate stops all publishers at once, for the moment in which memory is short.
// Whoever finds the budget exceeded shuts it: the janitor, who opens it again,
// may have to wait for a turn while hundreds of publishers go on.
type gate struct {
	closed atomic.Bool // so that the usual case takes no lock
	mu     sync.Mutex
	opened chan struct{} // nil when open
	ended  bool          // stays open: the janitor is gone
}

// wait returns a channel that is closed when publishers may go on, or nil.
func (g *gate) wait() <-chan struct{} {
	if !g.closed.Load() {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil && !g.ended {
		g.opened = make(chan struct{})
		g.closed.Store(true)
	}
}

// end opens the gate for ever.
func (g *gate) end() {
	g.mu.Lock()
	g.ended = true
	g.mu.Unlock()
	g.open()
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		g.closed.Store(false)
		close(g.opened)
		g.opened = nil
	}
}
