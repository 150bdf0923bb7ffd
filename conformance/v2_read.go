package conformance

import (
	"bytes"
	"slices"
	"strings"
)

// SendEach sends bytes one by one.
func (c *WSConn) SendEach(b []byte) {
	for i := range b {
		c.Send(b[i : i+1])
	}
}

// ExpectBytes wants the next frame to be these bytes, its header included.
func (c *WSConn) ExpectBytes(frame []byte) {
	a := c.next(meaningWS(frame[0], nil))
	if !bytes.Equal(a.raw, frame) {
		c.t.Fatalf("%s got a frame of %d bytes that begins with %x; want %d bytes, %x", c.name.String(),
			len(a.raw), a.raw[:min(len(a.raw), 10)], len(frame), frame[:min(len(frame), 10)])
	}
}

// ExpectNothingOf reads up to the binary message last, and wants none of the
// frames before it to hold the uid's join notice or the text.
func (c *V2Conn) ExpectNothingOf(uid, text, last string) {
	for {
		a := c.next(last)
		n, isNotice := ReadNotice(string(a.payload))
		switch {
		case isNotice && n.UID == uid, strings.Contains(string(a.payload), text):
			c.t.Fatalf("%s got %s; want nothing of %s", c.name.String(), meaningV2(a), uid)
		case string(a.payload) == last:
			return
		}
	}
}

// UpTo returns the payloads of all messages up to the binary message last, join
// notices and control frames left out.
func (c *V2Conn) UpTo(last string) []string {
	var got []string
	for {
		a := c.next(last)
		if c.isNotice(a) || a.first&0x0f >= OpClose {
			continue
		}
		if a.first == Fin|OpBinary && string(a.payload) == last {
			return got
		}
		got = append(got, string(a.payload))
	}
}

// ExpectTimes wants text to be there n times before the binary message last.
func (c *V2Conn) ExpectTimes(n int, text, last string) {
	got := 0
	for _, m := range c.UpTo(last) {
		if m == text {
			got++
		}
	}
	if got != n {
		c.t.Fatalf("%s got %q %d times; want %d", c.name.String(), text, got, n)
	}
}

// expectEqual fails the case at the first message that is not the wanted one.
func expectEqual(t *T, who string, got, want []string) {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s's message %d of %d is %s; want %s", who, i+1, len(got), short(got[i]), short(want[i]))
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("%s got %d messages; want %d", who, len(got), len(want))
	}
}
