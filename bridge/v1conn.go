package bridge

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"mles/bridge/bus"
	"mles/v1"
)

// v1conn is a v1 connection. One goroutine reads from it, for as long as it
// lives; another writes to it while there is something to write.
type v1conn struct {
	g      *Gateway
	sock   *socket
	conn   net.Conn // sock, or TLS over it
	reader *v1.Reader
	writer *writer
	pace   pace
	hold   hold

	seat seat

	// Fixed once joined.
	member  *bus.Member // the reader's own
	uid     string
	channel string
	by      proof

	muted  muted
	closed bool // the reader's own: all that it holds is given up

	spoke      atomic.Bool            // has sent a frame after its first
	relays     atomic.Bool            // … that of another uid: it is a peer
	challenged atomic.Bool            // somebody else claims its CID
	end        atomic.Pointer[ending] // set by the first who ends it, but for the client
}

// A refusal is why a connection does not join: it is logged and counted, and
// on v1 that is all.
type refusal struct {
	reason string // a label
	err    error  // what exactly, or nil
}

func (r *refusal) Error() string {
	if r.err == nil {
		return r.reason
	}
	return r.reason + ": " + r.err.Error()
}

// serveV1 serves a v1 connection from its first byte on. When it returns, a
// goroutine with a small stack goes on reading, or the connection is closed.
func (g *Gateway) serveV1(s *socket, conn net.Conn) {
	c := &v1conn{g: g, sock: s, conn: conn}
	c.pace.conn = conn
	c.hold.giveUp = func() { s.Close() }
	if !g.enter(s, c) {
		s.Close()
		return
	}
	if s.overfull {
		c.close()
		return
	}
	c.reader = v1.NewReader(sourceOf(s, conn))
	c.reader.SetHooks(v1.Hooks{Hold: c.holds, Begun: c.begun, Done: c.pace.done})
	c.writer = newWriter(conn, c.deaf)
	frames, err := c.reader.Frames()
	if err == nil {
		err = c.join(frames[0])
	}
	if err != nil {
		c.refuse(g.intake.verdict(&c.hold, err))
		return
	}
	s.hasJoined()
	c.publish(frames[1:])
	if !g.spawn(c.read, s) {
		c.close()
	}
}

// begun is told by the reader that more of a frame is awaited. With the first
// header the time for joining is over, and that for going on begins.
func (c *v1conn) begun(have, want int) error {
	if want > 0 && !c.sock.joined.Load() {
		c.sock.hasJoined()
		c.pace.running = false
	}
	c.pace.begun(have)
	return nil
}

// holds is told by the reader what it holds of a begun frame.
func (c *v1conn) holds(n int) error { return c.g.intake.reserve(&c.hold, n, &c.pace) }

// join takes the first frame: it authenticates, and names uid and channel.
func (c *v1conn) join(f v1.Frame) error {
	own, others, err := c.arrival(f)
	if err != nil {
		return err
	}
	var m v1.View
	if err := m.Decode(own.Body()); err != nil {
		return &refusal{"undecodable", err}
	}
	if len(m.UID) > v1.MaxName || len(m.Channel) > v1.MaxName {
		return &refusal{reason: "name too long"}
	}
	c.uid, c.channel = string(m.UID), string(m.Channel)
	shown := shown{key: own.Key, addr: c.sock.addr, uid: c.uid, channel: c.channel}
	var events []bus.Event
	for _, f := range others {
		events = append(events, c.event(f))
	}
	j := bus.Join{
		Channel: c.channel,
		Dialect: onV1,
		ID:      string(binary.BigEndian.AppendUint32(nil, own.CID)),
		Sink:    c,
	}
	unsaid := 0
	c.member, err = c.g.claim(j, claim{
		at:   &c.seat,
		sock: c.sock,
		admits: func(p *policy) *refusal {
			by, r := p.admitsV1(shown)
			if r == nil { // or it is known by what let it in once
				c.by.set(by)
			}
			return r
		},
		complete: func(p *policy, j *bus.Join) {
			j.First = bus.Event{From: onV1, Join: true, UID: c.uid, Data: own.Raw, Message: m.Message}
			j.Resync = events
			if unsaid = 0; p.v1ReadOnly {
				unsaid = c.silence(j, own)
			}
		},
	})
	var taken *bus.TakenError
	switch {
	case errors.As(err, &taken):
		return &refusal{"cid taken", c.rival(taken.Holder)}
	case err != nil:
		return err
	}
	c.dropped(unsaid)
	c.relays.Store(len(events) > 0)
	c.g.came(c.member, &c.g.counters.v1)
	c.g.log.Debug("joined", "dialect", "v1", "client", c.sock.name(), "uid", c.uid, "channel", c.channel)
	return nil
}

