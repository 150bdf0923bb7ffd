package bridge_test

import (
	"strings"

	"mles/bridge"
)

// A v1wsclient writes and reads the bytes of v1 over WebSocket, perhaps on several
// channels.
type v1wsclient struct{ *v2client }

// withWS allows v1 over WebSocket.
func withWS(conf bridge.Config) bridge.Config {
	conf.V1WebSocket = true
	return conf
}

// v1ws connects somebody who has been upgraded and said nothing yet.
func (h *house) v1ws() *v1wsclient {
	h.Helper()
	return &v1wsclient{h.v2()}
}

// v1wsJoins connects somebody who joins and waits until that has happened.
func (h *house) v1wsJoins(uid, channel, message string) *v1wsclient {
	h.Helper()
	c := h.v1ws()
	c.uid, c.channel = uid, channel
	c.enters(channel, message)
	return c
}

// enters joins one more channel and waits until that has happened.
func (c *v1wsclient) enters(channel, message string) {
	c.Helper()
	c.joins("v1ws", func() { c.sends(final(opBinary, string(msgBody(c.uid, channel, message)))) })
}

// body is the frame that it, and others on v1 over WebSocket, see of a message.
func body(uid, channel, message string) wsFrame { return blob(string(msgBody(uid, channel, message))) }

// says sends a message on its first channel.
func (c *v1wsclient) says(message string) wsFrame { return c.saysOn(c.channel, message) }

func (c *v1wsclient) saysOn(channel, message string) wsFrame {
	c.Helper()
	f := body(c.uid, channel, message)
	c.sends(final(f.op, f.data))
	return f
}

// onV1 is the frame that v1 members over TCP get for its message.
func (c *v1wsclient) onV1(message string) []byte {
	return c.headed(c.uid, c.channel, msgBody(c.uid, c.channel, message))
}

// headed puts the header that is due before a body which it sent.
func (c *v1wsclient) headed(uid, channel string, b []byte) []byte {
	secret := dotted(c.nc.LocalAddr())
	if len(c.conf.V1Keys) > 0 {
		secret = c.conf.V1Keys[0]
	}
	return keyed(v1Key(secret, uid, channel), b)
}

// onWS is what a v1 WebSocket member sees of a v1 client's message.
func (c *v1client) onWS(message string) wsFrame { return body(c.uid, c.channel, message) }

// onWS is what a v1 WebSocket member sees of a v2 client's message.
func (c *v2client) onWS(message string) wsFrame { return body(c.uid, c.channel, message) }

// longName is a name of as many bytes.
func longName(n int) string { return strings.Repeat("x", n) }
