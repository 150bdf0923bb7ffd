package bridge

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// errProbeClosed is what a probe of a closed gateway finds.
var errProbeClosed = errors.New("the gateway is closed")

// Probe returns nil when all that its connections wait for does move: the locks that everybody takes, each channel's too,
// are free; the ping wheel and the bus's janitor turn; those who write for others go on. It takes a second or two, and as
// good as no computing. Where something stands still, the error names it once ctx ends, and what was waited for goes on
// waiting: a gateway that is found so is of no use any more, and only good for being started anew.
//
// A gateway that drains works; one that has been closed does not.
func (g *Gateway) Probe(ctx context.Context) error {
	var at atomic.Pointer[string]
	done := make(chan error, 1)
	go func() { done <- g.probe(ctx, func(part string) { at.Store(&part) }) }()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	case <-ctx.Done():
	}
	return fmt.Errorf("no progress: %s: %w", *at.Load(), ctx.Err())
}

// probe looks at one part after the other, and says before which it is.
func (g *Gateway) probe(ctx context.Context, look func(part string)) error {
	look("the list of connections")
	takes(&g.mu)
	look("the admission of members")
	takes(g.admission.RLocker())
	look("the channels")
	for range g.bus.Channels() {
	}
	turns := []struct {
		part string
		n    func() uint64 // another value when it has turned
	}{
		{"the ping wheel", g.wheel.position},
		{"the bus's janitor", g.bus.Rounds},
	}
	before := make([]uint64, len(turns))
	for i, turn := range turns {
		look(turn.part)
		before[i] = turn.n()
	}
	for i, turn := range turns {
		look(turn.part)
		if err := g.until(ctx, func() bool { return turn.n() != before[i] }); err != nil {
			return err
		}
	}
	look("the writers")
	first := g.crew.first()
	return g.until(ctx, func() bool { return first == nil || g.crew.first() != first })
}

// takes takes a lock for a moment.
func takes(l sync.Locker) {
	l.Lock()
	defer l.Unlock()
}

// until waits for ok to hold.
func (g *Gateway) until(ctx context.Context, ok func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-g.closing:
			return errProbeClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// position is the slot that was visited last.
func (w *wheel) position() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return uint64(w.at)
}

// first is the writer whose turn is next; nil: none waits.
func (c *crew) first() *writer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next == len(c.queue) {
		return nil
	}
	return c.queue[c.next]
}