// arrival returns the frame that joins: f itself, or, where f is a ResyncMsg,
// the first frame it contains, with the others. A faulty ResyncMsg that
// is a message as well counts as that.
func (c *v1conn) arrival(f v1.Frame) (own v1.Frame, others []v1.Frame, err error) {
	contained, err := v1.DecodeResync(f.Body())
	if errors.Is(err, v1.ErrNotResync) || err != nil && new(v1.View).Decode(f.Body()) == nil {
		return f, nil, nil
	}
	if err != nil {
		return f, nil, &refusal{"bad resync", err}
	}
	for i, raw := range contained {
		inner, err := v1.ParseFrame(raw)
		if err != nil {
			return f, nil, &refusal{"bad resync", err}
		}
		if i == 0 {
			own = inner
			continue
		}
		others = append(others, inner)
	}
	return own, others, nil
}

// whence names the connection for the log of a loop.
func (c *v1conn) whence() string { return "v1 member " + c.sock.name() }

// rival tells the operator who holds the CID, and what to do where that is, or
// may be, a peer: mles 1.1.7 keeps the CID of a channel's first client even when
// that has left it.
func (c *v1conn) rival(m *bus.Member) error {
	h := m.Sink().(*v1conn)
	hint := ""
	switch {
	case h.relays.Load():
		hint = ", which is a peer server: it keeps the CID of a channel's first client even when that has left; restart that peer"
	case h.sock.addr.Addr() != c.sock.addr.Addr():
		hint = "; if that is a peer server which this client has left, restart that peer"
	}
	age := time.Since(m.Since()).Round(time.Second)
	return fmt.Errorf("held for %s by %s%s", age, h.sock.name(), hint)
}

// event makes an event of a frame that came after the join. Neither its key nor
// its names are held against the connection's own.
func (c *v1conn) event(f v1.Frame) bus.Event {
	e, uid := c.g.v1Event(f, c.channel)
	if !e.Opaque && string(uid) != c.uid && !c.relays.Load() {
		c.relays.Store(true)
	}
	return e
}

// v1Event makes an event of a frame that has come on a channel, and says whose it
// is, unless that cannot be told.
func (g *Gateway) v1Event(f v1.Frame, channel string) (e bus.Event, uid []byte) {
	e = bus.Event{From: onV1, Data: f.Raw}
	var m v1.View
	if err := m.Decode(f.Body()); err != nil || len(m.UID) > v1.MaxName || len(m.Channel) > v1.MaxName {
		e.Opaque = true
		g.counters.untranslatable.Add(1)
		return e, nil
	}
	if string(m.Channel) != channel {
		e.Op = astray
		g.counters.astray.Add(1)
	}
	e.Message = m.Message
	if len(m.Message) == 0 {
		e.Join, e.UID = true, string(m.UID)
	}
	return e, m.UID
}

// batches are the slices in which a connection hands its events to the bus.
var batches = sync.Pool{New: func() any { return new([]bus.Event) }}

// publish puts frames on the channel and, where it must be slowed, waits.
func (c *v1conn) publish(frames []v1.Frame) {
	if len(frames) == 0 {
		return
	}
	c.spoke.Store(true)
	if c.g.policy.Load().v1ReadOnly {
		c.dropped(len(frames))
		return
	}
	batch := batches.Get().(*[]bus.Event)
	bytes := 0
	for _, f := range frames {
		e := c.event(f)
		if c.g.upstreams.looksAt(&e) {
			c.g.upstreams.sees(c.channel, &e, way{name: c.whence()})
		}
		*batch = append(*batch, e)
		bytes += len(f.Raw)
	}
	in := &c.g.counters.v1
	in.messages.Add(int64(len(frames)))
	in.bytes.Add(int64(bytes))
	wait := c.member.Publish(*batch)
	clear(*batch)
	*batch = (*batch)[:0]
	batches.Put(batch)
	if wait != nil {
		c.reader.Release()
		start := time.Now()
		for ; wait != nil; wait = c.member.Publish(nil) { // others may have gone on first
			<-wait
		}
		c.pace.restart(start)
	}
}

