package scripted

// serveV1WS serves one connection of v1 over WebSocket to its end.
func (s *Server) serveV1WS(c *Conn) {
	s.serveWS(c, func(c *Conn) error {
		w := &sessionV1WS{sessionV2: sessionV2{s: s, c: c}, places: make(map[string]*Member)}
		return w.run()
	})
}

// A sessionV1WS is one connection after its upgrade. It is one member of each
// channel that it has named.
type sessionV1WS struct {
	sessionV2
	places map[string]*Member // by channel
	latest *Member            // the one that joined last
}

func (w *sessionV1WS) run() (err error) {
	r := w.s.Rules
	w.c.out.put(r.Greeting()...)
	ended := make(chan struct{})
	defer close(ended)
	w.s.wg.Go(func() { w.ping(ended, r.PingEveryWS) })
	defer func() {
		for _, m := range w.places {
			w.s.depart(m.Channel, m, err)
		}
	}()
	reader := &wsReader{s: w.s, c: w.c, limit: r.MaxFirst, tooBig: "v1ws body too big", control: w.control, begun: true}
	for {
		messages, err := reader.next()
		if err != nil {
			return err
		}
		for _, m := range messages {
			if err := w.hear(m); err != nil {
				return err
			}
		}
		w.c.out.put(w.late...)
		w.late = nil
		if len(w.places) > 0 && !reader.joined {
			reader.begun, reader.joined, reader.limit = false, true, r.MaxBody
			w.c.readWithin(0)
		}
	}
}

// hear takes a body: a join of the channel that it names, or what its member there
// says.
func (w *sessionV1WS) hear(m message) error {
	r := w.s.Rules
	judge := func(remarks ...Remark) error {
		if v, about := r.judge(remarks...); v != Ignore {
			return &errVerdict{verdict: v, remark: about}
		}
		return nil
	}
	if m.op == opText {
		if err := judge("v1ws text"); err != nil {
			return err
		}
	}
	msg, remarks := r.Decode(m.data, r.MaxNesting)
	if v, _ := r.judge(remarks...); v != Ignore || msg.Frames != nil {
		switch v := r.Verdicts["v1ws body undecodable"]; v {
		case Ignore: // a fault: as far as it could be read
		case Blank:
			msg = Msg{}
		case Hang: // a fault: passed over
			return nil
		default:
			return &errVerdict{verdict: v, remark: "v1ws body undecodable"}
		}
	}
	place := w.places[msg.Channel]
	if place == nil && r.PlaceOf != nil {
		place = r.PlaceOf(w.latest, msg)
	}
	if place == nil {
		return w.join(msg, m.data, judge)
	}
	if len(msg.UID) > r.MaxName {
		if err := judge("v1ws long uid"); err != nil {
			return err
		}
	}
	w.s.say(place.Channel, place, w.event(place.Channel.Name, msg, m.data, false))
	return nil
}

func (w *sessionV1WS) join(msg Msg, body []byte, judge func(...Remark) error) error {
	r := w.s.Rules
	if len(msg.UID) > r.MaxName || len(msg.Channel) > r.MaxName {
		if err := judge("v1ws name too long"); err != nil {
			return err
		}
	}
	if len(w.places) >= r.MaxChannels {
		if err := judge("v1ws too many channels"); err != nil {
			return err
		}
		return nil // a fault: passed over
	}
	first := w.event(msg.Channel, msg, body, true)
	m := &Member{Dialect: V1WS, UID: msg.UID, Key: first.Key, CID: first.CID, Conn: w.c}
	if _, err := w.s.enter(msg.Channel, m, []*Event{first}); err != nil {
		return err
	}
	w.m, w.ch, w.latest, w.places[msg.Channel] = m, m.Channel, m, m
	return nil
}

// event is what a body tells. It stands behind the header that a v1 client of its
// names and address would send.
func (w *sessionV1WS) event(channel string, msg Msg, body []byte, arrival bool) *Event {
	key := w.s.keys(w.c.from, msg.UID, channel)[0]
	return &Event{
		From: V1WS, UID: msg.UID, Message: msg.Message, Arrival: arrival || len(msg.Message) == 0,
		Key: key, CID: uint32(key), Body: body,
	}
}

// astray says whether an event is nothing for v1 WebSocket members, who tell
// channels apart by the body.
func (s *Server) astray(ch *Channel, e *Event) bool {
	if e.Opaque {
		return true
	}
	if e.From != V1 {
		return false
	}
	msg, _ := s.Rules.Decode(Frame{Raw: e.Frame}.Body(), s.Rules.MaxNesting)
	return msg.Channel != ch.Name
}

// bodyOf is an event's v1 body.
func bodyOf(ch *Channel, e *Event) []byte {
	switch e.From {
	case V1:
		return e.Frame[headerLen:]
	case V1WS:
		return e.Body
	}
	return body3(e.UID, ch.Name, e.Message)
}
