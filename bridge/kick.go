package bridge

import (
	"slices"

	"mles/bridge/bus"
	"mles/v2"
)

// reasonKicked is an operator who wants somebody out; v2 and v1 WebSocket clients find it in a
// close frame with 1008.
const reasonKicked = "kicked"

// Kick closes the connections that have a membership which whom wants out, and returns how many they are: v1
// over TCP behind a whole frame, WebSockets with 1008 "kicked". A v1 WebSocket leaves all its channels at once.
// whom is called for one member after the other, with no lock held, and not for somebody who joins meanwhile.
//
// Nothing keeps a client that was kicked from coming back: that takes another key, or other channels. The histories
// still tell what it said; see [Gateway.Purge].
func (g *Gateway) Kick(whom func(Member) bool) (closed int) {
	g.mu.Lock()
	sessions, _ := g.open()
	g.mu.Unlock()
	for _, s := range sessions {
		if s.kick(func(m *bus.Member) bool { who, is := look(m); return is && whom(who) }) {
			g.counters.count(&g.counters.revoked, reasonKicked)
			closed++
		}
	}
	return closed
}

func (c *v1conn) kick(whom func(*bus.Member) bool) bool {
	if !c.seat.some(whom) {
		return false
	}
	c.revoke(reasonKicked)
	return true
}

func (c *wsconn) kick(whom func(*bus.Member) bool) bool {
	if !c.seat.some(whom) {
		return false
	}
	c.g.log.Warn("no longer allowed", c.label(), "client", c.sock.name(), "uid", c.uid, "channel", c.channel, "reason", reasonKicked)
	c.close(v2.ClosePolicy, reasonKicked)
	return true
}

// A visitor of the site is no member.
func (v *visit) kick(func(*bus.Member) bool) bool { return false }

// some says whether one of the memberships is such a one. Those that have ended are none.
func (s *seat) some(such func(*bus.Member) bool) bool {
	s.mu.Lock()
	members, left := s.members, s.left
	s.mu.Unlock()
	return !left && slices.ContainsFunc(members, such)
}
