package bridge_test

import (
	"bufio"
	"fmt"
	"net"
)

// A v2client writes and reads v2's bytes.
type v2client struct {
	*house
	nc           net.Conn
	r            *bufio.Reader
	uid, channel string
}

// v2 connects somebody who has been upgraded and not yet said hello.
func (h *house) v2() *v2client {
	h.Helper()
	return h.v2On(h.callV2())
}

func (h *house) v2On(nc net.Conn) *v2client {
	h.Helper()
	h.keep(nc)
	c := &v2client{house: h, nc: nc, r: bufio.NewReader(nc)}
	if err := upgrade(nc, c.r, upgradeRequest("/", subprotocol)); err != nil {
		h.Fatal(err)
	}
	return c
}

// v2Joins connects somebody who joins and waits until that has happened.
func (h *house) v2Joins(uid, channel string) *v2client {
	h.Helper()
	c := h.v2()
	h.joins("v2", func() { c.join(uid, channel) })
	return c
}

// join says hello, with auth where that is due.
func (c *v2client) join(uid, channel string) {
	c.Helper()
	c.uid, c.channel = uid, channel
	hello := fmt.Sprintf(`{"uid":"%s","channel":"%s"}`, uid, channel)
	if len(c.conf.V2Keys) > 0 {
		hello = fmt.Sprintf(`{"uid":"%s","channel":"%s","auth":"%s"}`, uid, channel, v2Auth(uid, channel, c.conf.V2Keys[0]))
	}
	c.sends(final(opText, hello))
}

// says sends a whole message and returns the frame that others get.
func (c *v2client) says(f wsFrame) wsFrame {
	c.Helper()
	c.sends(final(f.op, f.data))
	return f
}

func (c *v2client) sends(b []byte) {
	c.Helper()
	if _, err := c.nc.Write(b); err != nil {
		c.Fatalf("%s cannot send: %v", c.uid, err)
	}
}

// onV1 is the frame that v1 members get for what it says; "" for its arrival.
func (c *v2client) onV1(message string) []byte {
	secret := dotted(c.nc.LocalAddr())
	if len(c.conf.V1Keys) > 0 {
		secret = c.conf.V1Keys[0]
	}
	return keyed(v1Key(secret, c.uid, c.channel), msgBody(c.uid, c.channel, message))
}

// gets reads frames, which must be these.
func (c *v2client) gets(frames ...wsFrame) {
	c.Helper()
	for i, want := range frames {
		got, err := readWSFrame(c.r)
		if err != nil {
			c.Fatalf("%s reads frame %d of %d: %v, want %v", c.uid, i+1, len(frames), err, want)
		}
		if got != want {
			c.Fatalf("%s reads frame %d of %d: %v, want %v", c.uid, i+1, len(frames), got, want)
		}
	}
}

// closed reads a close frame, answers it and reads the end of the stream, which
// must not be a reset.
func (c *v2client) closed(code int, reason string) {
	c.Helper()
	c.gets(closing(code, reason))
	c.sends(final(opClose, closing(code, "").data))
	c.ends()
}

// lastFrame reads until a close frame comes.
func (c *v2client) lastFrame() wsFrame {
	c.Helper()
	for {
		if f, err := readWSFrame(c.r); err != nil {
			c.Fatalf("%s waits for a close frame: %v", c.uid, err)
		} else if f.op == opClose {
			return f
		}
	}
}

// ends reads the end of the stream, with nothing before it.
func (c *v2client) ends() {
	c.Helper()
	if got, err := readWSFrame(c.r); !ended(err) {
		c.Fatalf("%s reads %v, %v, want the end", c.uid, got, err)
	}
}

// leaves closes the connection and waits until the gateway has seen it.
func (c *v2client) leaves() {
	c.Helper()
	before := c.Stats().Members
	c.nc.Close()
	c.until(c.uid+" leaves", func() bool { return c.Stats().Members < before })
}
