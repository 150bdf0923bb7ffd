package bridge

import (
	"bytes"

	"mles/bridge/bus"
)

// maxHeld bounds in bytes what is taken from the bus and waits for an uplink to
// settle; the rest waits in the bus.
const maxHeld = 1 << 20

// A feed is a peering's place on the bus while it has one: what it has taken
// from there and not sent yet survives an uplink that was refused.
type feed struct {
	member *bus.Member
	wake   chan struct{}   // holds a token when there may be something to take
	cut    chan bus.Reason // holds the reason when the subscription has ended
	seq    int64           // of upstreams.seq, just before it was made

	// Of whoever sends.
	skip []byte      // the first frame that was borrowed: not to be sent again, once
	part []byte      // of a frame larger than a write of the bus
	held []heldFrame // taken from the bus, until it is known that the server has taken the uplink
	size int         // bytes held
}

// A heldFrame waits for its uplink to settle.
type heldFrame struct {
	frame   []byte
	d       digest
	who     string // whose it is, where that can be told
	arrives bool   // and says nothing but that they do
	gone    bool   // has gone up already
}

// Wake implements [bus.Sink].
func (o *feed) Wake(*bus.Member) {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Cut implements [bus.Sink].
func (o *feed) Cut(_ *bus.Member, why bus.Reason) {
	select {
	case o.cut <- why:
	default:
	}
}

// take returns the next whole frames from the bus, or nil if there are none now.
// They are valid until it is called again.
func (o *feed) take(budget *bus.Budget) []byte {
	budget.Add(-int64(cap(o.part)))
	o.part = nil
	for {
		data, whole, ok := o.member.Next()
		switch {
		case !ok:
			return nil // a frame that has been begun is always given to its end
		case whole && o.part == nil:
			return data
		}
		before := cap(o.part)
		o.part = append(o.part, data...)
		budget.Add(int64(cap(o.part) - before))
		if whole {
			return o.part
		}
	}
}

// drop gives up what is held.
func (o *feed) drop(budget *bus.Budget) {
	budget.Add(-int64(o.size + cap(o.part)))
	o.held, o.size, o.part = nil, 0, nil
}

// begin makes ready for a new uplink: all that is held is to go up, but for the
// first frame of gu, by which it arrives, if that is among it. gu may be nil.
func (o *feed) begin(gu *guest) {
	o.skip = nil
	if gu != nil && gu.seq > o.seq {
		o.skip = gu.first
	}
	for i := range o.held {
		o.held[i].gone = false
	}
}

// hold keeps a copy of a frame. The pointer is good until the next one is held.
func (o *feed) hold(h heldFrame, budget *bus.Budget) *heldFrame {
	h.frame = bytes.Clone(h.frame)
	o.held = append(o.held, h)
	o.size += len(h.frame)
	budget.Add(int64(len(h.frame)))
	return &o.held[len(o.held)-1]
}

// skips says whether frame is the one not to be sent, which it is once.
func (o *feed) skips(frame []byte) bool {
	if o.skip == nil || !bytes.Equal(o.skip, frame) {
		return false
	}
	o.skip = nil
	return true
}

// overtakes says whether the arrival of who, which is held at place n, may go
// before what is held: not before what the same one has said.
func (o *feed) overtakes(who string, n int) bool {
	for i := range o.held[:n] {
		if h := &o.held[i]; !h.gone && h.who == who {
			return false
		}
	}
	return true
}
