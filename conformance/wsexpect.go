package conformance

import "slices"

// Next returns the next frame: its first byte (Fin|OpText …) and payload.
func (c *WSConn) Next() (first byte, payload string) {
	a := c.next("a frame")
	return a.first, string(a.payload)
}

// next returns the next frame; the case fails if there is none.
func (c *WSConn) next(want string) arrival {
	a, ok := c.in.take(c.t.remaining())
	switch {
	case !ok:
		c.t.Fatalf("%s got nothing within %v; want %s", c.name.String(), c.t.Patience(), want)
	case a.end != nil:
		c.t.Fatalf("%s's connection ended (%v); want %s", c.name.String(), a.end, want)
	}
	return a
}

// ExpectFrame wants exactly this frame next: its first byte and payload.
func (c *WSConn) ExpectFrame(first byte, payload string) {
	want := c.means(arrival{first: first, payload: []byte(payload)})
	if a := c.next(want); a.first != first || string(a.payload) != payload {
		c.t.Fatalf("%s got %s; want %s", c.name.String(), c.means(a), want)
	}
}

// ExpectClose wants a close frame with one of the codes next, answers it, and
// wants the server to close the connection and to send nothing more.
func (c *WSConn) ExpectClose(codes ...int) {
	a := c.next("a close frame")
	code, _ := closeOf(a.payload)
	if a.first != Fin|OpClose || !slices.Contains(codes, code) {
		c.t.Fatalf("%s got %s; want a close frame with %v", c.name.String(), c.means(a), codes)
	}
	c.SendFrame(Fin|OpClose, string(a.payload[:min(2, len(a.payload))]))
	if a, ok := c.in.take(c.t.remaining()); !ok {
		c.t.Fatalf("%s: the connection is still open %v after close frames both ways", c.name.String(), c.t.Patience())
	} else if a.end == nil {
		c.t.Fatalf("%s got %s after a close frame", c.name.String(), c.means(a))
	}
}

// ExpectRefused wants the server to end the connection, with a close frame of any
// code or without, and to send nothing else.
func (c *WSConn) ExpectRefused() {
	a, ok := c.in.take(c.t.remaining())
	if ok && a.end == nil && a.first == Fin|OpClose {
		c.SendFrame(Fin|OpClose, string(a.payload[:min(2, len(a.payload))]))
		a, ok = c.in.take(c.t.remaining())
	}
	switch {
	case !ok:
		c.t.Fatalf("%s was not closed within %v", c.name.String(), c.t.Patience())
	case a.end == nil:
		c.t.Fatalf("%s got %s; want the connection closed", c.name.String(), c.means(a))
	}
}

// Drain takes all that comes until the connection ends and returns the frames, a
// close frame among them, as "text …" and the like for messages.
func (c *WSConn) Drain() []string {
	var frames []string
	for {
		a, ok := c.in.take(c.t.remaining())
		if !ok {
			c.t.Fatalf("%s was not closed within %v", c.name.String(), c.t.Patience())
		}
		if a.end != nil {
			return frames
		}
		frames = append(frames, c.means(a))
	}
}
