package scripted

import "errors"

// serveV1 serves one v1 connection to its end.
func (s *Server) serveV1(c *Conn) {
	err := c.why(s.sessionV1(c))
	var v *errVerdict
	if errors.As(err, &v) && v.verdict == Hang {
		c.hang()
		return
	}
	s.finish(c, nil)
}

func (s *Server) sessionV1(c *Conn) (err error) {
	f, err := s.readV1(c, true)
	if err != nil {
		return err
	}
	m, channel, first, err := s.firstV1(c, f)
	if err != nil {
		return err
	}
	ch, err := s.enter(channel, m, first)
	if err != nil {
		return err
	}
	defer func() { s.depart(ch, m, err) }()
	for {
		f, err = s.readV1(c, false)
		if err != nil {
			return err
		}
		s.say(ch, m, s.eventV1(f, false))
	}
}

// firstV1 reads a first frame: who joins what, and with which events.
func (s *Server) firstV1(c *Conn, f Frame) (*Member, string, []*Event, error) {
	msg, remarks := s.Rules.Decode(f.Body(), s.Rules.MaxNesting)
	contained := []Frame{f}
	by := f
	if msg.Frames != nil {
		contained = nil
		for _, raw := range msg.Frames {
			inner, more := s.contained(raw)
			contained, remarks = append(contained, inner), append(remarks, more...)
		}
		if v, about := s.Rules.judge(remarks...); v != Ignore || len(contained) == 0 {
			return nil, "", nil, &errVerdict{verdict: v, remark: about}
		}
		by = s.Rules.JoinBy(f, contained)
		var more []Remark
		if msg, more = s.Rules.Decode(by.Body(), s.Rules.MaxNesting); msg.Frames != nil {
			more = append(more, "body other") // a ResyncMsg in a ResyncMsg joins nobody
		}
		remarks = append(remarks, more...)
	}
	if len(msg.UID) > s.Rules.MaxName || len(msg.Channel) > s.Rules.MaxName {
		remarks = append(remarks, "name too long")
	}
	v, about := s.Rules.judge(remarks...)
	switch v {
	case Ignore:
	case Blank:
		msg = Msg{}
	default:
		return nil, "", nil, &errVerdict{verdict: v, remark: about}
	}
	if !s.Rules.KeyFits(s, c.from, by.Key, msg.UID, msg.Channel) {
		return nil, "", nil, &errVerdict{verdict: s.Rules.Verdicts["key wrong"], remark: "key wrong"}
	}
	var events []*Event
	for i, inner := range contained {
		events = append(events, s.eventV1(inner, i == 0))
	}
	m := &Member{Dialect: V1, UID: msg.UID, CID: by.CID, Key: by.Key, Conn: c}
	return m, msg.Channel, events, nil
}

// contained reads a frame of a ResyncMsg, which must be one whole frame.
func (s *Server) contained(raw []byte) (Frame, []Remark) {
	if len(raw) < headerLen {
		return Frame{Raw: raw}, []Remark{"resync frame short"}
	}
	f := Frame{Header: s.Rules.Header(raw), Raw: raw}
	var remarks []Remark
	for _, r := range f.Remarks {
		remarks = append(remarks, "resync "+r)
	}
	switch n := len(raw) - headerLen; {
	case n < f.Len:
		remarks = append(remarks, "resync frame cut")
	case n > f.Len:
		remarks = append(remarks, "resync frame long")
	}
	return f, remarks
}

// eventV1 is what a frame tells. After the join a body need not decode, and a
// ResyncMsg tells nothing.
func (s *Server) eventV1(f Frame, arrival bool) *Event {
	msg, remarks := s.Rules.Decode(f.Body(), s.Rules.MaxNesting)
	v, _ := s.Rules.judge(remarks...)
	e := &Event{From: V1, Frame: f.Raw, UID: msg.UID, Message: msg.Message}
	e.Opaque = v != Ignore || msg.Frames != nil || len(msg.UID) > s.Rules.MaxName
	e.Arrival = arrival || !e.Opaque && len(msg.Message) == 0
	return e
}
