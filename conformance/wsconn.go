package conformance

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A WSConn is a raw client of a WebSocket after its upgrade, whatever is spoken
// over it. It answers pings by itself unless told otherwise, also while the case
// looks elsewhere.
type WSConn struct {
	t           *T
	name        label
	nc          net.Conn
	tcp         *net.TCPConn
	r           *bufio.Reader
	in          *inbox
	means       func(arrival) string // what a frame says, in one line
	answerPings atomic.Bool
	keep        atomic.Value // string: pings with this are left to the case
	done        bool

	writing sync.Mutex // the case and the answers to pings
	frames  boundary   // of what has been written
	pongs   []byte     // that wait for the end of a frame
}

// Listen starts to read. ExpectUpgrade leaves that to the case.
func (c *WSConn) Listen() {
	c.t.readers.Add(1)
	go func() {
		defer c.t.readers.Done()
		for {
			a := readWS(c.r)
			switch {
			case a.end != nil:
				c.t.rec.add(c.name.String(), "<", "end: "+a.end.Error(), a.raw)
				c.in.put(a, c.t.ctx.Done())
				return
			case a.first == Fin|OpPing && c.answers(a):
				c.t.rec.add(c.name.String(), "<", c.means(a), a.raw)
				c.pong(string(a.payload))
			default:
				c.t.rec.add(c.name.String(), "<", c.means(a), a.raw)
				c.in.put(a, c.t.ctx.Done())
			}
		}
	}()
}

// readWS reads one frame. A server must not mask.
func readWS(r io.Reader) arrival {
	var b bytes.Buffer
	get := func(n int64) error {
		_, err := io.CopyN(&b, r, n)
		return err
	}
	if err := get(2); err != nil {
		return arrival{raw: b.Bytes(), end: torn(err, b.Len())}
	}
	first, length := b.Bytes()[0], b.Bytes()[1]
	var err error
	n := int64(length & 0x7f)
	switch n {
	case 126:
		if err = get(2); err == nil {
			n = int64(binary.BigEndian.Uint16(b.Bytes()[2:]))
		}
	case 127:
		if err = get(8); err == nil {
			n = int64(binary.BigEndian.Uint64(b.Bytes()[2:]) & (1<<63 - 1))
		}
	}
	if err == nil && length&0x80 != 0 {
		err = errors.New("the server sent a masked frame")
	}
	head := b.Len()
	if err == nil {
		err = get(n)
	}
	if err != nil {
		return arrival{raw: b.Bytes(), end: torn(err, b.Len())}
	}
	return arrival{raw: b.Bytes(), first: first, payload: b.Bytes()[head:]}
}

// meaningWS tells what a WebSocket frame says, in one line.
func meaningWS(first byte, payload []byte) string {
	names := map[byte]string{OpContinuation: "continuation", OpText: "text", OpBinary: "binary", OpClose: "close", OpPing: "ping", OpPong: "pong"}
	name, ok := names[first&0x0f]
	if !ok {
		name = fmt.Sprintf("opcode %d", first&0x0f)
	}
	if first&0x70 != 0 {
		name += fmt.Sprintf(" with reserved bits %x", first&0x70)
	}
	if first&Fin == 0 {
		name += ", not the last fragment"
	}
	if first&0x0f == OpClose {
		code, reason := closeOf(payload)
		return fmt.Sprintf("%s %d %q", name, code, reason)
	}
	return fmt.Sprintf("%s %s (%d bytes)", name, short(string(payload)), len(payload))
}

// closeOf reads a close frame's payload; without code it is 1005 to the reader. So
// what must not be written out, 1005 itself or one byte, is none that any case
// asks for: -1.
func closeOf(payload []byte) (code int, reason string) {
	switch {
	case len(payload) == 0:
		return 1005, ""
	case len(payload) == 1:
		return -1, "one byte"
	case binary.BigEndian.Uint16(payload) == 1005:
		return -1, "1005, written out"
	}
	return int(binary.BigEndian.Uint16(payload)), string(payload[2:])
}

// Addr is the connection's own address.
func (c *WSConn) Addr() netip.AddrPort { return addrPort(c.tcp.LocalAddr()) }

// ManualPongs leaves pings to the case: they then arrive like any frame.
func (c *WSConn) ManualPongs() { c.answerPings.Store(false) }

// KeepPings leaves pings with that payload to the case.
func (c *WSConn) KeepPings(payload string) { c.keep.Store(payload) }

func (c *WSConn) answers(a arrival) bool {
	return c.answerPings.Load() && c.keep.Load() != string(a.payload)
}

// SendText and SendBinary send one unfragmented message.
func (c *WSConn) SendText(s string)   { c.SendFrame(Fin|OpText, s) }
func (c *WSConn) SendBinary(s string) { c.SendFrame(Fin|OpBinary, s) }

// SendPing sends a ping, SendClose a close frame with a code and no reason.
func (c *WSConn) SendPing(payload string) { c.SendFrame(Fin|OpPing, payload) }
func (c *WSConn) SendClose(code int)      { c.SendFrame(Fin|OpClose, ClosePayload(code, "")) }

// SendFrame sends one masked frame: OpText without Fin is a first fragment.
func (c *WSConn) SendFrame(first byte, payload string) {
	c.t.rec.add(c.name.String(), ">", c.means(arrival{first: first, payload: []byte(payload)}), ClientFrame(first, payload))
	c.write(ClientFrame(first, payload))
}

// Send sends bytes as they are, in one write: frames of ClientFrame, parts of
// them, or what is none.
func (c *WSConn) Send(pieces ...[]byte) {
	b := Cat(pieces...)
	c.t.rec.add(c.name.String(), ">", fmt.Sprintf("%d bytes", len(b)), b)
	c.write(b)
}

func (c *WSConn) write(b []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.frames.sent(b)
	c.put(b)
	c.putPongs()
}

// pong answers a ping, as soon as the case is not in the middle of a frame.
func (c *WSConn) pong(payload string) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.pongs = append(c.pongs, ClientFrame(Fin|OpPong, payload)...)
	c.putPongs()
}

func (c *WSConn) putPongs() {
	if len(c.pongs) > 0 && !c.frames.within() {
		c.put(c.pongs)
		c.pongs = nil
	}
}

func (c *WSConn) put(b []byte) {
	c.nc.SetWriteDeadline(time.Now().Add(c.t.remaining()))
	if _, err := c.nc.Write(b); err != nil {
		c.t.rec.add(c.name.String(), "-", "write: "+err.Error(), nil)
	}
}

// Close closes the TCP connection, without a close frame.
func (c *WSConn) Close() {
	if c.done {
		return
	}
	c.done = true
	c.t.rec.add(c.name.String(), ">", "close of the connection", nil)
	c.tcp.Close()
	c.t.closed()
}

// Reset ends the TCP connection by a reset.
func (c *WSConn) Reset() {
	c.tcp.SetLinger(0)
	c.Close()
}
