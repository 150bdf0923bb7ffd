package bridge

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// v2conn is a WebSocket whose first frame was a hello.
type v2conn struct {
	*wsconn

	// Fixed once joined.
	member *bus.Member
	key    uint64 // of the v1 headers made for it
	by     proof
}

func (c *v2conn) name() string     { return "v2" }
func (c *v2conn) counts() *traffic { return &c.g.counters.v2 }
func (c *v2conn) pingSteps() int   { return 24 }

// join takes the hello.
func (c *v2conn) join(text []byte) error {
	hello, err := v2.ParseHello(text)
	if err != nil {
		return err
	}
	if c.gateway == c.g.identity {
		return &refusal{"loop", errors.New("the gateway is its own upstream")}
	}
	c.uid, c.channel = hello.UID, hello.Channel
	c.max = v1.MaxMessage(c.uid, c.channel)
	c.ws.SetReadLimit(int64(c.max))
	j := bus.Join{Channel: c.channel, Dialect: c.speaks(), ID: c.uid, Sink: c}
	c.member, err = c.g.claim(j, claim{
		at:   &c.seat,
		sock: c.sock,
		admits: func(p *policy) *refusal {
			by, r := p.admitsV2(hello)
			if r == nil { // or it is known by what let it in once
				c.by.set(by)
			}
			return r
		},
		complete: func(p *policy, j *bus.Join) {
			c.key = p.keys.headerKey(c.sock.addr, c.uid, c.channel)
			j.First = bus.Event{From: onV2, Join: true, UID: c.uid, Key: c.key}
		},
	})
	var taken *bus.TakenError
	switch {
	case errors.As(err, &taken):
		h := taken.Holder.Sink().(*v2conn)
		age := time.Since(taken.Holder.Since()).Round(time.Second)
		return &refusal{v2.ReasonDuplicate, fmt.Errorf("held for %s by %s", age, h.sock.name())}
	case err != nil:
		return err
	}
	c.seated(c.member, c.uid)
	return nil
}

// speaks is the dialect in which it is written to.
func (c *v2conn) speaks() bus.Dialect {
	if c.gateway != "" {
		return onLink
	}
	return onV2
}

// hear publishes a message, or an arrival that another gateway tells of.
func (c *v2conn) hear(op byte, message []byte) error {
	if uid, ok := parseArrival(message, c.gateway); ok && op == v2.OpText {
		key := c.g.keys().headerKey(c.sock.addr, uid, c.channel)
		e := bus.Event{From: onV2, Join: true, Key: key, UID: uid}
		c.g.upstreams.sees(c.channel, &e, way{name: c.whence()})
		c.keep(nil)
		c.collect(c.member, e, 0)
		return nil
	}
	if op == v2.OpText && !utf8.Valid(message) {
		return &wsFault{code: v2.CloseUTF8, reason: v2.ReasonUTF8}
	}
	message = c.keep(message)
	c.collect(c.member, bus.Event{From: onV2, Op: op, Key: c.key, UID: c.uid, Message: message}, len(message))
	return nil
}

func (c *v2conn) visit(m *bus.Member) Visit {
	return Visit{Dialect: c.name(), Channel: m.Channel(), UID: c.uid, Addr: c.sock.addr, Key: c.by.get()}
}

// Cut implements [bus.Sink].
func (c *v2conn) Cut(m *bus.Member, why bus.Reason) {
	c.g.counters.cut(why)
	c.g.log.Warn("subscription cut", c.label(), "client", c.sock.name(), "uid", c.uid, "channel", m.Channel(), "reason", string(why))
	if why == bus.Replaced {
		c.close(v2.ClosePolicy, v2.ReasonReplaced)
		return
	}
	c.part(v2.ClosePolicy, v2.ReasonTooSlow, &ending{reason: string(why)})
}

func (c *v2conn) left(l *life) {
	c.member.Leave()
	l.add(c.g.went(c.member, c.counts()))
}
