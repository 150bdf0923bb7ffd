package bridge

import (
	"slices"
	"unicode/utf8"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// Dialects are the names of the dialects that events come in, each at the place of the
// number that [bus.Event] has in From. They never change, and so stand in what is saved.
// The same holds for Event.Op: the opcode of a WebSocket in v2; in v1 0, or 1 where the
// body names another channel, or 2 where the gateway has passed the event on from
// the channel's masked twin.
func Dialects() []string {
	names := make([]string, bus.MaxDialects)
	for _, d := range []bus.Dialect{onV1, onV2, onV1WS} {
		names[d] = dialectName(d)
	}
	return names
}

// SaveHistories gives s what has changed in the channels' histories since it last
// succeeded; see [bus.Bus.Save]. It may be called after [Gateway.Shutdown] and
// [Gateway.Close]: last says that it will not be called again. Only one call at a time,
// always with the same store; Config.Restore puts back what was saved.
func (g *Gateway) SaveHistories(s bus.Store, last bool) error { return g.bus.Save(s, last) }

// restore puts back what was saved of a channel. Events that no member of this gateway could
// have sent, because somebody has written to the files, are left out: whoever is
// given one could not read on.
func (g *Gateway) restore(c *bus.Change) error {
	before := len(c.Events)
	c.Events = slices.DeleteFunc(c.Events, func(e bus.Numbered) bool { return !sound(c.Channel, e.Event) })
	if n := before - len(c.Events); n > 0 {
		g.log.Warn("events that were saved are none, and left out", "channel", c.Channel, "events", n)
	}
	return g.bus.Restore(c)
}

// sound says whether an event is one that a member, or an upstream server, may have sent.
func sound(channel string, e *bus.Event) bool {
	if len(e.UID) > v1.MaxName || !utf8.ValidString(e.UID) {
		return false
	}
	switch e.From {
	case onV1:
		h, err := v1.ParseHeader(e.Data)
		return err == nil && len(e.Data) == v1.HeaderLen+h.Len
	case onV1WS:
		return len(e.Data) > 0 && len(e.Data) <= v1.MaxBody
	case onV2:
		op := e.Join && e.Op == 0 || e.Op == v2.OpBinary || e.Op == v2.OpText && utf8.Valid(e.Message)
		return op && !e.Opaque && len(e.Data) == 0 && v1.Msg{UID: e.UID, Channel: channel, Message: e.Message}.Size() <= v1.MaxBody
	}
	return false
}
