package conformance

import (
	"bytes"
	"fmt"
	"time"
)

// A Room is a channel of the case's own and the members that it has there. It
// makes certain what the protocol leaves open: no dialect tells a client
// that it has joined, nor that nothing more will come.
//
// V1, V2 and V1WS bring a new member together with those present: they send each other
// knocks until each has heard the other, and what came before is dropped. So
// afterwards everyone is in, and nobody has anything left to read. Knocks are
// messages and so stand in the channel's history: cases about history use Visit.
type Room struct {
	Channel string

	t       *T
	members []member
	knocks  int
}

// A member is what all dialects have in common for Room.
type member interface {
	who() string
	knock(token string)
	inboxOf() *inbox
	meaning(a arrival) string
}

func (c *V1Conn) who() string              { return c.name.String() }
func (c *V1Conn) knock(token string)       { c.Say(token) }
func (c *V1Conn) inboxOf() *inbox          { return c.in }
func (c *V1Conn) meaning(a arrival) string { return meaningV1(a.raw) }

func (c *WSConn) who() string              { return c.name.String() }
func (c *WSConn) inboxOf() *inbox          { return c.in }
func (c *WSConn) meaning(a arrival) string { return c.means(a) }
func (c *V2Conn) knock(token string)       { c.SendBinary(token) }
func (c *V1WSSeat) knock(token string)     { c.Say(token) }

// Room returns an empty channel.
func (t *T) Room() *Room { return t.RoomNamed(t.Channel()) }

// RoomNamed is a room in a channel of the case's choice: ChannelUnicode, or one
// with a prefix.
func (t *T) RoomNamed(channel string) *Room { return &Room{Channel: channel, t: t} }

// V1 joins a v1 member, with an empty message, and brings it together with the others.
func (r *Room) V1(uid string) *V1Conn {
	c := r.t.DialV1()
	c.Join(uid, r.Channel, "")
	r.Meet(c)
	return c
}

// V2 does the same with a v2 member.
func (r *Room) V2(uid string) *V2Conn {
	c := r.t.DialV2()
	c.Hello(uid, r.Channel)
	r.Meet(c)
	return c
}

// V1WS does the same with a v1 WebSocket that is in no other channel yet.
func (r *Room) V1WS(uid string) *V1WSSeat {
	s := r.t.DialV1WS().Join(uid, r.Channel, "")
	r.Meet(s)
	return s
}

// Meet brings a connection that has sent its first frame in the room's channel
// together with the members, and makes it one.
func (r *Room) Meet(m member) {
	if len(r.members) > 0 {
		r.introduce(m)
	}
	r.members = append(r.members, m)
}

// Leave takes a member out, which the case closes itself or uses on its own.
func (r *Room) Leave(m member) {
	for i, other := range r.members {
		if other == m {
			r.members = append(r.members[:i:i], r.members[i+1:]...)
			return
		}
	}
}

func (r *Room) introduce(m member) {
	r.t.Logf("%s and the others make sure of each other", m.who())
	host := r.members[0]
	last := r.knockUntilHeard(host, m)
	// The host's own first frame may still be under way, so it is knocked at
	// until it hears, too.
	back := r.knockUntilHeard(m, host)
	r.dropUntil(m, last)
	for _, other := range r.members {
		if other == host {
			r.dropUntil(other, back)
		} else {
			r.dropUntil(other, last, back)
		}
	}
}

// knockUntilHeard has one member knock until the other hears it, and returns the
// last knock.
func (r *Room) knockUntilHeard(from, to member) string {
	give := time.Now().Add(r.t.remaining())
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		token := r.token()
		from.knock(token)
		for end := time.Now().Add(pause); time.Now().Before(end); {
			a, ok := to.inboxOf().peek(time.Until(end))
			if !ok {
				break
			}
			if a.end != nil {
				r.t.Fatalf("%s's connection ended before it was in the channel: %v", to.who(), a.end)
			}
			if bytes.Contains(a.raw, []byte("knock-")) {
				return token // it stays queued: dropUntil finds it
			}
			to.inboxOf().take(0)
		}
		if time.Now().After(give) {
			r.t.Fatalf("%s does not hear %s within %v", to.who(), from.who(), r.t.Patience())
		}
	}
}

func (r *Room) token() string {
	r.knocks++
	return fmt.Sprintf("knock-%d-%s", r.knocks, token(4))
}

// dropUntil takes what a member received, up to the last of the tokens.
func (r *Room) dropUntil(m member, tokens ...string) {
	for missing := len(tokens); missing > 0; {
		a, ok := m.inboxOf().take(r.t.remaining())
		switch {
		case !ok:
			r.t.Fatalf("%s did not hear a message of another member within %v", m.who(), r.t.Patience())
		case a.end != nil:
			r.t.Fatalf("%s's connection ended before it was in the channel: %v", m.who(), a.end)
		}
		for _, token := range tokens {
			if bytes.Contains(a.raw, []byte(token)) {
				missing--
			}
		}
	}
}

// Quiet proves that no member has anything left to read: each in turn sends a
// message, and it must be the next thing that all others get. What the case did
// before must have reached somebody, or these messages could overtake it.
func (r *Room) Quiet() {
	r.t.Logf("each member says something, which must be the next thing that the others get")
	for _, from := range r.members {
		token := r.token()
		from.knock(token)
		for _, to := range r.members {
			if to == from {
				continue
			}
			a, ok := to.inboxOf().take(r.t.remaining())
			switch {
			case !ok:
				r.t.Fatalf("%s did not get the message of %s within %v", to.who(), from.who(), r.t.Patience())
			case a.end != nil:
				r.t.Fatalf("%s's connection ended: %v; want it open", to.who(), a.end)
			case !bytes.Contains(a.raw, []byte(token)):
				r.t.Fatalf("%s got %s; want nothing until %s's message %q", to.who(), to.meaning(a), from.who(), token)
			}
		}
	}
}

// VisitV1 has a v1 client join the room's channel, with an empty message, send the
// messages, and leave. It returns when the server has taken it all, and returns
// the frames, join included, as the history must now have them at its end.
func (r *Room) VisitV1(uid string, messages ...string) [][]byte {
	c := r.t.DialV1()
	frames := [][]byte{c.Join(uid, r.Channel, "")}
	for _, m := range messages {
		frames = append(frames, c.Say(m))
	}
	c.SeeOff()
	return frames
}

// SeeOff ends the sending side and waits until the server has done so too: it has
// then taken everything. A server that does not is given a second.
func (c *V1Conn) SeeOff() {
	c.CloseWrite()
	seeOff(c.in)
	c.Close()
}

// VisitV2 does the same with a v2 client and binary messages.
func (r *Room) VisitV2(uid string, messages ...string) {
	c := r.t.DialV2()
	c.Hello(uid, r.Channel)
	for _, m := range messages {
		c.SendBinary(m)
	}
	c.SeeOff()
}

// SeeOff sends a close frame and waits until the server has closed.
func (c *WSConn) SeeOff() {
	c.SendClose(1000)
	seeOff(c.in)
	c.Close()
}

func seeOff(in *inbox) {
	give := time.Now().Add(time.Second)
	for {
		if a, ok := in.take(time.Until(give)); !ok || a.end != nil {
			return
		}
	}
}
