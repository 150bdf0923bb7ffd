package conformance

// A V1WSConn is a raw client of v1 over WebSocket after its upgrade. It joins any
// number of channels, each by the first body that names it.
type V1WSConn struct{ *WSConn }

// A V1WSSeat is what a V1WSConn is in one channel. Seats of one connection read
// from the same stream: what comes tells by its body which channel it is of.
type V1WSSeat struct {
	*V1WSConn
	// UID and Channel are those of the body that joined.
	UID, Channel string
}

// DialV1WS connects to the target's v1 WebSocket address and upgrades in the usual
// way, and sends no body.
func (t *T) DialV1WS() *V1WSConn {
	c := t.DialV1WSDeaf()
	c.Listen()
	return c
}

// DialV1WSDeaf is DialV1WS for a client that reads nothing until Listen, and
// answers no pings.
func (t *T) DialV1WSDeaf() *V1WSConn {
	h := t.DialV1WSHTTP()
	h.Send(h.Request(""))
	return h.ExpectV1WSUpgrade()
}

// DialV1WSHTTP connects to the target's v1 WebSocket address and sends nothing.
func (t *T) DialV1WSHTTP() *HTTPConn { return t.dialHTTP(t.target.v1ws, "v1ws") }

// ExpectV1WSUpgrade is ExpectUpgrade for a client that goes on in v1.
func (h *HTTPConn) ExpectV1WSUpgrade() *V1WSConn { return &V1WSConn{h.upgraded(meaningV1WS)} }

// meaningV1WS tells what a frame says, in one line.
func meaningV1WS(a arrival) string {
	if a.first == Fin|OpBinary {
		return "binary " + meaningBody(a.payload)
	}
	return meaningWS(a.first, a.payload)
}

// SendBody sends a body in one frame.
func (c *V1WSConn) SendBody(body string) { c.SendBinary(body) }

// Join sends the first body of uid in channel, with a message or "". Nothing tells
// a v1 client that it has joined: see Room.
func (c *V1WSConn) Join(uid, channel, message string) *V1WSSeat {
	s := c.as(uid, channel)
	s.Say(message)
	return s
}

// JoinWith sends a first body of the case's own, which is expected to join as uid.
func (c *V1WSConn) JoinWith(uid, channel, body string) *V1WSSeat {
	s := c.as(uid, channel)
	c.SendBody(body)
	return s
}

func (c *V1WSConn) as(uid, channel string) *V1WSSeat {
	c.name.set("%s/v1ws", uid[:min(len(uid), 32)])
	return &V1WSSeat{V1WSConn: c, UID: uid, Channel: channel}
}

// Body is the body of a message under the seat's own names, as every sender
// writes it.
func (s *V1WSSeat) Body(message string) string { return string(Map3(s.UID, s.Channel, message)) }

// Say sends a message under the seat's own names and returns the body.
func (s *V1WSSeat) Say(message string) string {
	body := s.Body(message)
	s.SendBody(body)
	return body
}

// ExpectBody wants these bodies next, in this order, byte for byte, each in one
// binary frame, and nothing between them.
func (c *V1WSConn) ExpectBody(bodies ...string) {
	for _, body := range bodies {
		c.ExpectFrame(Fin|OpBinary, body)
	}
}

// bodiesUntil returns the bodies that come before last, which comes too.
func (c *V1WSConn) bodiesUntil(last string) []string {
	var bodies []string
	for {
		a := c.next(meaningBody([]byte(last)))
		switch {
		case a.first != Fin|OpBinary:
			c.t.Fatalf("%s got %s; want a body in a binary frame", c.name.String(), c.means(a))
		case string(a.payload) == last:
			return bodies
		}
		bodies = append(bodies, string(a.payload))
	}
}
