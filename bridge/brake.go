package bridge

import (
	"sync"
	"time"

	"mles/bridge/bus"
)

const (
	// brakeCount times the same message from one upstream within brakeTime,
	// while it also goes to one that does not tell of arrivals as they happen,
	// is taken for one that goes round and round.
	brakeCount = 64
	brakeTime  = 10 * time.Second
	// brakeProof is how long after the circle has been opened the message must
	// have stopped; one that goes on is said again and again by somebody, and
	// the brake stays off for brakeOff.
	brakeProof = time.Second
	brakeOff   = 10 * time.Minute
	// brakeMost bounds the messages that are counted.
	brakeMost = 4096
)

// A brake stops what the arrivals have not found: where two gateways are clients of
// an old v2 server, which tells arrivals to later joiners only, a circle can close
// without any arrival coming round; see mapping.md, "Loops".
type brake struct {
	mu     sync.Mutex
	since  time.Time // when counting began
	counts map[digest]int
	pulled time.Time // when it was pulled last, because of
	by     digest
	off    time.Time // until then
}

// passes counts a message and says whether the brake is to be pulled.
func (b *brake) passes(d digest, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Before(b.off) {
		return false
	}
	if now.Sub(b.since) > brakeTime || len(b.counts) > brakeMost || b.counts == nil {
		b.since, b.counts = now, make(map[digest]int)
	}
	if b.counts[d]++; b.counts[d] < brakeCount {
		return false
	}
	b.pulled, b.by, b.counts = now, d, nil
	return true
}

// released notes a message that comes while the circle is open, if it was one.
func (b *brake) released(d digest, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if after := now.Sub(b.pulled); d == b.by && after > brakeProof && after < brakeTime {
		b.off = now.Add(brakeOff)
	}
}

// brakes is told of what an uplink of p has brought, and ends another uplink of the
// channel whose server does not tell of arrivals, if it goes round through that.
func (u *upstreams) brakes(p *peering, events []bus.Event) {
	if !p.room.muted.Load() {
		return
	}
	other := u.muteBeside(p)
	now := time.Now()
	for i := range events {
		e := &events[i]
		if !says(e) {
			continue
		}
		if other == nil {
			p.room.brake.released(digestOf(e.Message), now)
		} else if p.room.brake.passes(digestOf(e.Message), now) {
			why := &loopError{way: p.up.URL, certain: true, circled: true}
			other.s.halted.Store(true)
			select {
			case other.s.looped <- why:
			default:
			}
			return
		}
	}
}

// muteBeside returns how another peering of p's channel has arrived at a server
// that does not tell of arrivals, if one has.
func (u *upstreams) muteBeside(p *peering) *marked {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, other := range p.room.peerings {
		if m := other.mark(); other != p && m != nil && m.mute && m.s.isOpen() {
			return m
		}
	}
	return nil
}
