package conformance

// headed is the frame that v1 members over TCP get for a body that the connection
// sent as uid in channel: the key that a v1 client of its names and address would
// have, its low half as CID.
func (c *V1WSConn) headed(uid, channel, body string) []byte {
	key := c.t.MadeKey(c.Addr(), uid, channel)
	return Frame(uint32(key), key, []byte(body))
}

// bodies are what v1 WebSocket members of channel get of what was told: the bodies
// of all frames that decode and name the channel.
func (a told) bodies(channel string) []string {
	var bodies []string
	for _, frame := range a.v1 {
		b, ok := ReadBody(frame[16:])
		if ok && b.Channel == channel && len(b.UID) <= maxName {
			bodies = append(bodies, string(frame[16:]))
		}
	}
	return bodies
}

// maxName is how long a uid or channel may be, in bytes.
const maxName = 1024

// tells sends a message and returns what it is to the others.
func (s *V1WSSeat) tells(message string) told { return s.tellsAs(s.UID, message) }

// tellsAs does the same under another uid. An empty message is an arrival to v2
// members.
func (s *V1WSSeat) tellsAs(uid, message string) told {
	body := string(Map3(uid, s.Channel, message))
	s.SendBody(body)
	said := told{v1: [][]byte{s.headed(uid, s.Channel, body)}}
	if message == "" {
		said.v2 = []heard{heardJoin(uid, s.Channel)}
	} else {
		said.v2 = []heard{heardBinary(message)}
	}
	return said
}

// enters joins with an empty message and returns what that is to the others.
func (c *V1WSConn) enters(uid, channel string) (*V1WSSeat, told) {
	s := c.as(uid, channel)
	return s, s.tells("")
}

// visitV1WS has a v1 WebSocket client join the room's channel, with an empty
// message, send the messages, and leave. It returns when the server has taken it
// all, and what everybody is told.
func (r *Room) visitV1WS(uid string, messages ...string) told {
	c := r.t.DialV1WS()
	s, said := c.enters(uid, r.Channel)
	for _, m := range messages {
		said = said.and(s.tells(m))
	}
	s.SeeOff()
	return said
}

// HostWS joins the first member of the room and makes certain that it is in: it is
// sent the join of somebody who was there before.
func (r *Room) HostWS(uid string) *V1WSSeat {
	before := r.visitV1WS(r.t.UID("visitor"))
	s := r.V1WS(uid)
	s.ExpectBody(before.bodies(r.Channel)...)
	return s
}

// hasWS wants a v1 WebSocket joiner to be sent this history and nothing else. What
// it returns is the history afterwards.
func (r *Room) hasWS(history told) told {
	reader, entered := r.t.DialV1WS().enters(r.t.UID("reader"), r.Channel)
	bodies := history.bodies(r.Channel)
	if len(bodies) > 0 {
		reader.ExpectBody(bodies[0]) // it is in: what comes now comes after it
		bodies = bodies[1:]
	}
	end := r.visitV1WS(r.t.UID("yves")).and(r.visitV1WS(r.t.UID("zoe")))
	reader.ExpectBody(bodies...)
	reader.ExpectBody(end.bodies(r.Channel)...)
	reader.Close()
	return history.and(entered).and(end)
}

// heardNothingWS proves that a member of the room has nothing left to read: what
// comes next is the visit of somebody who comes now.
func (r *Room) heardNothingWS(s *V1WSSeat) {
	s.ExpectBody(r.visitV1WS(r.t.UID("zoe")).bodies(r.Channel)...)
}
