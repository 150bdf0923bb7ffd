package bench

import "time"

// latency sends at a fixed rate and counts how long after its intended time each
// message reaches each subscriber. The server's slowness does not slow the sender,
// and so cannot hide.
func (t *trial) latency() (*Sample, error) {
	var late recorders
	c, pubs, err := t.assemble(func(i int, in *inbox) { in.lateBy = late.of(i) })
	if err != nil {
		return nil, err
	}
	n := uint64(t.load.Messages)
	if n == 0 {
		n = max(1, uint64(t.load.Rate*t.load.Duration.Seconds()))
	}
	m, err := t.meter()
	if err != nil {
		return nil, err
	}
	var own recorder
	begin := now() + int64(20*time.Millisecond)
	for i, p := range pubs {
		// The publishers of a crowd of channels do not all send at the same moment.
		offset := int64(float64(i) / float64(len(pubs)) * float64(time.Second) / t.load.Rate)
		t.spawn(func() error { return p.paced(t.load.Rate, n, begin+offset, &own) })
	}
	last, err := c.wait()
	if err != nil {
		return nil, err
	}
	s := new(Sample)
	s.spread(late.merged())
	s.put(deliveries, float64(c.got())/m.elapsed(last))
	s.put(ownLate, own.h.Quantile(.99)/1e9)
	return s, m.usage(s, c.got(), cpuDelivery)
}
