package bridge

import (
	"time"

	"mles/v2"
)

// maxMissed is how many pings in a row may stay unanswered.
const maxMissed = 3

// onPing answers a ping. Pings of the client are never passed on.
func (c *wsconn) onPing(data string) error {
	c.whole()
	if !c.closing.Load() {
		c.writer.send(v2.AppendFrame(nil, v2.OpPong, []byte(data)))
	}
	return nil
}

// visit implements [visited]: the wheel has come around. The clock of a
// connection that is not being read stands still.
func (c *wsconn) visit() {
	if c.paused.Load() || c.closing.Load() {
		return
	}
	if c.missed.Add(1) > maxMissed {
		c.part(v2.ClosePolicy, v2.ReasonNoPong, &ending{reason: v2.ReasonNoPong, fault: true})
		return
	}
	c.ping()
}

func (c *wsconn) ping() { c.writer.send(v2.AppendFrame(nil, v2.OpPing, nil)) }

func (c *wsconn) challenge() bool { return c.challenged.CompareAndSwap(false, true) }

// alive pings the client; any byte from it is an answer, and so is its end. One
// that is not being read cannot answer, and has been moving a moment ago.
func (c *wsconn) alive() bool {
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
func (c *wsconn) prove() {
	if c.challenged.Load() {
		select {
		case c.answer <- struct{}{}:
		default:
		}
	}
}
