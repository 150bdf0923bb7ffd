package conformance

import (
	"bytes"
	"slices"
	"time"
)

// Next returns the next frame, whatever it is.
func (c *V1Conn) Next() []byte {
	a, ok := c.in.take(c.t.remaining())
	switch {
	case !ok:
		c.t.Fatalf("%s got nothing within %v", c.name.String(), c.t.Patience())
	case a.end != nil:
		c.t.Fatalf("%s wants a frame, and its connection ended: %v", c.name.String(), a.end)
	}
	return a.raw
}

// ExpectFrame wants these frames next, in this order, byte for byte, and nothing
// between them. So it also proves that nothing else came before them.
func (c *V1Conn) ExpectFrame(frames ...[]byte) {
	for i, want := range frames {
		a, ok := c.in.take(c.t.remaining())
		switch {
		case !ok:
			c.t.Fatalf("%s got nothing within %v (frame %d of %d); want %s", c.name.String(), c.t.Patience(), i+1, len(frames), meaningV1(want))
		case a.end != nil:
			c.t.Fatalf("%s's connection ended (%v); want %s", c.name.String(), a.end, meaningV1(want))
		case !bytes.Equal(a.raw, want):
			c.t.Fatalf("%s got (frame %d of %d) %s; want %s (%x)", c.name.String(), i+1, len(frames), meaningV1(a.raw), meaningV1(want), want[:min(len(want), maxHex)])
		}
	}
}

// ExpectFrames wants these frames next, in any order.
func (c *V1Conn) ExpectFrames(frames ...[]byte) {
	left := slices.Clone(frames)
	for range frames {
		got := c.Next()
		at := slices.IndexFunc(left, func(f []byte) bool { return bytes.Equal(f, got) })
		if at < 0 {
			c.t.Fatalf("%s got %s, which is none of the %d frames that it wants", c.name.String(), meaningV1(got), len(left))
		}
		left = slices.Delete(left, at, at+1)
	}
}

// ExpectMessage wants a frame next whose body has these names and this message,
// in any encoding; it returns the frame.
func (c *V1Conn) ExpectMessage(uid, channel, message string) []byte {
	f := c.Next()
	if b, ok := ReadBody(f[16:]); !ok || b != (Body{uid, channel, message}) {
		c.t.Fatalf("%s got %s; want uid %q channel %q message %s", c.name.String(), meaningV1(f), uid, channel, short(message))
	}
	return f
}

// ExpectClosed wants the server to close the connection, and to send nothing
// before that. A reset is as good as an end.
func (c *V1Conn) ExpectClosed() {
	a, ok := c.in.take(c.t.remaining())
	switch {
	case !ok:
		c.t.Fatalf("%s was not closed within %v", c.name.String(), c.t.Patience())
	case a.end == nil:
		c.t.Fatalf("%s got %s; want the connection closed without a word", c.name.String(), meaningV1(a.raw))
	case len(a.raw) > 0:
		c.t.Fatalf("%s got %d bytes before the end (%v); want none", c.name.String(), len(a.raw), a.end)
	}
}

// Drain takes all that comes until the server closes, and returns the frames.
func (c *V1Conn) Drain() [][]byte {
	var frames [][]byte
	for {
		a, ok := c.in.take(c.t.remaining())
		if !ok {
			c.t.Fatalf("%s was not closed within %v", c.name.String(), c.t.Patience())
		}
		if a.end != nil {
			return frames
		}
		frames = append(frames, a.raw)
	}
}

// ExpectSilence wants nothing to come for d. It costs d, and proves little on a
// loaded machine: Room.Quiet proves the same at once, by a message that comes later.
func (c *V1Conn) ExpectSilence(d time.Duration) {
	if a, ok := c.in.peek(d); ok {
		if a.end != nil {
			c.t.Fatalf("%s's connection ended (%v); want it open and silent", c.name.String(), a.end)
		}
		c.t.Fatalf("%s got %s; want nothing", c.name.String(), meaningV1(a.raw))
	}
}
