package bridge

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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
	circled bool // through a server that tells of arrivals to later joiners only
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
	retold  bool     // and certainly not for the first time
}

// A marked arrival is one that is to be known when it comes round.
type marked struct {
	mark
	at time.Time
	s  *passage
}

// announce notes how the uplink's arrival looks.
func (p *peering) announce(m mark, s *passage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.frame = bytes.Clone(m.frame)
	p.marked = &marked{mark: m, at: time.Now(), s: s}
	p.u.marks.Add(1)
	if _, _, _, arrives := p.up.transport.inspect(m.sent); !arrives {
		p.u.spoken.Add(1)
		time.AfterFunc(loopWindow, func() { p.u.spoken.Add(-1) })
	}
	if m.mute {
		p.room.muted.Store(true)
	}
}

// retract is told that the uplink has ended.
func (p *peering) retract() {
	p.u.mu.Lock()
	defer p.u.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.marked; m != nil {
		p.marked = nil
		p.u.marks.Add(-1)
		if m.own && m.frame != nil {
			p.room.remember(m.frame)
		}
	}
}

// mark returns how the arrival of p's uplink looks, while there is one.
func (p *peering) mark() *marked {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.marked
}

// isMark says whether a frame is the arrival of p's own uplink.
func (p *peering) isMark(frame []byte) bool {
	m := p.mark()
	return m != nil && bytes.Equal(m.frame, frame)
}

// looksAt says whether e can be an arrival of the gateway's own. A first frame with a
// message looks like any message when it comes round, and so all are looked at for
// a while after one was sent up.
func (u *upstreams) looksAt(e *bus.Event) bool {
	return u.marks.Load() > 0 && (e.Join || u.spoken.Load() > 0)
}

// sees is told of every arrival on a channel and the way it came. Where it is one
// of the gateway's own, the uplink that it was sent over closes. It says whether a
// member may not join with it.
func (u *upstreams) sees(channel string, e *bus.Event, w way) (ours bool) {
	if !u.looksAt(e) {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.rooms[channel]
	if r == nil {
		return false
	}
	p, certain := r.marked(e, w)
	if p == nil {
		return false
	}
	m := p.mark()
	p.loops(&loopError{way: w.name, certain: certain, circled: m != nil && m.mute}, w.first)
	return certain && w.first
}

// marked returns the peering whose arrival e is, if there is one and it has not
// come from there: the latest, where several have arrived alike. Its bytes are the
// same wherever v1 is spoken all the way, and tell exactly. A name that is the
// gateway's own is so in all dialects, but also in histories long after, and on
// all uplinks: then the latest is meant.
func (r *room) marked(e *bus.Event, w way) (of *peering, certain bool) {
	var latest *marked
	same := false // the bytes are those of an uplink, be it the one they came by
	for _, p := range r.peerings {
		m := p.mark()
		if m == nil || m.frame == nil || e.From != onV1 || !bytes.Equal(m.frame, e.Data) {
			continue
		}
		same = true
		fits := m.own || !w.first && !w.replay && time.Since(m.at) < loopWindow // else it may be the member itself, who comes again, or an old tale
		if p != w.peering && fits && (latest == nil || m.at.After(latest.at)) {
			of, certain, latest = p, m.own, m
		}
	}
	if same || !e.Join || e.UID == "" || r.echoes(e.Data) {
		return of, certain
	}
	for _, p := range r.peerings {
		m := p.mark()
		if m == nil || p == w.peering || m.uid != e.UID || latest != nil && m.at.Before(latest.at) {
			continue
		}
		if w.replay && (w.retold || !m.fresh || !m.mute) {
			continue
		}
		fits := m.own && (m.frame == nil || time.Since(m.at) < loopWindow) ||
			!m.own && !w.first && e.From != onV1 && time.Since(m.at) < loopWindow
		if fits {
			of, certain, latest = p, m.own, m
		}
	}
	return of, certain
}

// loops tells p's uplink that its arrival has come round. One that is not open yet
// was the last to close the circle and ends, before anything but arrivals could go
// round. One that is open may be part of a circle that a younger one has closed: it
// sends its arrival again, after a while, and ends if that comes round, too. Where
// that would not be told to those who are there, it ends.
func (p *peering) loops(why *loopError, first bool) {
	m := p.mark()
	switch {
	case m == nil:
	case first: // who tries to join is refused, and that is all it needs
		m.s.reached.Store(true)
	case !m.s.isOpen() || m.mute || m.s.doubt.Load() == doubtSent:
		m.s.halted.Store(true) // at once: arrivals are as fast as all else
		select {
		case m.s.looped <- why:
		default:
		}
	case m.s.doubt.CompareAndSwap(doubtNone, doubtWaits):
		pause := 50*time.Millisecond + time.Duration(rand.Int64N(int64(500*time.Millisecond)))
		time.AfterFunc(pause, func() {
			m.s.doubt.Store(doubtDue)
			m.s.out.Wake(nil)
		})
		time.AfterFunc(doubtTime, func() { m.s.doubt.Store(doubtNone) })
	}
}

// What an open uplink thinks of its arrival's return.
const (
	doubtNone  = iota
	doubtWaits // has seen it
	doubtDue   // is to send it again
	doubtSent  // waits for it
)

// doubtTime is for how long it waits.
const doubtTime = 10 * time.Second

// An echo is an arrival under the gateway's own name over an uplink that has ended:
// it may still be under way.
type echo struct {
	frame []byte
	at    time.Time
}

const (
	echoTime  = time.Minute
	maxEchoes = 64
)

// remember keeps an arrival as an echo.
func (r *room) remember(frame []byte) {
	r.echo = append(r.echo, echo{frame, time.Now()})
	if n := len(r.echo) - maxEchoes; n > 0 {
		r.echo = append(r.echo[:0], r.echo[n:]...)
	}
}

func (r *room) echoes(frame []byte) bool {
	for _, e := range r.echo {
		if bytes.Equal(e.frame, frame) && time.Since(e.at) < echoTime {
			return true
		}
	}
	return false
}
