package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// ErrStalled ends a trial in which nothing has moved for the plan's patience.
var ErrStalled = errors.New("nothing moved any more")

// errOver ends what is still going on when a trial is over.
var errOver = errors.New("trial is over")

// A trial is one run of a mode against one contestant, with connections and
// channels of its own.
type trial struct {
	who     Contestant
	load    Load
	mode    Mode
	size    int // of messages as they are sent: the floor's are as large as frames
	keep    int // floor: bytes that channels keep
	tag     uint32
	filler  []byte
	sources *atomic.Uint32

	ctx    context.Context
	cancel context.CancelCauseFunc
	moved  atomic.Int64 // connections opened and messages received
	ended  sync.WaitGroup

	mu    sync.Mutex
	over  bool
	links map[*link]struct{}
}

func newTrial(ctx context.Context, mode Mode, who Contestant, load Load, sources *atomic.Uint32) *trial {
	t := &trial{
		who: who, load: load, mode: mode, size: load.Size, tag: rand.Uint32(), sources: sources,
		links: make(map[*link]struct{}),
	}
	t.ctx, t.cancel = context.WithCancelCause(ctx)
	return t
}

// run plays the mode, and gives up when nothing moves for as long as patience.
func (t *trial) run(patience time.Duration, progress func(moved int64)) (s *Sample, err error) {
	t.filler = filler(t.size)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		t.watch(patience, progress)
	}()
	stop := context.AfterFunc(t.ctx, t.closeLinks)
	s, err = t.play()
	if cause := context.Cause(t.ctx); cause != nil {
		err = cause // what else failed did so because of it
	}
	t.cancel(errOver)
	stop()
	t.closeLinks()
	t.ended.Wait()
	<-watched
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (t *trial) play() (*Sample, error) {
	switch t.mode {
	case Fanout, Slow:
		return t.fanout()
	case Latency:
		return t.latency()
	case Hello:
		return t.hello()
	case Idle:
		return t.idle()
	case Storm:
		return t.storm()
	case Replay:
		return t.replay()
	}
	return nil, fmt.Errorf("bench: no mode %q", t.mode)
}

// watch ends the trial when nothing moves.
func (t *trial) watch(patience time.Duration, progress func(int64)) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	last, since := int64(-1), time.Now()
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-tick.C:
		}
		moved := t.moved.Load()
		if progress != nil {
			progress(moved)
		}
		if moved != last {
			last, since = moved, time.Now()
		} else if time.Since(since) > patience {
			t.cancel(fmt.Errorf("%w for %s, after %d messages and connections", ErrStalled, patience, moved))
		}
	}
}

// adopt has l closed with the trial, unless that is over.
func (t *trial) adopt(l *link) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return false
	}
	t.links[l] = struct{}{}
	return true
}

// drop closes links before the trial is over.
func (t *trial) drop(links ...*link) {
	for _, l := range links {
		t.mu.Lock()
		delete(t.links, l)
		t.mu.Unlock()
		l.dropped.Store(true)
		l.close()
	}
}

func (t *trial) closeLinks() {
	t.mu.Lock()
	t.over = true
	links := t.links
	t.links = nil
	t.mu.Unlock()
	for l := range links {
		l.close()
	}
}

// spawn runs f beside the trial, which its error ends.
func (t *trial) spawn(f func() error) {
	t.ended.Add(1)
	go func() {
		defer t.ended.Done()
		if err := f(); err != nil {
			t.cancel(err)
		}
	}()
}

// dialers is how many connections are made at a time.
const dialers = 16

// parallel calls f for 0 … n-1 from as many goroutines as told, until one fails.
func (t *trial) parallel(n, goroutines int, f func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range min(n, goroutines) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				err := t.ctx.Err()
				if err == nil {
					err = f(i)
				}
				if err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// pause waits, unless the trial ends.
func (t *trial) pause(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}

func (t *trial) channel(i int) string { return channelOf(t.tag, i) }

// channelOf names a channel of a trial. All names have one length, so that all
// frames have.
func channelOf(tag uint32, i int) string { return fmt.Sprintf("b%08x-%05d", tag, i) }
