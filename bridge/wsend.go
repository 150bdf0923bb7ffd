package bridge

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/gorilla/websocket"

	"mles/v2"
)

// refuse answers a first frame that does not join.
func (c *wsconn) refuse(err error) {
	err = c.g.intake.verdict(&c.hold, err)
	c.g.intake.set(&c.hold, 0)
	var r *refusal
	var fault *wsFault
	var closed *websocket.CloseError
	code, reason := v2.CloseFor(err)
	switch {
	case errors.As(err, &r):
		code, reason = v2.ClosePolicy, r.told()
	case errors.As(err, &fault):
		code, reason = fault.code, fault.reason
		r = &refusal{reason, fault.err}
	case errors.Is(err, errIntake):
		code, reason = v2.CloseOverLimits, v2.ReasonOverLimit
		r = &refusal{"no memory", err}
	case errors.As(err, &closed), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		c.g.log.Debug("closed before joining", c.label(), "client", c.sock.name())
		return
	case isTimeout(err) && c.paced:
		code, reason = v2.ClosePolicy, v2.ReasonTooSlow
		r = &refusal{"frame not continued in time", nil}
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
		c.g.log.Debug("closed before joining", c.label(), "client", c.sock.name(), "error", err)
		return
	default:
		r = &refusal{reason, err}
	}
	c.g.counters.refused(labelOf(err, r.reason))
	c.g.log.Warn("refused", c.label(), "client", c.sock.name(), "reason", r.Error())
	c.g.holdBack(c.sock, r)
	c.close(code, reason)
}

// labelOf keeps the reasons that are counted few.
func labelOf(err error, reason string) string {
	if errors.Is(err, v2.ErrHello) {
		return v2.ReasonHello
	}
	return reason
}

// reject closes a joined connection for what it sent, or did not; why is for the log and a label.
func (c *wsconn) reject(code int, reason, why string) {
	c.part(code, reason, &ending{reason: why, fault: true})
}

// errHalfCode is a close frame that gorilla does not find fault with.
var errHalfCode = errors.New("close frame with half a code")

// onClose answers the client's close frame with the same code.
func (c *wsconn) onClose(code int, _ string) error {
	c.flush()
	if c.wire.frames.halfCode {
		if c.joined {
			c.reject(v2.CloseProtocol, v2.ReasonProtocol, "protocol error")
		}
		c.close(v2.CloseProtocol, v2.ReasonProtocol)
		return errHalfCode
	}
	c.part(code, "", nil)
	return nil
}

func (c *wsconn) shutdown() {
	c.part(v2.CloseGoingAway, v2.ReasonGoingAway, &ending{reason: "going away"})
}

// close leaves the channels and sends a close frame; what the client still sends
// is read and discarded for a moment.
func (c *wsconn) close(code int, reason string) { c.part(code, reason, &ending{reason: reason}) }

// part does that, and notes why unless something else has ended the connection before; nil: the client has.
func (c *wsconn) part(code int, reason string, why *ending) {
	c.gone.Do(func() {
		c.end = why
		c.closing.Store(true)
		c.depart(v2.AppendClose(nil, code, reason))
	})
}

// depart sends frame, a close frame, as the last one.
func (c *wsconn) depart(frame []byte) {
	c.seat.leave()
	c.prove()
	c.writer.finish(frame)
	c.sock.Conn.SetReadDeadline(time.Now().Add(lingerTime))
	time.AfterFunc(lingerTime, c.abort)
}

// finish ends the connection from its reader: it waits for the close frame to be
// written and for the client to close in its turn.
func (c *wsconn) finish() {
	if c.closing.Load() {
		<-c.writer.finish(nil)
		c.discard()
	}
	c.wire.Close()
	c.sock.Close()
	c.ended.Do(func() {
		c.g.intake.set(&c.hold, 0)
		if c.joined {
			l := &life{dialect: c.dialect.name(), uid: c.uid, channel: c.channel, sock: c.sock}
			c.dialect.left(l)
			c.prove()
			c.g.farewell(l, c.dialect.counts(), c.ending())
		}
		if c.slot >= 0 {
			c.g.wheel.remove(c, c.slot, c.dialect.pingSteps())
		}
	})
}

// ending is why the connection has ended; nil: the client has ended it.
func (c *wsconn) ending() *ending {
	if !c.closing.Load() {
		return nil
	}
	return c.end
}

// discard reads until the client's close frame or end, for as long as the
// deadline that close has set. Where the frames cannot be followed any more, it
// is the bytes that are discarded.
func (c *wsconn) discard() {
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
func (c *wsconn) abort() {
	c.sock.Close()
	c.g.intake.abandon(&c.hold)
	c.seat.leave()
}
