package bridge

import (
	"errors"
	"net"
	"slices"
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
	intakePause = 5 * time.Millisecond
)

// errIntake ends a connection whose begun frame was given up for others.
var errIntake = errors.New("frame given up: no memory for frames half received")

// intake bounds the memory of frames half received: a quarter of the budget, so
// that begun frames cannot crowd out the channels, nor small frames be kept
// waiting by large ones. Who needs more than there is waits in line. Where all
// that hold something wait for more, nothing would ever come free: when the first
// in line has waited for too long, frames are given up, one at a time.
type intake struct {
	budget *bus.Budget
	limit  int64

	mu    sync.Mutex
	used  int64
	freed int64              // of these held by connections that are about to end
	holds map[*hold]struct{} // those over freeHold that may be given up
	line  []*hold            // those who wait, first come first served
	timer *time.Timer        // runs relieve while somebody waits
}

// hold is what one connection holds of a frame it is sending.
type hold struct {
	giveUp func() // ends the connection; must not block
	n      int64  // bytes held; of the connection's reader, or of the intake while that waits

	// Guarded by intake.mu.
	counts int64         // of n in intake.used
	since  time.Time     // of the frame
	want   int64         // bytes waited for
	asked  time.Time     // when
	served chan struct{} // closed when they are granted or the wait is over; nil: does not wait
	end    error         // errIntake: given up; net.ErrClosed: abandoned
}

func newIntake(b *bus.Budget) *intake {
	limit := max(b.Limit()/4, 2*(16<<20+64))
	return &intake{budget: b, limit: limit, holds: make(map[*hold]struct{})}
}

// set makes h hold n bytes. Where that is more than before and too much at the
// moment it waits. It reports whether it waited. The error is errIntake or, after
// abandon, net.ErrClosed.
func (in *intake) set(h *hold, n int64) (waited bool, err error) {
	if n <= freeHold && h.n <= freeHold {
		in.budget.Add(n - h.n)
		h.n = n
		return false, nil
	}
	in.mu.Lock()
	if h.n <= freeHold {
		h.since = time.Now()
	}
	switch {
	case n <= h.n:
		in.grant(h, n)
		in.serve()
	case h.end != nil:
		err = h.end
	case len(in.line) == 0 && in.fits(h, n):
		in.grant(h, n)
	default:
		in.queue(h, n)
		served := h.served
		in.mu.Unlock()
		<-served
		in.mu.Lock()
		waited, err = true, h.end
	}
	in.mu.Unlock()
	return waited, err
}

// reserve makes h hold n bytes of a begun frame, whose time stands still while that is
// waited for.
func (in *intake) reserve(h *hold, n int, p *pace) error {
	start := time.Now()
	waited, err := in.set(h, int64(n))
	if waited {
		p.restart(start)
	}
	return err
}

// over is the part of a hold that counts against the intake's own limit.
func over(n int64) int64 {
	if n <= freeHold {
		return 0
	}
	return n
}

func (in *intake) fits(h *hold, n int64) bool { return in.used+over(n)-h.counts <= in.limit }

func (in *intake) grant(h *hold, n int64) {
	more := over(n) - h.counts
	in.used += more
	h.counts += more
	if h.end != nil {
		in.freed += more
	}
	in.budget.Add(n - h.n)
	h.n = n
	if n > freeHold && h.end == nil {
		in.holds[h] = struct{}{}
	} else {
		delete(in.holds, h)
	}
}

func (in *intake) queue(h *hold, n int64) {
	h.want, h.asked, h.served = n, time.Now(), make(chan struct{})
	in.line = append(in.line, h)
	if len(in.line) == 1 {
		in.timer = time.AfterFunc(intakePatience, in.relieve)
	}
}

// serve grants what those first in line want, as far as it is there, and
// forgets those who want it no more.
func (in *intake) serve() {
	n := 0
	for _, h := range in.line {
		if h.end == nil {
			if !in.fits(h, h.want) {
				break
			}
			in.grant(h, h.want)
			close(h.served)
			h.served = nil
		}
		n++
	}
	in.line = slices.Delete(in.line, 0, n)
	if n > 0 && len(in.line) == 0 {
		in.timer.Stop()
	}
}

// finish ends h's wait, if it waits, and all later ones.
func (in *intake) finish(h *hold, why error) {
	if h.end != nil {
		return
	}
	h.end = why
	in.freed += h.counts
	delete(in.holds, h)
	if h.served != nil {
		close(h.served)
		h.served = nil
	}
}

// relieve gives up the frame that has been under way for longest if the first in
// line has waited for too long. It comes again as long as somebody waits.
func (in *intake) relieve() {
	in.mu.Lock()
	in.serve()
	if len(in.line) == 0 {
		in.mu.Unlock()
		return
	}
	first := in.line[0]
	if early := intakePatience - time.Since(first.asked); early > 0 {
		in.timer.Reset(early)
		in.mu.Unlock()
		return
	}
	in.timer.Reset(intakePause)
	var oldest *hold
	if in.used-in.freed+over(first.want)-first.counts > in.limit { // else it is coming
		for h := range in.holds {
			if oldest == nil || h.since.Before(oldest.since) {
				oldest = h
			}
		}
	}
	if oldest != nil {
		in.finish(oldest, errIntake)
	}
	in.mu.Unlock()
	if oldest != nil {
		oldest.giveUp()
	}
}

// abandon ends h's wait, if it waits, because its connection is closed.
func (in *intake) abandon(h *hold) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.finish(h, net.ErrClosed)
}

// verdict returns why reading from h's connection has failed: err, unless it was
// closed because its frame was given up.
func (in *intake) verdict(h *hold, err error) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if h.end == errIntake {
		return errIntake
	}
	return err
}
