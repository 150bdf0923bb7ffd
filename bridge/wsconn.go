package bridge

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/gorilla/websocket"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// wsconn is a WebSocket, whatever is spoken over it. One goroutine reads from it,
// for as long as it lives; another writes to it while there is something to write.
type wsconn struct {
	g      *Gateway
	sock   *socket
	wire   *wire
	ws     *websocket.Conn // for reading only
	writer *writer

	gateway string // identity of the gateway that has dialed; "": it is a client

	seat seat

	// Fixed by the first frame.
	dialect      wsDialect
	joined       bool   // which has been let in
	uid, channel string // of the first join; what the log names the connection by
	max          int    // bytes a message may have
	slot         int    // on the wheel; -1 while not there

	// Of the reader.
	pace    pace
	paced   bool // the time for joining is over: begun frames have to go on
	hold    hold
	message bool   // in the middle of one
	batch   *batch // whole messages not yet published

	paused     atomic.Bool // not being read, because publishers must wait
	missed     atomic.Int32
	challenged atomic.Bool   // somebody else claims its identity
	answer     chan struct{} // takes a token when bytes have come, while challenged
	closing    atomic.Bool   // a close frame is due or sent: nothing is published any more
	gone       sync.Once
	ended      sync.Once
	end        *ending // why closing is set; fixed before
}

// A wsDialect is what is spoken over a WebSocket. Its methods are called by the
// connection's reader, but for name and counts.
type wsDialect interface {
	// name is the dialect's label in logs and counts.
	name() string
	// counts is where its traffic is counted.
	counts() *traffic
	// pingSteps is how many seconds there are between two pings: a divisor of
	// the wheel's.
	pingSteps() int
	// hear takes a whole message, which is valid until it returns. A *wsFault
	// closes the connection with what it says.
	hear(op byte, message []byte) error
	// left ends the memberships, and adds them to l.
	left(l *life)
}

// A wsFault ends a WebSocket for what the client has sent.
type wsFault struct {
	code   int    // of the close frame
	reason string // in it, and a label
	err    error  // what exactly, for the log; or nil
}

func (f *wsFault) Error() string {
	if f.err == nil {
		return f.reason
	}
	return f.reason + ": " + f.err.Error()
}

// whence names the connection for the log of a loop.
func (c *wsconn) whence() string { return "WebSocket member " + c.sock.name() }

// label names the connection's dialect in the log.
func (c *wsconn) label() slog.Attr {
	if c.dialect == nil {
		return slog.String("dialect", "v2")
	}
	return slog.String("dialect", c.dialect.name())
}

// start serves the connection in a goroutine of its own, whose stack has not
// grown in a TLS handshake.
func (c *wsconn) start(ws *websocket.Conn) {
	g := c.g
	c.ws = ws
	c.slot = -1
	c.answer = make(chan struct{}, 1)
	c.pace.conn = c.wire
	c.hold.giveUp = func() { c.reject(v2.CloseOverLimits, v2.ReasonOverLimit, "frame given up") }
	c.writer = newWriter(c.wire.Conn, c.seat.mute)
	c.wire.upgraded = true
	c.sock.in.idle = c.wire.idle
	ws.SetPingHandler(c.onPing)
	ws.SetPongHandler(func(string) error { c.whole(); return nil })
	ws.SetCloseHandler(c.onClose)
	if !g.enter(c.sock, c) {
		c.sock.Close()
		return
	}
	if !g.spawn(c.serve, c.sock) {
		c.finish()
	}
}

// serve joins, and leaves the reading to a fresh goroutine.
func (c *wsconn) serve() {
	if c.sock.overfull {
		c.close(v2.CloseOverLimits, v2.ReasonOverLimit)
		c.finish()
		return
	}
	if err := c.open(); err != nil {
		c.refuse(err)
		c.finish()
		return
	}
	c.slot = c.g.wheel.add(c, c.dialect.pingSteps())
	if !c.g.spawn(c.read, c.sock) {
		c.finish()
	}
}

// open takes the first frame, which tells the dialect.
func (c *wsconn) open() error {
	c.ws.SetReadLimit(c.firstLimit())
	op, r, err := c.ws.NextReader()
	if err != nil {
		return err
	}
	if op != websocket.TextMessage && !c.g.policy.Load().v1WebSocket {
		return &refusal{reason: v2.ReasonNotText}
	}
	if op != websocket.TextMessage {
		c.dialect = newV1WS(c)
		c.max = v1.MaxBody
		c.admit() // as for v1 over TCP, once the first header is there
		return c.receive(byte(op), r)
	}
	hello, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	d := &v2conn{wsconn: c}
	c.dialect = d
	if err := d.join(hello); err != nil {
		return err
	}
	c.admit()
	return nil
}

// firstLimit bounds the first message: it looks at what has come of that.
func (c *wsconn) firstLimit() int64 {
	if c.wire.frames.first == v2.OpBinary && c.g.policy.Load().v1WebSocket {
		return v1.MaxBody
	}
	return v2.MaxHello
}

// admit ends the time for joining.
func (c *wsconn) admit() {
	c.sock.hasJoined()
	c.paced = true
}

// seated notes that a member of the connection has joined.
func (c *wsconn) seated(m *bus.Member, uid string) {
	c.joined = true
	c.g.came(m, c.dialect.counts())
	c.g.log.Debug("joined", c.label(), "client", c.sock.name(), "uid", uid, "channel", m.Channel())
}

// read publishes what comes until the connection ends.
func (c *wsconn) read() {
	defer c.finish()
	for {
		c.wire.await()
		op, r, err := c.ws.NextReader()
		if err == nil {
			err = c.receive(byte(op), r)
		}
		if err == nil {
			continue
		}
		c.flush()
		err = c.g.intake.verdict(&c.hold, err)
		c.g.intake.set(&c.hold, 0)
		var fault *wsFault
		switch {
		case errors.As(err, &fault):
			c.part(fault.code, fault.reason, &ending{reason: fault.reason, detail: fault.Error(), fault: true})
		case c.closing.Load(): // or gorilla has found a fault and answered it
		case errors.Is(err, websocket.ErrReadLimit): // a length with its first bit set; gorilla does not answer that
			c.reject(v2.CloseProtocol, v2.ReasonProtocol, "protocol error")
		case errors.Is(err, errIntake):
			c.reject(v2.CloseOverLimits, v2.ReasonOverLimit, "frame given up")
		case isTimeout(err):
			c.reject(v2.ClosePolicy, v2.ReasonTooSlow, "frame not continued in time")
		}
		return
	}
}

// receive reads one message, as far as memory and limits allow.
func (c *wsconn) receive(op byte, r io.Reader) error {
	c.message = true
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	message, err := readMessage(r, *piece, c.max, c.holds)
	if err != nil {
		return err
	}
	c.message = false
	c.whole()
	if err := c.dialect.hear(op, message); err != nil {
		return err
	}
	if cap(message) > pieceBytes {
		return c.holds(0)
	}
	return nil
}

// holds counts n bytes of a begun message, and waits where that is too much at
// the moment.
func (c *wsconn) holds(n int) error { return c.g.intake.reserve(&c.hold, n, &c.pace) }

// whole notes that a frame has come to its end, unless it is a control frame in
// the middle of a message.
func (c *wsconn) whole() {
	if !c.message {
		c.pace.done()
	}
}

// Wake implements [bus.Sink].
func (c *wsconn) Wake(m *bus.Member) { c.writer.wake(m) }
