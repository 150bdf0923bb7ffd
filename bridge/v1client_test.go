package bridge_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/netip"
)

// A v1client writes and reads v1's bytes.
type v1client struct {
	*house
	nc           net.Conn
	r            *bufio.Reader
	uid, channel string
	key          uint64 // that it sends in its frames
}

// v1 connects somebody who has not yet said a word.
func (h *house) v1() *v1client { return h.v1On(h.callV1()) }

func (h *house) v1On(nc net.Conn) *v1client {
	h.keep(nc)
	return &v1client{house: h, nc: nc, r: bufio.NewReader(nc)}
}

// v1Joins connects somebody who joins and waits until that has happened.
func (h *house) v1Joins(uid, channel, message string) *v1client {
	h.Helper()
	c := h.v1()
	h.joins("v1", func() { c.join(uid, channel, message) })
	return c
}

// join sends the first frame, with the key that is due, and returns it.
func (c *v1client) join(uid, channel, message string) []byte {
	c.Helper()
	c.uid, c.channel = uid, channel
	c.key = v1Key(c.secret(), uid, channel)
	return c.says(message)
}

// secret is what is hashed before the names: the shared key or the address.
func (c *v1client) secret() string {
	if len(c.conf.V1Keys) > 0 {
		return c.conf.V1Keys[0]
	}
	return dotted(c.nc.LocalAddr())
}

// dotted is an address as a client writes it: a.b.c.d:port, or eight groups in
// brackets.
func dotted(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return ""
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return fmt.Sprintf("%s:%d", ip, ap.Port())
	}
	b, s := ip.As16(), "["
	for i := 0; i < 16; i += 2 {
		s += fmt.Sprintf("%x:", int(b[i])<<8|int(b[i+1]))
	}
	return fmt.Sprintf("%s]:%d", s[:len(s)-1], ap.Port())
}

// frame is the frame that it would send with the message.
func (c *v1client) frame(message string) []byte {
	return keyed(c.key, msgBody(c.uid, c.channel, message))
}

func (c *v1client) says(message string) []byte {
	c.Helper()
	return c.sends(c.frame(message))
}

func (c *v1client) sends(b []byte) []byte {
	c.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.Fatalf("%s cannot send: %v", c.uid, err)
	}
	return b
}

// gets reads frames, which must be these, byte for byte.
func (c *v1client) gets(frames ...[]byte) {
	c.Helper()
	for i, want := range frames {
		got, err := readV1Frame(c.r)
		if err != nil {
			c.Fatalf("%s reads frame %d of %d: %v, want %.200q", c.uid, i+1, len(frames), err, want)
		}
		if !bytes.Equal(got, want) {
			c.Fatalf("%s reads frame %d of %d:\n%.200q, want\n%.200q", c.uid, i+1, len(frames), got, want)
		}
	}
}

// ends reads the end of the stream, with nothing before it.
func (c *v1client) ends() {
	c.Helper()
	if got, err := readV1Frame(c.r); !ended(err) {
		c.Fatalf("%s reads %.200q, %v, want the end", c.uid, got, err)
	}
}

// leaves closes the connection and waits until the gateway has seen it.
func (c *v1client) leaves() {
	c.Helper()
	before := c.Stats().Members
	c.nc.Close()
	c.until(c.uid+" leaves", func() bool { return c.Stats().Members < before })
}
