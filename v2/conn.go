package v2

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// closeTime bounds what Close waits for: the close frame to be written, then
// the server's.
const closeTime = 2 * time.Second

// ClientConn is a client's connection that has sent its hello.
//
// Recv, Send and Close may be called at once by different goroutines. Sends of
// several goroutines are written one after the other, each as one frame; Recvs
// take messages in turn. Pings are answered while a Recv is under way, so a
// client that only sends must still call Recv, or be closed by the server.
// Close must be called, also after an error.
type ClientConn struct {
	ws *websocket.Conn // for reading; its own writes are close frames at faults
	nc net.Conn        // below ws; one Write is one frame, so that ws may write too

	readMu  sync.Mutex
	readErr error // guarded by readMu; the last word of every later Recv

	writeMu   sync.Mutex
	scratch   []byte // guarded by writeMu
	closeSent bool   // guarded by writeMu; nothing is written after a close frame

	ended   atomic.Bool // reading has ended or Close was called: no more Send
	closing sync.Once
	answer  answer
}

func newClientConn(ws *websocket.Conn, limit int64) *ClientConn {
	if limit <= 0 {
		limit = MaxMessage
	}
	c := &ClientConn{ws: ws, nc: ws.NetConn()}
	ws.SetReadLimit(limit)
	ws.SetPingHandler(func(payload string) error {
		c.reply(OpPong, []byte(payload))
		return nil
	})
	ws.SetCloseHandler(func(code int, _ string) error {
		c.reply(OpClose, appendClosePayload(nil, code, ""))
		return nil
	})
	return c
}

// NetConn is the connection below, TLS included, for deadlines and addresses.
// Nothing may be read from it or written to it.
func (c *ClientConn) NetConn() net.Conn { return c.nc }

// Recv returns the next message, its fragments joined: OpText (valid UTF-8;
// every one is a join notice to MlesTalk, see ParseNotice) or OpBinary. The data
// is the caller's. Memory is taken as bytes arrive, not as they are announced.
//
// Errors: *websocket.CloseError with the server's code and reason, with 1005 if
// it gave none, with 1006 if the connection ended without a close frame;
// ErrTooBig and ErrUTF8, after telling the server so; net.ErrClosed after Close;
// else what the network says. Every later Recv returns the same.
func (c *ClientConn) Recv() (op byte, data []byte, err error) {
	c.readMu.Lock()
	defer c.readMu.Unlock()
	if c.readErr != nil {
		return 0, nil, c.readErr
	}
	if c.ended.Load() {
		return 0, nil, net.ErrClosed // Close reads what is left
	}
	op, data, err = c.read()
	if err != nil {
		c.endReading(err)
		return 0, nil, c.readErr
	}
	return op, data, nil
}

// read reads one message. The caller holds readMu.
func (c *ClientConn) read() (byte, []byte, error) {
	kind, r, err := c.ws.NextReader()
	if err != nil {
		return 0, nil, err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return 0, nil, err
	}
	if kind == websocket.TextMessage && !utf8.Valid(data) {
		c.reply(OpClose, appendClosePayload(nil, CloseUTF8, ReasonUTF8))
		return 0, nil, ErrUTF8
	}
	return byte(kind), data, nil
}

// endReading settles what Recv returns from now on. The caller holds readMu.
func (c *ClientConn) endReading(err error) {
	var closed *websocket.CloseError
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		err = ErrTooBig // gorilla has sent the close frame
	case c.ended.Load() && !errors.As(err, &closed):
		err = net.ErrClosed // the deadline that Close set
	}
	c.readErr = err
	c.ended.Store(true)
}

// Send writes one message as one frame. op is OpText (data must be UTF-8, else
// ErrUTF8) or OpBinary; data is at most MaxMessage bytes, else ErrTooBig. After
// Close or CloseWrite, or once Recv has failed, it is net.ErrClosed.
//
// Send blocks while the server does not read, which is how a server slows a
// publisher. data is not changed and not kept.
func (c *ClientConn) Send(op byte, data []byte) error {
	switch {
	case op != OpText && op != OpBinary:
		return errors.New("v2: a message is OpText or OpBinary")
	case len(data) > MaxMessage:
		return ErrTooBig
	case op == OpText && !utf8.Valid(data):
		return ErrUTF8
	}
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	if c.ended.Load() {
		return net.ErrClosed
	}
	return c.writeFrame(op, data)
}

// CloseWrite tells the server code and reason (cut to 123 bytes) and sends
// nothing any more. Recv goes on: what it returns last, the server's own close
// frame or the end of the connection, says that the server has come to the close
// frame and so has taken all that was sent before. Close must still be called.
func (c *ClientConn) CloseWrite(code int, reason string) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	return c.writeFrame(OpClose, appendClosePayload(nil, code, reason))
}

// Close tells the server code and reason (cut to 123 bytes), waits up to 2 s
// each for that to be written and for the server to close, and closes the
// connection. A Send or Recv under way ends within that time. Where the
// connection had ended already nothing is sent. The second and later calls do
// nothing.
//
// What the server sent before it saw the close is discarded: a client that
// wants to have read everything reads until the server closes.
func (c *ClientConn) Close(code int, reason string) (err error) {
	c.closing.Do(func() { err = c.close(code, reason) })
	return err
}

func (c *ClientConn) close(code int, reason string) error {
	over := c.ended.Swap(true)
	c.nc.SetWriteDeadline(time.Now().Add(closeTime)) // ends a Send that hangs
	var err error
	if !over {
		c.writeMu.Lock()
		if !c.closeSent {
			err = c.writeFrame(OpClose, appendClosePayload(nil, code, reason))
		}
		c.writeMu.Unlock()
	}
	c.drain()
	// Whatever still waits to be written has its deadline; the answer to the
	// server's close frame should be out before the connection goes.
	c.answer.writers.Wait()
	return errors.Join(err, c.nc.Close())
}

// drain reads what is left, so that the kernel does not answer it with a reset
// that overtakes our close frame.
func (c *ClientConn) drain() {
	c.nc.SetReadDeadline(time.Now().Add(closeTime))
	c.readMu.Lock()
	defer c.readMu.Unlock()
	for c.readErr == nil {
		_, r, err := c.ws.NextReader()
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			c.endReading(err)
		}
	}
	if errors.Is(c.readErr, ErrTooBig) || errors.Is(c.readErr, ErrUTF8) {
		// We ended it, and the server may still be sending.
		_, _ = io.Copy(io.Discard, c.nc)
	}
}
