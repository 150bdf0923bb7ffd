package scripted

import (
	"errors"
	"sync/atomic"
	"time"
)

// serveV2 serves one connection of v2 to its end.
func (s *Server) serveV2(c *Conn) { s.serveWS(c, s.sessionV2) }

// serveWS serves a WebSocket connection, over which a session speaks its dialect.
func (s *Server) serveWS(c *Conn, session func(*Conn) error) {
	if !s.upgrade(c) {
		s.finish(c, nil)
		return
	}
	err := c.why(session(c))
	var v *errVerdict
	switch {
	case !errors.As(err, &v) || v.verdict == Cut:
		s.finish(c, nil)
	case v.verdict == Hang:
		c.hang()
	case v.remark == "closed":
		s.finish(c, s.Rules.WSFrame(fin|opClose, v.payload))
	default:
		s.finish(c, s.Rules.WSFrame(fin|opClose, closePayload(v.verdict, v.remark)))
	}
}

func (s *Server) sessionV2(c *Conn) (err error) {
	c.out.put(s.Rules.Greeting()...)
	v := &sessionV2{s: s, c: c}
	ended := make(chan struct{})
	defer close(ended)
	s.wg.Go(func() { v.ping(ended, s.Rules.PingEvery) })

	w := &wsReader{s: s, c: c, limit: s.Rules.MaxHello, tooBig: "hello too big", control: v.control, begun: true}
	first, err := w.next()
	if err != nil {
		return err
	}
	h, err := s.judgeHello(first[0])
	if err != nil {
		return err
	}
	key := s.keys(c.from, h.UID, h.Channel)[0]
	v.m = &Member{Dialect: V2, UID: h.UID, Key: key, CID: uint32(key), Conn: c}
	hello := &Event{From: V2, UID: h.UID, Arrival: true, Key: key, CID: uint32(key)}
	if v.ch, err = s.enter(h.Channel, v.m, []*Event{hello}); err != nil {
		return err
	}
	defer func() { s.depart(v.ch, v.m, err) }()

	w.begun, w.joined, w.limit, w.tooBig = false, true, s.Rules.MaxMessage(h.UID, h.Channel), "message too big"
	c.readWithin(0)
	for {
		messages, err := w.next()
		if err != nil {
			return err
		}
		for _, m := range messages {
			v.say(m.op, m.data)
		}
		c.out.put(v.late...)
		v.late = nil
	}
}

func (s *Server) judgeHello(m message) (Hello, error) {
	var remarks []Remark
	if m.op != opText {
		remarks = append(remarks, "hello binary")
	}
	h, more := s.Rules.readHello(m.data)
	remarks = append(remarks, more...)
	if v, about := s.Rules.judge(remarks...); v != Ignore {
		return h, &errVerdict{verdict: v, remark: about}
	}
	if !s.Rules.AuthFits(s, h) {
		return h, &errVerdict{verdict: s.Rules.Verdicts["auth wrong"], remark: "auth wrong"}
	}
	return h, nil
}

// A sessionV2 is one connection after its upgrade, m and ch being nil until it
// has joined.
type sessionV2 struct {
	s  *Server
	c  *Conn
	m  *Member
	ch *Channel

	late       [][]byte     // pongs that wait
	unanswered atomic.Int64 // pings
}

func (v *sessionV2) say(op byte, data []byte) {
	v.s.say(v.ch, v.m, &Event{From: V2, UID: v.m.UID, Op: op, Message: data, Key: v.m.Key, CID: v.m.CID})
}

// control takes a control frame.
func (v *sessionV2) control(op byte, inside bool, payload []byte) error {
	r := v.s.Rules
	if verdict, about := r.judge(lookAtControl(op, inside, v.m != nil)...); verdict != Ignore {
		return &errVerdict{verdict: verdict, remark: about}
	}
	if answer := r.Pong(op, payload); answer != nil && op != opClose {
		v.late = append(v.late, r.WSFrame(fin|opPong, answer))
	}
	if !inside || !r.PongsLate {
		v.c.out.put(v.late...)
		v.late = nil
	}
	switch op {
	case opPong:
		v.unanswered.Store(0)
	case opClose:
		if verdict, about := r.judge(lookAtClose(payload)...); verdict != Ignore {
			return &errVerdict{verdict: verdict, remark: about}
		}
		answer := r.CloseReply(payload)
		if r.GoesOn {
			v.c.out.put(r.WSFrame(fin|opClose, answer))
			return nil
		}
		if answer != nil {
			return &errVerdict{verdict: 1000, remark: "closed", payload: answer}
		}
		return &errVerdict{verdict: Cut, remark: "closed"}
	}
	if e := r.Control(op, payload); e != nil && v.m != nil {
		e.From, e.UID, e.Key, e.CID = V2, v.m.UID, v.m.Key, v.m.CID
		v.s.say(v.ch, v.m, e)
	}
	return nil
}

// lookAtControl remarks where a control frame stands.
func lookAtControl(op byte, inside, joined bool) (remarks []Remark) {
	name := map[byte]Remark{opPing: "ping", opPong: "pong", opClose: "close frame"}[op]
	if inside {
		remarks = append(remarks, name+" inside a message")
	}
	if !joined {
		remarks = append(remarks, name+" before the hello")
	}
	return append(remarks, name)
}

// ping pings until the session has ended, or does not answer.
func (v *sessionV2) ping(ended chan struct{}, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-v.c.dead:
			return
		case <-tick.C:
		}
		if v.unanswered.Load() >= int64(v.s.Rules.PingMisses) {
			v.c.kick(&errVerdict{verdict: v.s.Rules.Verdicts["no pong"], remark: "no pong"})
			return
		}
		v.unanswered.Add(1)
		v.c.out.put(v.s.Rules.WSFrame(fin|opPing, nil))
	}
}

// hear notes that something came.
func (c *Conn) hear() {
	select {
	case c.heard <- struct{}{}:
	default:
	}
}

// lives asks a v2 holder by a ping. Of v1 it is taken for granted.
func lives(holder *Member) bool {
	if holder.Dialect == V1 {
		return true
	}
	select {
	case <-holder.Conn.heard:
	default:
	}
	holder.Send(wsFrame(fin|opPing, nil))
	limit := time.NewTimer(3 * time.Second)
	defer limit.Stop()
	select {
	case <-holder.Conn.heard:
		return true
	case <-holder.Conn.dead:
		return true // it is just leaving
	case <-limit.C:
		return false
	}
}
