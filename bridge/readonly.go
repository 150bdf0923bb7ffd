package bridge

import (
	"mles/bridge/bus"
	"mles/v1"
)

// silence takes from the wish of a v1 client that may only read all but its
// arrival: the message of its first frame, and what a peer remembers. It returns
// how many frames that were.
func (c *v1conn) silence(j *bus.Join, own v1.Frame) (unsaid int) {
	unsaid = len(j.Resync)
	if len(j.First.Message) > 0 {
		unsaid++
		j.First.Data = v1.AppendFrame(nil, own.CID, own.Key, v1.Msg{UID: c.uid, Channel: c.channel})
		j.First.Message = nil
	}
	j.Resync = nil
	return unsaid
}

// muted is whether the log says of a connection that nothing of it is published.
// It is of the connection's reader.
type muted bool

// drops counts frames that are not published because v1 only reads, and says
// whether it is the first time that there are any.
func (m *muted) drops(g *Gateway, frames int) (first bool) {
	g.counters.readOnly.Add(int64(frames))
	first = frames > 0 && !bool(*m)
	if first {
		*m = true
	}
	return first
}

func (c *v1conn) dropped(frames int) {
	if c.muted.drops(c.g, frames) {
		c.g.log.Warn("not published: v1 is read-only", "dialect", "v1", "client", c.sock.name(), "uid", c.uid, "channel", c.channel)
	}
}

func (c *v1ws) dropped(frames int) {
	if c.muted.drops(c.g, frames) {
		c.g.log.Warn("not published: v1 is read-only", c.label(), "client", c.sock.name(), "uid", c.uid, "channel", c.channel)
	}
}
