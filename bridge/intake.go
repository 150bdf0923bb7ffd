package bridge

import (
	"errors"
	"sync"
	"time"

	"mles/bridge/bus"
)

const (
	// freeHold is how much of a begun frame every connection may hold without
	// asking.
	freeHold = 16 << 10
	// intakePatience is how long a sender waits for memory before the frame
	// that has been under way for longest is given up.
	intakePatience = 5 * time.Second
	// intakePause is the least time between two frames given up.
	intakePause = 50 * time.Millisecond
)

// errIntake ends a connection whose begun frame was given up for others.
var errIntake = errors.New("frame given up: no memory for frames half received")

// intake bounds the memory of frames half received: a quarter of the budget, so
// that begun frames cannot crowd out the channels, nor small frames be kept
// waiting by large ones.
type intake struct {
	budget *bus.Budget
	limit  int64

	mu      sync.Mutex
	used    int64
	holds   map[*hold]struct{} // those over freeHold
	freed   chan struct{}      // closed when used falls
	lastCut time.Time
}

// hold is what one connection holds of a frame it is sending.
type hold struct {
	giveUp func() // ends the connection
	n      int64  // bytes held; guarded by intake.mu where over freeHold
	since  time.Time
}

func newIntake(b *bus.Budget) *intake {
	limit := max(b.Limit()/4, 2*(16<<20+64))
	return &intake{budget: b, limit: limit, holds: make(map[*hold]struct{}), freed: make(chan struct{})}
}

// set makes h hold n bytes. Where that is more than before and too much at the
// moment it waits. It reports whether it waited.
func (in *intake) set(h *hold, n int64) (waited bool, err error) {
	if n <= freeHold && h.n <= freeHold {
		in.budget.Add(n - h.n)
		h.n = n
		return false, nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if h.n <= freeHold {
		h.since = time.Now()
	}
	for n > h.n && in.used+n-over(h.n) > in.limit {
		waited = true
		if err := in.wait(h); err != nil {
			return waited, err
		}
	}
	in.used += over(n) - over(h.n)
	in.budget.Add(n - h.n)
	if n < h.n {
		close(in.freed)
		in.freed = make(chan struct{})
	}
	h.n = n
	if n > freeHold {
		in.holds[h] = struct{}{}
	} else {
		delete(in.holds, h)
	}
	return waited, nil
}

// over is the part of a hold that counts against the intake's own limit.
func over(n int64) int64 {
	if n <= freeHold {
		return 0
	}
	return n
}

// wait lets go of the lock until memory has been freed. A wait in vain gives up
// the frame that has been under way for longest, which may be h's own.
func (in *intake) wait(h *hold) error {
	freed := in.freed
	in.mu.Unlock()
	timer := time.NewTimer(intakePatience)
	defer timer.Stop()
	select {
	case <-freed:
		in.mu.Lock()
		return nil
	case now := <-timer.C:
		in.mu.Lock()
		if now.Sub(in.lastCut) < intakePause {
			return nil
		}
		in.lastCut = now
	}
	oldest := h
	for other := range in.holds {
		if other.since.Before(oldest.since) {
			oldest = other
		}
	}
	if oldest == h {
		return errIntake
	}
	oldest.giveUp()
	return nil
}