// read publishes what comes until the connection ends. An error in writing does
// not end it.
func (c *v1conn) read() {
	for {
		frames, err := c.reader.Frames()
		if err != nil {
			c.finish(c.g.intake.verdict(&c.hold, err))
			return
		}
		c.publish(frames)
	}
}

// finish ends a joined connection that cannot be read any more.
func (c *v1conn) finish(err error) {
	switch {
	case errors.Is(err, v1.ErrMagic), errors.Is(err, v1.ErrEmpty):
		c.ends(&ending{reason: "not a frame", fault: true})
	case errors.Is(err, errIntake):
		c.ends(&ending{reason: "frame given up", fault: true})
	case isTimeout(err):
		c.ends(&ending{reason: "frame not continued in time", fault: true})
	}
	c.close()
}

// refuse closes a connection that has not joined, without a word, as v1 has none.
func (c *v1conn) refuse(err error) {
	var r *refusal
	switch {
	case errors.As(err, &r):
	case errors.Is(err, v1.ErrMagic), errors.Is(err, v1.ErrEmpty):
		r = &refusal{"not a frame", err}
	case errors.Is(err, errIntake):
		r = &refusal{"no memory", err}
	case isTimeout(err):
		r = &refusal{"no join in time", nil}
	case errors.Is(err, io.ErrUnexpectedEOF):
		r = &refusal{"truncated", nil}
	default: // closed before a frame came: a check of the port, not a client
		c.g.log.Debug("closed before joining", "dialect", "v1", "client", c.sock.name())
		c.close()
		return
	}
	c.g.counters.refused(r.reason)
	c.g.log.Warn("refused", "dialect", "v1", "client", c.sock.name(), "reason", r.Error())
	c.linger()
	c.close()
}

// lingerTime is how long a connection that we end is read and discarded, so that
// no reset overtakes what was sent before.
const lingerTime = 2 * time.Second

func (c *v1conn) linger() {
	c.sock.shutWrite()
	c.sock.Conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.Copy(io.Discard, c.sock.Conn)
}

func (c *v1conn) visit(m *bus.Member) Visit {
	return Visit{Dialect: "v1", Channel: m.Channel(), UID: c.uid, Addr: c.sock.addr, Key: c.by.get()}
}

// Wake implements [bus.Sink].
func (c *v1conn) Wake(m *bus.Member) { c.writer.wake(m) }

// Cut implements [bus.Sink]. A client that also sends keeps its voice: it only
// sees the end of what it is sent.
func (c *v1conn) Cut(m *bus.Member, why bus.Reason) {
	c.g.counters.cut(why)
	c.g.log.Warn("subscription cut", "dialect", "v1", "client", c.sock.name(), "uid", c.uid, "channel", m.Channel(), "reason", string(why))
	if why == bus.Replaced || !c.spoke.Load() {
		c.ends(&ending{reason: string(why)})
		c.abort()
		return
	}
	c.sock.SetWriteDeadline(time.Now())
	c.sock.shutWrite()
}

// deaf is called when the client cannot be written to any more. What it sends is
// still published.
func (c *v1conn) deaf() {
	c.seat.mute()
}

func (c *v1conn) challenge() bool { return c.challenged.CompareAndSwap(false, true) }

func (c *v1conn) alive() bool {
	defer c.challenged.Store(false)
	return c.sock.tcp == nil || probed(c.sock.tcp)
}

func (c *v1conn) shutdown() {
	c.ends(&ending{reason: "going away"})
	c.abort()
}

// ends notes why the connection ends, unless that has been decided before, and says whether it has not.
func (c *v1conn) ends(why *ending) bool { return c.end.CompareAndSwap(nil, why) }

// abort makes the reader end.
func (c *v1conn) abort() {
	c.sock.Close()
	c.g.intake.abandon(&c.hold)
	c.seat.leave()
}

// close gives up all that the connection holds. Only its reader calls it.
func (c *v1conn) close() {
	if c.closed {
		return
	}
	c.closed = true
	if c.member != nil {
		c.member.Leave()
		l := &life{dialect: "v1", uid: c.uid, channel: c.channel, sock: c.sock}
		l.add(c.g.went(c.member, &c.g.counters.v1))
		c.g.farewell(l, &c.g.counters.v1, c.end.Load())
	}
	c.g.intake.set(&c.hold, 0)
	c.conn.Close()
	c.sock.Close()
}

// isTimeout says whether reading ended because a deadline passed.
func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
