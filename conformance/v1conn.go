package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"
)

// A V1Conn is a raw v1 client. What it sends is what it is given; what it
// receives is cut into frames and waits until the case asks.
type V1Conn struct {
	// UID and Channel are those of the first frame that Join sent.
	UID, Channel string

	t    *T
	name label
	nc   net.Conn
	in   *inbox
	done bool
}

// DialV1 connects to the target's v1 address and sends nothing.
func (t *T) DialV1() *V1Conn {
	c := t.dialV1()
	c.listen()
	return c
}

// DialV1Deaf is DialV1 for a client that reads nothing until Listen.
func (t *T) DialV1Deaf() *V1Conn { return t.dialV1() }

func (t *T) dialV1() *V1Conn {
	nc, n := t.dial(t.target.V1)
	c := &V1Conn{t: t, nc: nc, in: newInbox()}
	c.name.set("v1#%d", n)
	t.rec.add(c.name.String(), "-", fmt.Sprintf("connected from %v to %v", nc.LocalAddr(), nc.RemoteAddr()), nil)
	return c
}

// Listen ends the deafness of DialV1Deaf.
func (c *V1Conn) Listen() { c.listen() }

func (c *V1Conn) listen() {
	c.t.readers.Add(1)
	go func() {
		defer c.t.readers.Done()
		for {
			frame, err := readFrame(c.nc)
			if len(frame) > 0 {
				c.t.rec.add(c.name.String(), "<", meaningV1(frame), frame)
			}
			if err != nil {
				c.t.rec.add(c.name.String(), "<", "end: "+err.Error(), nil)
				c.in.put(arrival{raw: frame, end: err}, c.t.ctx.Done())
				return
			}
			c.in.put(arrival{raw: frame, payload: frame[16:]}, c.t.ctx.Done())
		}
	}()
}

// readFrame reads one frame. With an error it returns what came of it.
func readFrame(r io.Reader) ([]byte, error) {
	var b bytes.Buffer
	if _, err := io.CopyN(&b, r, 16); err != nil {
		return b.Bytes(), torn(err, b.Len())
	}
	h := b.Bytes()
	if h[0] != 'M' {
		return h, errors.New("the server sent what is no frame")
	}
	n := int64(h[1])<<16 | int64(h[2])<<8 | int64(h[3])
	if _, err := io.CopyN(&b, r, n); err != nil {
		return b.Bytes(), torn(err, b.Len())
	}
	return b.Bytes(), nil
}

// torn says how a connection ended after n bytes of a frame.
func torn(err error, n int) error {
	if n > 0 {
		return fmt.Errorf("%w inside a frame, after %d bytes of it", err, n)
	}
	return err
}

// Addr is the connection's own address, which keys without a shared key are
// made of.
func (c *V1Conn) Addr() netip.AddrPort { return addrPort(c.nc.LocalAddr()) }

func addrPort(a net.Addr) netip.AddrPort {
	tcp := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(tcp.Addr().WithZone(""), tcp.Port())
}

// Key is the key with which this connection may join.
func (c *V1Conn) Key(uid, channel string) uint64 { return c.t.V1Key(c.Addr(), uid, channel) }

// Frame is a frame as a client of this address would send it: right key, its low
// half as CID, canonical body.
func (c *V1Conn) Frame(uid, channel, message string) []byte {
	key := c.Key(uid, channel)
	return Frame(uint32(key), key, Map3(uid, channel, message))
}

// Msg is Frame with the names that the connection joined with.
func (c *V1Conn) Msg(message string) []byte { return c.Frame(c.UID, c.Channel, message) }

// Join sends the first frame of uid in channel, with a message or "", and returns
// it. Nothing tells a v1 client that it has joined: see Room.
func (c *V1Conn) Join(uid, channel, message string) []byte {
	c.UID, c.Channel = uid, channel
	c.name.set("%s/v1", uid)
	f := c.Msg(message)
	c.Send(f)
	return f
}

// Say sends a message under the connection's own names and returns the frame.
func (c *V1Conn) Say(message string) []byte {
	f := c.Msg(message)
	c.Send(f)
	return f
}

// Send sends bytes, in one write. That the server has closed is not Send's to
// judge: what comes, or does not, decides.
func (c *V1Conn) Send(pieces ...[]byte) {
	b := Cat(pieces...)
	c.t.rec.add(c.name.String(), ">", meaningV1(b), b)
	c.nc.SetWriteDeadline(time.Now().Add(c.t.remaining()))
	if _, err := c.nc.Write(b); err != nil {
		c.t.rec.add(c.name.String(), "-", "write: "+err.Error(), nil)
	}
}

// SendIn sends b in pieces of n bytes, each in a segment of its own.
func (c *V1Conn) SendIn(n int, b []byte) {
	for len(b) > 0 {
		k := min(n, len(b))
		c.Send(b[:k])
		b = b[k:]
		time.Sleep(2 * time.Millisecond)
	}
}

// CloseWrite ends the sending side.
func (c *V1Conn) CloseWrite() {
	c.t.rec.add(c.name.String(), ">", "end of the sending side", nil)
	c.nc.(*net.TCPConn).CloseWrite()
}

// CloseRead ends the receiving side: the client goes on to send.
func (c *V1Conn) CloseRead() {
	c.t.rec.add(c.name.String(), "-", "end of the receiving side", nil)
	c.nc.(*net.TCPConn).CloseRead()
}

// Close closes the connection.
func (c *V1Conn) Close() {
	if c.done {
		return
	}
	c.done = true
	c.t.rec.add(c.name.String(), ">", "close", nil)
	c.nc.Close()
	c.t.closed()
}

// Reset ends the connection by a reset: what a crashed machine leaves behind.
func (c *V1Conn) Reset() {
	c.nc.(*net.TCPConn).SetLinger(0)
	c.Close()
}
