package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A crowd is connections that receive.
type crowd struct {
	t         *trial
	receivers []*receiver
	absent    []atomic.Int64 // by channel: who has not shown to be there
	left      sync.WaitGroup // receivers not yet done
}

type receiver struct {
	link   *link
	in     *inbox
	doneAt int64
}

// gather opens subs subscribers for each of the channels from … from+n-1, each
// with pubs publishers, and has them receive.
func (t *trial) gather(from, n, subs, pubs int, prepare func(i int, in *inbox)) (*crowd, error) {
	c := &crowd{t: t, receivers: make([]*receiver, n*subs), absent: make([]atomic.Int64, n)}
	err := t.parallel(n*subs, dialers, func(i int) error {
		k := i / subs
		channel := t.channel(from + k)
		l, err := t.open(role{target: t.who.Sub, uid: fmt.Sprintf("subscriber-%06d", i), channel: channel})
		if err != nil {
			return err
		}
		r := &receiver{link: l, in: t.newInbox(channel, (from+k)*pubs, pubs)}
		c.absent[k].Add(1)
		r.in.ready = &c.absent[k]
		if prepare != nil {
			prepare(i, r.in)
		}
		c.receivers[i] = r
		c.receive(r)
		return nil
	})
	return c, err
}

// receive has one of the crowd receive until it is done.
func (c *crowd) receive(r *receiver) {
	c.left.Add(1)
	c.t.spawn(func() error {
		defer c.left.Done()
		err := r.link.receive(r.in, c.t)
		r.doneAt = now()
		if err != nil && c.t.ctx.Err() == nil && !r.link.dropped.Load() { // not closed by us
			c.t.cancel(err) // before it counts as done
		}
		return nil
	})
}

// probeEvery is how often whoever has not joined yet is looked for.
const probeEvery = 20 * time.Millisecond

// present sends probes until all of the crowd have shown that they joined. For
// each channel there is one publisher in by.
func (c *crowd) present(by []*publisher) error {
	return c.t.parallel(len(by), 64, func(i int) error {
		for c.absent[i].Load() > 0 {
			if err := by[i].probe(); err != nil {
				return err
			}
			for wait := time.Millisecond; wait < probeEvery && c.absent[i].Load() > 0; wait *= 2 {
				if err := c.t.pause(wait); err != nil {
					return err
				}
			}
		}
		c.t.moved.Add(1)
		return nil
	})
}

// presentBy does that with publishers that leave again.
func (c *crowd) presentBy(from, number int) error {
	probers := make([]*publisher, len(c.absent))
	err := c.t.parallel(len(probers), dialers, func(i int) (err error) {
		probers[i], err = c.t.newPublisher(number+i, c.t.channel(from+i))
		return err
	})
	if err == nil {
		err = c.present(probers)
	}
	for _, p := range probers {
		if p != nil {
			c.t.drop(p.link)
		}
	}
	return err
}

// wait waits until all are done, and returns when the last one was.
func (c *crowd) wait() (last int64, err error) {
	done := make(chan struct{})
	go func() {
		c.left.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-c.t.ctx.Done():
		<-done // they end when their links are closed
	}
	if err := context.Cause(c.t.ctx); err != nil {
		return 0, err
	}
	for _, r := range c.receivers {
		last = max(last, r.doneAt)
	}
	return last, nil
}

// got is how many messages the crowd has received in all.
func (c *crowd) got() (n uint64) {
	for _, r := range c.receivers {
		n += r.in.got
	}
	return n
}

func (c *crowd) links() []*link {
	links := make([]*link, len(c.receivers))
	for i, r := range c.receivers {
		links[i] = r.link
	}
	return links
}
