package bridge

import (
	"errors"

	"mles/bridge/bus"
)

// claim joins, and where the identity is taken asks the holder whether it still
// lives. If it does not answer, its place is taken; if it does, or is being asked
// by somebody else, the error is a *[bus.TakenError].
func (g *Gateway) claim(j bus.Join) (*bus.Member, error) {
	m, err := g.bus.Join(j)
	var taken *bus.TakenError
	if !errors.As(err, &taken) {
		return m, err
	}
	h := taken.Holder.Sink().(holder)
	if !h.challenge() {
		return nil, err
	}
	if !h.alive() {
		j.Replace = taken.Holder
	} // else it may have been its last sign of life
	return g.bus.Join(j)
}
