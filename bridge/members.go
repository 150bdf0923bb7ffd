package bridge

import (
	"iter"
	"net/netip"
	"time"

	"mles/bridge/bus"
)

// A Member is one membership of a channel: who is there, since when, by which key,
// and what went to and fro. One v1 WebSocket may be several.
type Member struct {
	Visit
	Since time.Time
	// LastMessage is when the last message came from it; zero: none has.
	LastMessage time.Time
	// Lag is how many bytes of the channel it has not taken yet, those that it
	// is being given included. One that is given nothing any more has none.
	Lag int64
	// In is what it has said since it joined, Out what it has been given to
	// read, history and arrivals included. Bytes are messages as its dialect has
	// them, with v1's headers; those of Out include the frames of a WebSocket.
	// Out.Messages is as of the last time that it had caught up.
	In, Out Traffic
}

// A Visit is who is, or was, on a channel.
type Visit struct {
	Dialect string // as in [Stats]: "v1", "v2", "v1ws"
	Channel string
	Called  string // what the client calls the channel, where that is its masked name; else ""
	UID     string
	Addr    netip.AddrPort // the client's; invalid where its connection has none
	Key     Credential     // what let it in
}

// Traffic is what went one way between a member and its channel.
type Traffic struct{ Messages, Bytes int64 }

// A Channel is one that has members or history.
type Channel struct {
	Name     string
	Members  map[string]int // by dialect, without those of which there are none
	History  Traffic        // events remembered, and the bytes that they take
	LastUsed time.Time      // when somebody last joined, spoke or left
}

// A Witness is told of everybody who has joined, and that they have left, by the
// goroutine of the connection: its methods must be quick, and may be called at the
// same time. Whoever was refused, or said nothing before leaving, is no visit.
type Witness interface {
	Joined(Visit)
	Left(Visit)
}

// A client is the sink of a member that somebody outside has joined as; those of
// the gateway's own are none.
type client interface {
	// visit says who m is. It is fixed before m joins, but for the line of its
	// key, which may be another one after a change of configuration.
	visit(m *bus.Member) Visit
}

// Members yields everybody who is on a channel, in no order. It goes from channel
// to channel and holds no lock meanwhile: who joins or leaves while it runs may be
// missed. Memory is taken for the members of one channel at a time.
func (g *Gateway) Members() iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for c := range g.bus.Channels() {
			for m := range members(c) {
				if !yield(m) {
					return
				}
			}
		}
	}
}

// MembersOf yields those on one channel.
func (g *Gateway) MembersOf(channel string) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		if c, ok := g.bus.Census(channel); ok {
			members(c)(yield)
		}
	}
}

func members(c bus.Census) iter.Seq[Member] {
	return func(yield func(Member) bool) {
		for _, m := range c.Members {
			if who, is := look(m); is && !yield(who) {
				return
			}
		}
	}
}

// look tells who m is; is is false where it is nobody outside, or has left.
func look(m *bus.Member) (who Member, is bool) {
	c, ok := m.Sink().(client)
	u, present := m.Usage()
	if !ok || !present {
		return Member{}, false
	}
	if !u.Subscribed {
		u.Lag = 0
	}
	return Member{
		Visit:       c.visit(m),
		Since:       m.Since(),
		LastMessage: u.Last,
		Lag:         u.Lag,
		In:          Traffic(u.In),
		Out:         Traffic(u.Out),
	}, true
}

// Channels yields every channel, in no order, as Members does.
func (g *Gateway) Channels() iter.Seq[Channel] {
	return func(yield func(Channel) bool) {
		for c := range g.bus.Channels() {
			if !yield(channelOf(c)) {
				return
			}
		}
	}
}

// Channel looks at one channel; ok is false where it has neither members nor history.
func (g *Gateway) Channel(name string) (c Channel, ok bool) {
	census, ok := g.bus.Census(name)
	if !ok {
		return Channel{}, false
	}
	return channelOf(census), true
}

func channelOf(c bus.Census) Channel {
	ch := Channel{Name: c.Channel, Members: make(map[string]int), History: Traffic(c.History), LastUsed: c.LastUsed}
	for _, m := range c.Members {
		if who, ok := m.Sink().(client); ok {
			ch.Members[who.visit(m).Dialect]++
		}
	}
	return ch
}

// came tells the witness of a member that has joined, and counts it.
func (g *Gateway) came(m *bus.Member, in *traffic) {
	if g.conf.Witness != nil {
		g.conf.Witness.Joined(m.Sink().(client).visit(m))
	}
	in.joins.Add(1)
	in.members.Add(1)
}

// went does the same when it has left, and returns what it has done.
func (g *Gateway) went(m *bus.Member, in *traffic) bus.Usage {
	if g.conf.Witness != nil {
		g.conf.Witness.Left(m.Sink().(client).visit(m))
	}
	in.members.Add(-1)
	u, _ := m.Usage()
	in.messagesOut.Add(u.Out.Messages)
	in.bytesOut.Add(u.Out.Bytes)
	return u
}
