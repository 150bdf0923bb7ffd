package bench

import "time"

// idle opens members that, but for showing once that they are there, do nothing,
// and reads what memory the server has more than before.
func (t *trial) idle() (*Sample, error) {
	if err := t.warmUp(); err != nil {
		return nil, err
	}
	before, err := t.resident()
	if err != nil {
		return nil, err
	}
	m, err := t.meter()
	if err != nil {
		return nil, err
	}
	each := (t.load.Members + t.load.Channels - 1) / t.load.Channels
	c, err := t.gather(1, t.load.Channels, each, 1, nil)
	if err != nil {
		return nil, err
	}
	if err := c.presentBy(1, proberNumber); err != nil {
		return nil, err
	}
	opened := now()
	after, err := t.resident()
	if err != nil {
		return nil, err
	}
	s := new(Sample)
	n := float64(len(c.receivers))
	if len(t.who.PIDs) > 0 {
		s.put(memConn, (after-before)/n)
		s.put(memTotal, after)
	}
	s.put(joins, n/m.elapsed(opened))
	return s, nil
}

// warmUp has the server make what it needs once, not for each connection.
func (t *trial) warmUp() error {
	c, err := t.gather(0, 1, dialers, 1, nil)
	if err != nil {
		return err
	}
	if err := c.presentBy(0, proberNumber); err != nil {
		return err
	}
	t.drop(c.links()...)
	return t.pause(200 * time.Millisecond)
}

// resident is the server's memory once garbage is collected and things have
// settled.
func (t *trial) resident() (float64, error) {
	if err := t.pause(t.load.Settle); err != nil {
		return 0, err
	}
	if err := t.collect(); err != nil {
		return 0, err
	}
	return memoryOf(t.who.PIDs, "VmRSS")
}
