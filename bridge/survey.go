package bridge

import "mles/bridge/bus"

// LagBounds are the upper bounds of a [Lag]'s buckets, in bytes.
func LagBounds() []int64 {
	return []int64{0, 1 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 8 << 20, 16 << 20, 64 << 20}
}

// A Survey sums up the members that there are at one moment, which [Stats] does not look at, and what they and those
// before them were given.
type Survey struct {
	Lag     map[string]*Lag    // by dialect, as in [Stats]
	Out     map[string]Traffic // given to members since the gateway was made, by dialect; see Member.Out
	History Traffic            // events that all channels remember, and the bytes that they take
}

// Lag is how far the members of a dialect are behind at one moment.
type Lag struct {
	Members int64   // that are subscribed
	Within  []int64 // of them, whose lag is at most that of LagBounds at the same place
	Sum     int64   // bytes
	Most    int64   // bytes
}

func (l *Lag) add(bytes int64, bounds []int64) {
	l.Members++
	l.Sum += bytes
	l.Most = max(l.Most, bytes)
	for i, bound := range bounds {
		if bytes <= bound {
			l.Within[i]++
		}
	}
}

// Survey goes through all members. That holds up no channel for longer than it takes to look at a few of them, but
// takes time in proportion to their number: it is for a scrape, not for each request.
func (g *Gateway) Survey() Survey {
	s := Survey{Lag: make(map[string]*Lag), Out: make(map[string]Traffic)}
	bounds := LagBounds()
	for dialect, t := range g.counters.each() {
		s.Lag[dialect] = &Lag{Within: make([]int64, len(bounds))}
		// First those who have left: who leaves meanwhile is missed this time, but not counted twice.
		s.Out[dialect] = Traffic{Messages: t.messagesOut.Load(), Bytes: t.bytesOut.Load()}
	}
	s.History = Traffic(g.bus.Survey(func(d bus.Dialect, u bus.Usage) {
		dialect := dialectName(d)
		if u.Subscribed {
			s.Lag[dialect].add(u.Lag, bounds)
		}
		out := s.Out[dialect]
		out.Messages += u.Out.Messages
		out.Bytes += u.Out.Bytes
		s.Out[dialect] = out
	}))
	g.counters.ascend(s.Out)
	return s
}

// ascend has no count be less than it was told before, as one would be that misses somebody.
func (c *counters) ascend(out map[string]Traffic) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for dialect, t := range c.each() {
		t.shownOut[0] = max(t.shownOut[0], out[dialect].Messages)
		t.shownOut[1] = max(t.shownOut[1], out[dialect].Bytes)
		out[dialect] = Traffic{t.shownOut[0], t.shownOut[1]}
	}
}

// dialectName is what somebody speaks who writes, or is written to, in d.
func dialectName(d bus.Dialect) string {
	switch d {
	case onV1:
		return "v1"
	case onV1WS:
		return "v1ws"
	}
	return "v2"
}
