package bench

import "fmt"

// replay fills the history of each channel and has members join, some at a time,
// each until it has the last message.
func (t *trial) replay() (*Sample, error) {
	if t.who.Sub.Dialect == Raw {
		t.keep = (t.load.Messages + maxProbes) * t.size
	}
	if err := t.fill(); err != nil {
		return nil, err
	}
	m, err := t.meter()
	if err != nil {
		return nil, err
	}
	var times recorders
	n := t.load.Channels * t.load.Members
	got := make([]uint64, n)
	err = t.parallel(n, t.load.Parallel, func(i int) error {
		begin := now()
		k := i % t.load.Channels
		l, err := t.open(role{target: t.who.Sub, uid: fmt.Sprintf("joiner-%07d", i), channel: t.channel(k)})
		if err != nil {
			return err
		}
		defer t.drop(l)
		in := t.newInbox(t.channel(k), k, 1)
		in.midway = true // its oldest messages the server may have forgotten
		if err := l.receive(in, t); err != nil {
			return err
		}
		got[i] = in.got
		times.of(i).record(now() - begin)
		return nil
	})
	if err != nil {
		return nil, err
	}
	end := now()
	var total uint64
	for _, g := range got {
		total += g
	}
	s := new(Sample)
	s.put(deliveries, float64(total)/m.elapsed(end))
	s.put(joins, float64(n)/m.elapsed(end))
	s.put(replayed, float64(total)/float64(n))
	s.spread(times.merged())
	return s, m.usage(s, total, cpuDelivery)
}

// maxProbes is how many probes may precede the messages.
const maxProbes = 1000

// fill sends the messages that will be history, and sees them arrive.
func (t *trial) fill() error {
	c, pubs, err := t.assemble(nil)
	if err != nil {
		return err
	}
	for _, p := range pubs {
		t.spawn(func() error { return p.flood(t.load.Batch, uint64(t.load.Messages), 0) })
	}
	if _, err := c.wait(); err != nil {
		return err
	}
	for _, p := range pubs {
		t.drop(p.link)
	}
	t.drop(c.links()...)
	return nil
}
