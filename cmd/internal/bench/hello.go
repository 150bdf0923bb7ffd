package bench

import "time"

// hello is the comparison of Mles's author: subscribers wait, somebody connects
// and sends one message, and what counts is the time until the last one has it.
func (t *trial) hello() (*Sample, error) {
	var times Histogram
	for round := range t.load.Rounds {
		took, err := t.helloOnce(round)
		if err != nil {
			return nil, err
		}
		times.Add(took)
	}
	s := new(Sample)
	s.Latency = &times
	s.put(p50, times.Quantile(.5)/1e9)
	s.put(shortest, times.Quantile(0)/1e9)
	s.put(longest, times.Quantile(1)/1e9)
	return s, nil
}

func (t *trial) helloOnce(round int) (took int64, err error) {
	c, err := t.gather(round, 1, t.load.Subs, 1, nil)
	if err != nil {
		return 0, err
	}
	if err := c.presentBy(round, proberNumber); err != nil {
		return 0, err
	}
	if err := t.pause(50 * time.Millisecond); err != nil {
		return 0, err
	}
	begin := now()
	p, err := t.newPublisher(round, t.channel(round))
	if err != nil {
		return 0, err
	}
	if err := p.write(p.newBlock(0), 1, begin, true); err != nil {
		return 0, err
	}
	last, err := c.wait()
	t.drop(append(c.links(), p.link)...)
	return last - begin, err
}

// proberNumber is the first number of publishers that only probe.
const proberNumber = 900_000
