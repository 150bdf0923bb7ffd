package bridge

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// maxMissed is how many pings in a row may stay unanswered.
const maxMissed = 3

// v2conn is a v2 connection. One goroutine reads from it, for as long as it
// lives; another writes to it while there is something to write.
type v2conn struct {
	g      *Gateway
	sock   *socket
	wire   *wire
	ws     *websocket.Conn // for reading only
	writer *writer

	seat seat

	// Fixed once joined.
	member  *bus.Member // the reader's own
	uid     string
	channel string
	key     uint64 // of the v1 headers made for it
	max     int    // bytes a message may have
	slot    int    // on the wheel

	// Of the reader.
	pace    pace
	hold    hold
	message bool   // in the middle of one
	batch   *batch // whole messages not yet published

	paused     atomic.Bool // not being read, because publishers must wait
	missed     atomic.Int32
	challenged atomic.Bool   // somebody else claims its uid
	answer     chan struct{} // takes a token when bytes have come, while challenged
	closing    atomic.Bool   // a close frame is due or sent: nothing is published any more
	gone       sync.Once
	ended      sync.Once
}

// start serves the connection in a goroutine of its own, whose stack has not
// grown in a TLS handshake.
func (c *v2conn) start(ws *websocket.Conn) {
	g := c.g
	c.ws = ws
	c.answer = make(chan struct{}, 1)
	c.pace.conn = c.wire
	c.hold.giveUp = func() { c.close(v2.CloseOverLimits, v2.ReasonOverLimit) }
	c.writer = newWriter(c.wire.Conn, c.deaf)
	c.wire.upgraded = true
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
func (c *v2conn) serve() {
	if c.sock.overfull {
		c.close(v2.CloseOverLimits, v2.ReasonOverLimit)
		c.finish()
		return
	}
	if err := c.join(); err != nil {
		c.refuse(err)
		c.finish()
		return
	}
	c.sock.hasJoined()
	c.slot = c.g.wheel.add(c)
	if !c.g.spawn(c.read, c.sock) {
		c.finish()
	}
}

// join takes the hello.
func (c *v2conn) join() error {
	c.ws.SetReadLimit(v2.MaxHello)
	op, r, err := c.ws.NextReader()
	if err != nil {
		return err
	}
	if op != websocket.TextMessage {
		return &refusal{reason: v2.ReasonNotText}
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	hello, err := v2.ParseHello(text)
	if err != nil {
		return err
	}
	if !c.g.keys.admitsV2(hello) {
		return &refusal{reason: v2.ReasonAuth}
	}
	c.uid, c.channel = hello.UID, hello.Channel
	c.key = c.g.keys.headerKey(c.sock.addr, c.uid, c.channel)
	c.max = v1.MaxMessage(c.uid, c.channel)
	c.ws.SetReadLimit(int64(c.max))
	c.member, err = c.g.claim(bus.Join{
		Channel: c.channel,
		Dialect: onV2,
		ID:      c.uid,
		Sink:    c,
		First:   bus.Event{From: onV2, Join: true, UID: c.uid, Key: c.key},
	})
	var taken *bus.TakenError
	if errors.As(err, &taken) {
		h := taken.Holder.Sink().(*v2conn)
		age := time.Since(taken.Holder.Since()).Round(time.Second)
		return &refusal{v2.ReasonDuplicate, fmt.Errorf("held for %s by %s", age, h.sock.name())}
	}
	c.seat.take(c.member)
	c.g.counters.v2.joins.Add(1)
	c.g.counters.v2.members.Add(1)
	c.g.log.Debug("joined", "dialect", "v2", "client", c.sock.name(), "uid", c.uid, "channel", c.channel)
	return nil
}

// refuse answers a hello that does not join.
func (c *v2conn) refuse(err error) {
	var r *refusal
	var closed *websocket.CloseError
	code, reason := v2.CloseFor(err)
	switch {
	case errors.As(err, &r):
		code, reason = v2.ClosePolicy, r.reason
	case errors.As(err, &closed), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		c.g.log.Debug("closed before joining", "dialect", "v2", "client", c.sock.name())
		return
	case isTimeout(err):
		code, reason = v2.ClosePolicy, v2.ReasonNoHello
		r = &refusal{reason: reason}
	case c.closing.Load() && errors.Is(err, websocket.ErrReadLimit): // gorilla has answered it
		r = &refusal{reason: v2.ReasonTooBig}
	case c.closing.Load(): // gorilla has found another fault in the frames and answered it
		r = &refusal{v2.ReasonProtocol, err}
	case errors.Is(err, websocket.ErrReadLimit): // one that it does not answer
		code, reason = v2.CloseProtocol, v2.ReasonProtocol
		r = &refusal{reason, err}
	case code == v2.CloseInternal: // the connection failed
		c.g.log.Debug("closed before joining", "dialect", "v2", "client", c.sock.name(), "error", err)
		return
	default:
		r = &refusal{reason, err}
	}
	c.g.counters.refused(labelOf(err, r.reason))
	c.g.log.Warn("refused", "dialect", "v2", "client", c.sock.name(), "reason", r.Error())
	c.close(code, reason)
}

// labelOf keeps the reasons that are counted few.
func labelOf(err error, reason string) string {
	if errors.Is(err, v2.ErrHello) {
		return v2.ReasonHello
	}
	return reason
}

// read publishes what comes until the connection ends.
func (c *v2conn) read() {
	defer c.finish()
	for {
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
		switch {
		case errors.Is(err, v2.ErrUTF8):
			c.reject(v2.CloseUTF8, v2.ReasonUTF8, "text is not UTF-8")
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

// reject closes a joined connection for what it sent; why is for the log.
func (c *v2conn) reject(code int, reason, why string) {
	c.g.log.Warn("left", "dialect", "v2", "client", c.sock.name(), "uid", c.uid, "channel", c.channel, "reason", why)
	c.close(code, reason)
}

// receive reads one message, as far as memory and limits allow.
func (c *v2conn) receive(op byte, r io.Reader) error {
	c.message = true
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	message := *piece
	for {
		n, err := r.Read(message[len(message):cap(message)])
		message = message[:len(message)+n]
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(message) == cap(message) {
			if message, err = c.grow(message); err != nil {
				return err
			}
		}
	}
	c.message = false
	c.whole()
	if op == v2.OpText && !utf8.Valid(message) {
		return v2.ErrUTF8
	}
	c.collect(op, message)
	if cap(message) > pieceBytes {
		return c.holds(0)
	}
	return nil
}

// grow makes room for as many bytes of a message as have come.
func (c *v2conn) grow(message []byte) ([]byte, error) {
	size := min(2*len(message), c.max+1) // one byte more, to see the end
	if err := c.holds(size); err != nil {
		return nil, err
	}
	grown := make([]byte, len(message), size)
	copy(grown, message)
	return grown, nil
}

// whole notes that a frame has come to its end, unless it is a control frame in
// the middle of a message.
func (c *v2conn) whole() {
	if !c.message {
		c.pace.done()
	}
}

// onPing answers a ping. Pings of the client are never passed on.
func (c *v2conn) onPing(data string) error {
	c.whole()
	if !c.closing.Load() {
		c.writer.send(v2.AppendFrame(nil, v2.OpPong, []byte(data)))
	}
	return nil
}

// errHalfCode is a close frame that gorilla does not find fault with.
var errHalfCode = errors.New("close frame with half a code")

// onClose answers the client's close frame with the same code.
func (c *v2conn) onClose(code int, _ string) error {
	c.flush()
	if c.wire.frames.halfCode {
		if c.member != nil {
			c.reject(v2.CloseProtocol, v2.ReasonProtocol, "protocol error")
		}
		c.close(v2.CloseProtocol, v2.ReasonProtocol)
		return errHalfCode
	}
	c.close(code, "")
	return nil
}

// Wake implements [bus.Sink].
func (c *v2conn) Wake(m *bus.Member) { c.writer.wake(m) }

// Cut implements [bus.Sink].
func (c *v2conn) Cut(m *bus.Member, why bus.Reason) {
	c.g.counters.cut(why)
	c.g.log.Warn("subscription cut", "dialect", "v2", "client", c.sock.name(), "uid", c.uid, "channel", m.Channel(), "reason", string(why))
	if why == bus.Replaced {
		c.close(v2.ClosePolicy, v2.ReasonReplaced)
		return
	}
	c.close(v2.ClosePolicy, v2.ReasonTooSlow)
}

// deaf is called when the client cannot be written to any more. What it sends is
// still published.
func (c *v2conn) deaf() {
	c.seat.mute()
}

// visit implements [visited]: the wheel has come around. The clock of a
// connection that is not being read stands still.
func (c *v2conn) visit() {
	if c.paused.Load() || c.closing.Load() {
		return
	}
	if c.missed.Add(1) > maxMissed {
		c.g.log.Warn("gave up", "dialect", "v2", "client", c.sock.name(), "uid", c.uid, "channel", c.channel, "reason", v2.ReasonNoPong)
		c.close(v2.ClosePolicy, v2.ReasonNoPong)
		return
	}
	c.ping()
}

func (c *v2conn) ping() { c.writer.send(v2.AppendFrame(nil, v2.OpPing, nil)) }

func (c *v2conn) challenge() bool { return c.challenged.CompareAndSwap(false, true) }

// alive pings the client; any byte from it is an answer, and so is its end. One
// that is not being read cannot answer, and has been moving a moment ago.
func (c *v2conn) alive() bool {
	defer c.challenged.Store(false)
	select {
	case <-c.answer:
	default:
	}
	if c.paused.Load() {
		return true
	}
	c.ping()
	timer := time.NewTimer(challengeTime)
	defer timer.Stop()
	select {
	case <-c.answer:
		return true
	case <-timer.C:
		return c.paused.Load()
	}
}

// prove answers whoever waits to be told that the connection has moved.
func (c *v2conn) prove() {
	if c.challenged.Load() {
		select {
		case c.answer <- struct{}{}:
		default:
		}
	}
}

func (c *v2conn) shutdown() { c.close(v2.CloseGoingAway, v2.ReasonGoingAway) }

// close leaves the channel and sends a close frame; what the client still sends
// is read and discarded for a moment.
func (c *v2conn) close(code int, reason string) {
	c.gone.Do(func() {
		c.closing.Store(true)
		c.depart(v2.AppendClose(nil, code, reason))
	})
}

// depart sends frame, a close frame, as the last one.
func (c *v2conn) depart(frame []byte) {
	c.seat.leave()
	c.prove()
	c.writer.finish(frame)
	c.sock.Conn.SetReadDeadline(time.Now().Add(lingerTime))
	time.AfterFunc(lingerTime, c.abort)
}

// finish ends the connection from its reader: it waits for the close frame to be
// written and for the client to close in its turn.
func (c *v2conn) finish() {
	if c.closing.Load() {
		<-c.writer.finish(nil)
		c.discard()
	}
	c.wire.Close()
	c.sock.Close()
	c.ended.Do(func() {
		c.g.intake.set(&c.hold, 0)
		if c.member != nil {
			c.member.Leave()
			c.prove()
			c.g.wheel.remove(c, c.slot)
			c.g.counters.v2.members.Add(-1)
			c.g.log.Debug("left", "dialect", "v2", "client", c.sock.name(), "uid", c.uid, "channel", c.channel)
		}
	})
}

// discard reads until the client's close frame or end, for as long as the
// deadline that close has set. Where the frames cannot be followed any more, it
// is the bytes that are discarded.
func (c *v2conn) discard() {
	for {
		_, _, err := c.ws.NextReader()
		var closed *websocket.CloseError
		switch {
		case err == nil:
		case errors.As(err, &closed), errors.Is(err, io.EOF):
			return
		default: // a time limit may have passed before; that of lingering has not
			io.Copy(io.Discard, c.wire.Conn)
			return
		}
	}
}

// abort makes the reader end.
func (c *v2conn) abort() {
	c.sock.Close()
	c.g.intake.abandon(&c.hold)
	c.seat.leave()
}
