package bench

import (
	"context"
	"fmt"
	"sync/atomic"
)

// storm has members connect, join, say one thing and leave, some at a time, each
// as soon as one before it is through. A join counts when what was said has
// reached an observer of the channel: servers do not answer joins.
func (t *trial) storm() (*Sample, error) {
	arrived := make([]chan uint64, t.load.Parallel)
	for i := range arrived {
		arrived[i] = make(chan uint64, 8)
	}
	c, err := t.gather(0, t.load.Channels, 1, 1, func(_ int, in *inbox) {
		in.arrived = func(worker uint32, seq uint64) {
			select {
			case arrived[worker] <- seq:
			default:
				in.fail("more messages of joiner %d than it sent", worker)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := c.presentBy(0, proberNumber); err != nil {
		return nil, err
	}
	m, err := t.meter()
	if err != nil {
		return nil, err
	}
	members := t.load.Members
	if t.who.Messages > 0 {
		members = t.who.Messages
	}
	var times recorders
	var next atomic.Int64
	err = t.parallel(t.load.Parallel, t.load.Parallel, func(worker int) error {
		for {
			i := next.Add(1) - 1
			if i >= int64(members) {
				return nil
			}
			begin := now()
			if err := t.joinOnce(worker, uint64(i), arrived[worker]); err != nil {
				return err
			}
			times.of(worker).record(now() - begin)
		}
	})
	if err != nil {
		return nil, err
	}
	end := now()
	s := new(Sample)
	s.put(joins, float64(members)/m.elapsed(end))
	s.spread(times.merged())
	return s, m.usage(s, uint64(members), cpuJoin)
}

// joinOnce is one member's stay.
func (t *trial) joinOnce(worker int, i uint64, arrived <-chan uint64) error {
	r := role{target: t.who.Sub, uid: fmt.Sprintf("joiner-%07d", i), channel: t.channel(int(i) % t.load.Channels), publishes: true}
	l, err := t.open(r)
	if err != nil {
		return err
	}
	defer t.drop(l)
	p := &publisher{t: t, link: l, number: uint32(worker), sent: i}
	if err := p.write(p.newBlock(0), 1, 0, false); err != nil {
		return err
	}
	select {
	case seq := <-arrived:
		if seq != i {
			return fmt.Errorf("the observer received message %d of joiner %d, who sent %d", seq, worker, i)
		}
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}
