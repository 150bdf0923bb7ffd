package conformance

import (
	"encoding/json"
	"slices"
)

// Next returns the next frame: its first byte (Fin|OpText …) and payload.
func (c *V2Conn) Next() (first byte, payload string) {
	a := c.next("a frame")
	return a.first, string(a.payload)
}

// next returns the next frame; the case fails if there is none.
func (c *V2Conn) next(want string) arrival {
	a, ok := c.in.take(c.t.remaining())
	switch {
	case !ok:
		c.t.Fatalf("%s got nothing within %v; want %s", c.name.String(), c.t.Patience(), want)
	case a.end != nil:
		c.t.Fatalf("%s's connection ended (%v); want %s", c.name.String(), a.end, want)
	}
	return a
}

// ExpectText and ExpectBinary want this message next, in one frame. Join notices
// before it are passed over, as servers may send them when they like; ExpectFrame
// passes over nothing.
func (c *V2Conn) ExpectText(s string)   { c.expect(Fin|OpText, s, true) }
func (c *V2Conn) ExpectBinary(s string) { c.expect(Fin|OpBinary, s, true) }

// ExpectFrame wants exactly this frame next: its first byte and payload.
func (c *V2Conn) ExpectFrame(first byte, payload string) { c.expect(first, payload, false) }

// ExpectPong wants the answer to a ping, passing over join notices.
func (c *V2Conn) ExpectPong(payload string) { c.expect(Fin|OpPong, payload, true) }

func (c *V2Conn) expect(first byte, payload string, passNotices bool) {
	want := meaningWS(first, []byte(payload))
	for {
		a := c.next(want)
		if a.first == first && string(a.payload) == payload {
			return
		}
		if !passNotices || !c.isNotice(a) {
			c.t.Fatalf("%s got %s; want %s", c.name.String(), meaningV2(a), want)
		}
	}
}

// A Notice is what a join notice says.
type Notice struct {
	UID     string
	Channel string
	HasAuth bool // which it must not
}

// ReadNotice reads a join notice: a JSON object with text for uid and channel.
func ReadNotice(text string) (Notice, bool) {
	var o map[string]json.RawMessage
	var n Notice
	if json.Unmarshal([]byte(text), &o) != nil || json.Unmarshal(o["uid"], &n.UID) != nil || json.Unmarshal(o["channel"], &n.Channel) != nil {
		return n, false
	}
	_, n.HasAuth = o["auth"]
	return n, true
}

func (c *V2Conn) isNotice(a arrival) bool {
	n, ok := ReadNotice(string(a.payload))
	return ok && a.first == Fin|OpText && n.Channel == c.Channel
}

// ExpectNotice wants a join notice of uid next, in the connection's channel. That
// it holds no auth is checked by one case, so that a server that leaves it in does
// not fail all of them; the notice is returned.
func (c *V2Conn) ExpectNotice(uid string) Notice {
	a := c.next("a join notice of " + uid)
	n, ok := ReadNotice(string(a.payload))
	if a.first != Fin|OpText || !ok || n.UID != uid || n.Channel != c.Channel {
		c.t.Fatalf("%s got %s; want a join notice of %s in %s", c.name.String(), meaningV2(a), uid, c.Channel)
	}
	return n
}

// ExpectClose wants a close frame with one of the codes next, answers it, and
// wants the server to close the connection and to send nothing more.
func (c *V2Conn) ExpectClose(codes ...int) {
	a := c.next("a close frame")
	code, _ := closeOf(a.payload)
	if a.first != Fin|OpClose || !slices.Contains(codes, code) {
		c.t.Fatalf("%s got %s; want a close frame with %v", c.name.String(), meaningV2(a), codes)
	}
	c.SendFrame(Fin|OpClose, string(a.payload[:min(2, len(a.payload))]))
	if a, ok := c.in.take(c.t.remaining()); !ok {
		c.t.Fatalf("%s: the connection is still open %v after close frames both ways", c.name.String(), c.t.Patience())
	} else if a.end == nil {
		c.t.Fatalf("%s got %s after a close frame", c.name.String(), meaningV2(a))
	}
}

// ExpectRefused wants the server to end the connection, with a close frame of any
// code or without, and to send nothing else.
func (c *V2Conn) ExpectRefused() {
	a, ok := c.in.take(c.t.remaining())
	if ok && a.end == nil && a.first == Fin|OpClose {
		c.SendFrame(Fin|OpClose, string(a.payload[:min(2, len(a.payload))]))
		a, ok = c.in.take(c.t.remaining())
	}
	switch {
	case !ok:
		c.t.Fatalf("%s was not closed within %v", c.name.String(), c.t.Patience())
	case a.end == nil:
		c.t.Fatalf("%s got %s; want the connection closed", c.name.String(), meaningV2(a))
	}
}

// Drain takes all that comes until the connection ends and returns the frames, a
// close frame among them, as "text …" and the like for messages.
func (c *V2Conn) Drain() []string {
	var frames []string
	for {
		a, ok := c.in.take(c.t.remaining())
		if !ok {
			c.t.Fatalf("%s was not closed within %v", c.name.String(), c.t.Patience())
		}
		if a.end != nil {
			return frames
		}
		frames = append(frames, meaningV2(a))
	}
}
