package bridge

import (
	"errors"

	"mles/bridge/bus"
)

// claim joins a member for whom the channel is connected to the upstreams, until it
// leaves; see [Gateway.contend]. The error may be a *[refusal], too.
func (g *Gateway) claim(j bus.Join) (*bus.Member, error) {
	gu, err := g.upstreams.expect(&j)
	if err != nil {
		return nil, err
	}
	j.Left = gu.left
	m, err := g.contend(j)
	if err != nil {
		gu.left()
		return nil, err
	}
	gu.arrived()
	return m, nil
}

// contend joins, and where the identity is taken asks the holder whether it still
// lives. If it does not answer, its place is taken; if it does, or is being asked
// by somebody else, the error is a *[bus.TakenError].
func (g *Gateway) contend(j bus.Join) (*bus.Member, error) {
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
