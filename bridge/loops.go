package bridge

import (
	"bytes"
	"fmt"
	"time"

	"mles/bridge/bus"
)

// loopWindow is for how long the return of an arrival under a member's name counts:
// later it may be that member, who comes again.
const loopWindow = 5 * time.Second

// A loopError says that what goes up over an uplink comes back by another way. It
// is certain where the arrival that came back was under the gateway's own name;
// else the next one will be.
type loopError struct {
	way     string
	certain bool
}

func (e *loopError) Error() string {
	if !e.certain {
		return fmt.Sprintf("perhaps a loop: the same arrival has come from %s; looking closer", e.way)
	}
	return fmt.Sprintf("loop: our own arrival has come back through %s; this way stays closed as long as that one is open", e.way)
}

// A way is how an event has reached the gateway.
type way struct {
	name    string
	peering *peering // nil: a member here
	first   bool     // as a member's own arrival
	replay  bool     // perhaps of something that happened long ago
}

// A marked arrival is one that is to be known when it comes round.
type marked struct {
	mark
	at time.Time
	s  *passage
}

// mark notes how the uplink's arrival looks.
func (p *peering) mark(m mark, s *passage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.frame = bytes.Clone(m.frame)
	p.marked = &marked{mark: m, at: time.Now(), s: s}
	p.u.marks.Add(1)
}

func (p *peering) unmark() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.marked != nil {
		p.marked = nil
		p.u.marks.Add(-1)
	}
}

// isMark says whether a frame is the arrival of p's own uplink.
func (p *peering) isMark(frame []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.marked != nil && bytes.Equal(p.marked.frame, frame)
}

// sees is told of every arrival on a channel and the way it came. Where it is one
// of the gateway's own, the uplink that it was sent over closes. It says whether a
// member may not join with it.
func (u *upstreams) sees(channel string, e *bus.Event, w way) (ours bool) {
	if !e.Join || u.marks.Load() == 0 {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.rooms[channel]
	if r == nil {
		return false
	}
	for _, p := range r.peerings {
		if p != w.peering && p.returned(e, w) {
			ours = true
		}
	}
	return ours && w.first
}

// returned says whether e is certainly p's own arrival, and tells the uplink.
func (p *peering) returned(e *bus.Event, w way) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.marked == nil {
		return false
	}
	is, certain := p.marked.in(e, w)
	if is {
		p.marked.s.halted.Store(true) // at once: arrivals are as fast as all else
		select {
		case p.marked.s.looped <- &loopError{way: w.name, certain: certain}:
		default:
		}
	}
	return is && certain
}

// in says whether e is the marked arrival. Its bytes are the same wherever v1 is
// spoken all the way; a name that is the gateway's own is so in all dialects, but
// may be found in histories long after.
func (m *marked) in(e *bus.Event, w way) (is, certain bool) {
	sameFrame := m.frame != nil && e.From == onV1 && bytes.Equal(m.frame, e.Data)
	sameName := m.uid != "" && e.UID == m.uid && !w.replay
	switch {
	case m.own:
		return sameFrame || sameName, true
	case w.first || w.replay || time.Since(m.at) > loopWindow:
		return false, false // those who join compete by their CIDs
	}
	return sameFrame || sameName && e.From != onV1, false
}
