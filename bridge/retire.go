package bridge

import (
	"net"

	"mles/v2"
)

// reasonListener is a listener that has been retired.
const reasonListener = "listener closed"

// Retire closes listeners that the gateway serves, or has served until they were
// closed, and every connection that they have accepted: v1 ones behind a whole frame, v2 ones with 1001.
// Histories stay, and so do connections of other listeners. Closing a listener without retiring it leaves its
// connections open. Retire returns how many connections it has closed, and does
// not wait for their end.
func (g *Gateway) Retire(listeners ...net.Listener) int {
	gone := make(map[net.Listener]bool)
	for _, l := range listeners {
		gone[l] = true
		l.Close()
	}
	var sessions []session
	var others []*socket
	g.mu.Lock()
	for l := range gone {
		delete(g.listeners, l) // so that what it has accepted just now is not noted
	}
	for s, as := range g.sockets {
		switch {
		case !gone[s.via]:
		case as == nil:
			others = append(others, s)
		default:
			sessions = append(sessions, as)
		}
	}
	g.mu.Unlock()
	for _, s := range others {
		s.Close()
	}
	for _, s := range sessions {
		g.counters.count(&g.counters.revoked, reasonListener)
		s.retire()
	}
	return len(sessions) + len(others)
}

func (c *v1conn) retire() {
	if !c.seat.taken() {
		c.abort()
		return
	}
	c.revoke(reasonListener)
}

func (c *wsconn) retire() {
	if c.seat.taken() {
		c.g.log.Warn("no longer allowed", c.label(), "client", c.sock.name(), "uid", c.uid, "channel", c.channel, "reason", reasonListener)
	}
	c.part(v2.CloseGoingAway, v2.ReasonGoingAway, &ending{reason: reasonListener})
}

func (v *visit) retire() { v.s.Close() }
