package bridge

import (
	"errors"

	"mles/bridge/bus"
)

// A claim is what a join depends on besides the wish itself.
type claim struct {
	at   *seat   // which the member is given
	sock *socket // of its connection; nil: there is none
	// admits says why a policy does not let the member in, or be there; nil: it
	// does. It is asked again whenever the policy changes, by others than the
	// connection's goroutines.
	admits func(p *policy) *refusal
	// complete fills in what of the wish depends on the policy, anew where it has
	// been filled in before.
	complete func(p *policy, j *bus.Join)

	decided *policy // by which the member was let in last
}

// decide lets a member in by p, or does not.
func (c *claim) decide(p *policy, j *bus.Join) error {
	if r := c.admits(p); r != nil {
		return r
	}
	if c.sock != nil {
		c.sock.g.unjoined.admit(c.sock) // even if its identity turns out to be taken
	}
	c.complete(p, j)
	c.decided = p
	return nil
}

// claim joins a member for whom the channel is connected to the upstreams, until it
// leaves; see [Gateway.contend]. It is a *[refusal] where the policy does not admit
// the member, or an upstream is at the other end of it.
func (g *Gateway) claim(j bus.Join, c claim) (m *bus.Member, err error) {
	if err := c.decide(g.policy.Load(), &j); err != nil {
		return nil, err
	}
	gu, err := g.upstreams.expect(&j)
	if err != nil {
		return nil, err
	}
	j.Left = gu.left
	if g.links != nil && (j.Dialect == onV2 || j.Dialect == onV1WS) {
		twin := g.links.expect(&j)
		j.Left = func() { gu.left(); twin.left() }
		defer func() { twin.settle(err == nil) }()
	}
	m, err = g.contend(&j, &c)
	if err != nil {
		j.Left()
		return nil, err
	}
	gu.arrived()
	return m, nil
}

// contend joins, and where the identity is taken asks the holder whether it still
// lives. If it does not answer, its place is taken; if it does, or is being asked
// by somebody else, the error is a *[bus.TakenError].
func (g *Gateway) contend(j *bus.Join, c *claim) (*bus.Member, error) {
	m, err := g.join(j, c)
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
	return g.join(j, c)
}

// join joins by the policy that holds at that moment: once [Gateway.Reconfigure]
// has put another in its place nobody joins by the old one, and whoever has joined
// is found at a seat.
func (g *Gateway) join(j *bus.Join, c *claim) (*bus.Member, error) {
	g.admission.RLock()
	defer g.admission.RUnlock()
	if p := g.policy.Load(); p != c.decided {
		if err := c.decide(p, j); err != nil {
			return nil, err
		}
	}
	m, err := g.bus.Join(*j)
	if err == nil {
		c.at.take(m, c.admits)
	}
	return m, err
}
