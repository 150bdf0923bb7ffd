package bridge

import "mles/bridge/bus"

// A twinGuest is a member of the plain channel, as the upstreams of the masked one are
// told of it.
type twinGuest struct {
	links   *maskLinks
	channel string
	guest   *guest // nil where they are not
}

// expect links the channel that somebody is about to join over WebSocket, so that the
// history is complete when that happens.
func (k *maskLinks) expect(j *bus.Join) *twinGuest {
	t := &twinGuest{links: k, channel: j.Channel}
	l := k.get(j.Channel)
	m, ok := maskedMsg(j.Channel, &j.First)
	if l == nil || !ok {
		return t
	}
	masked, err := disguise(l.mask, m)
	if err != nil {
		masked.UID, masked.Channel, masked.Message = l.mask.Name(m.UID), l.mask.Masked(), nil
	}
	first := relayedEvent(k.g, masked, true)
	t.guest, err = k.g.upstreams.expect(&bus.Join{Channel: l.mask.Masked(), Dialect: onV1, Sink: j.Sink, First: first})
	if err != nil {
		k.g.log.Warn("the masked channel is not connected to the upstreams", "channel", j.Channel, "reason", err.Error())
	}
	return t
}

// settle is told whether the member has joined. The link may have ended meanwhile
// because one of the channels was forgotten; while the member is there they cannot be.
func (t *twinGuest) settle(joined bool) {
	if !joined {
		return
	}
	if t.guest != nil {
		t.guest.arrived()
	}
	t.links.renew(t.channel)
}

// left is told that the member has left, or not joined.
func (t *twinGuest) left() {
	if t.guest != nil {
		t.guest.left()
	}
}
