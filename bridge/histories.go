package bridge

import (
	"mles/bridge/bus"
)

// Dialects are the names of the dialects that events come in, each at the place of the
// number that [bus.Event] has in From. They never change, and so stand in what is saved.
// The same holds for Event.Op: the opcode of a WebSocket in v2; in v1 0, or 1 where the
// body names another channel, or 2 where the gateway has passed the event on from
// the channel's masked twin.
func Dialects() []string {
	names := make([]string, bus.MaxDialects)
	names[onV1], names[onV2], names[onV1WS] = "v1", "v2", "v1ws"
	return names
}

// SaveHistories gives s what has changed in the channels' histories since it last
// succeeded; see [bus.Bus.Save]. It may be called after [Gateway.Shutdown] and
// [Gateway.Close]: last says that it will not be called again. Only one call at a time,
// always with the same store; Config.Restore puts back what was saved.
func (g *Gateway) SaveHistories(s bus.Store, last bool) error { return g.bus.Save(s, last) }
