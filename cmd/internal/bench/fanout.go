package bench

import "fmt"

// fanout floods each channel and counts what its subscribers receive, in the time
// from the first message sent until the last subscriber has its last one. With
// Load.Stopped as many more members of each channel never read.
func (t *trial) fanout() (*Sample, error) {
	if err := t.stopped(); err != nil {
		return nil, err
	}
	c, pubs, err := t.assemble(nil)
	if err != nil {
		return nil, err
	}
	m, err := t.meter()
	if err != nil {
		return nil, err
	}
	for _, p := range pubs {
		t.spawn(func() error { return p.flood(t.load.Batch, t.messages(), t.load.Duration) })
	}
	last, err := c.wait()
	if err != nil {
		return nil, err
	}
	s := new(Sample)
	n := c.got()
	s.put(deliveries, float64(n)/m.elapsed(last))
	s.put(throughput, float64(n)*float64(t.load.Size)/m.elapsed(last))
	return s, m.usage(s, n, cpuDelivery)
}

// messages is how many each publisher sends; 0: as long as the duration lasts.
func (t *trial) messages() uint64 {
	if t.who.Messages > 0 {
		return uint64(t.who.Messages)
	}
	return uint64(t.load.Messages)
}

// assemble opens all subscribers and publishers and makes sure that they are
// there.
func (t *trial) assemble(prepare func(i int, in *inbox)) (*crowd, []*publisher, error) {
	c, err := t.gather(0, t.load.Channels, t.load.Subs, t.load.Pubs, prepare)
	if err != nil {
		return nil, nil, err
	}
	pubs := make([]*publisher, t.load.Channels*t.load.Pubs)
	first := make([]*publisher, t.load.Channels)
	err = t.parallel(len(pubs), dialers, func(i int) (err error) {
		k := i / t.load.Pubs
		pubs[i], err = t.newPublisher(i, t.channel(k))
		if i%t.load.Pubs == 0 {
			first[k] = pubs[i]
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return c, pubs, c.present(first)
}

// stopped opens the members who never read.
func (t *trial) stopped() error {
	n := t.load.Stopped
	return t.parallel(t.load.Channels*n, dialers, func(i int) error {
		_, err := t.open(role{target: t.who.Sub, uid: fmt.Sprintf("stopped-%06d", i), channel: t.channel(i / n), small: true})
		return err
	})
}
