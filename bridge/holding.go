package bridge

import "mles/bridge/bus"

// A holding is what the history here holds of a channel, counted, as the members of
// a transport's dialect are given it. Where messages may have come by another way than
// the uplink, the order in which the server tells them is another one, and it is
// by number that they are told from new ones.
type holding struct {
	count  map[digest]int
	oldest []digest // the first messages, if there may have been others before
}

// edge is how many messages are looked for to tell how far back a history goes.
const edge = 8

// holding looks into the channel's history.
func (p *peering) holding() (h *holding) {
	m, err := p.u.g.bus.Join(bus.Join{
		Channel: p.room.name, Dialect: p.up.transport.dialect(), Sink: &feed{}, Quiet: true,
		History: func(past []bus.Event) { h = p.weigh(past) },
	})
	if err == nil {
		m.Leave()
	}
	return h
}

// weigh counts a history; nil if there is none.
func (p *peering) weigh(past []bus.Event) *holding {
	if len(past) == 0 {
		return nil
	}
	t := p.up.transport
	c := codec{joins: p.u.g.conf.V2Joins, identity: p.u.g.identity}
	h := &holding{count: make(map[digest]int, len(past))}
	full := len(past) >= p.u.g.bus.HistoryLimit()
	var buf []byte
	for i := range past {
		buf = c.Append(buf[:0], t.dialect(), p.room.name, &past[i], true)
		for rest := buf; len(rest) > 0; {
			n, d, _, arrives := t.inspect(rest)
			h.count[d]++
			if full && !arrives && len(h.oldest) < edge {
				h.oldest = append(h.oldest, d)
			}
			rest = rest[n:]
		}
	}
	return h
}

// sift takes out of what is new in a replay what is held here. Where some of what
// was here has been dropped since, what goes before the oldest that is left is
// known, too.
func (h *holding) sift(replay []trace, isNew []bool) {
	if h == nil {
		return
	}
	until := 0
	old := make(map[digest]bool, len(h.oldest))
	for _, d := range h.oldest {
		old[d] = true
	}
	for i, t := range replay {
		if h.count[t.digest] == 0 {
			continue
		}
		h.count[t.digest]--
		isNew[i] = false
		if old[t.digest] {
			delete(old, t.digest)
			until = i
		}
	}
	for i := range until {
		isNew[i] = false
	}
}
