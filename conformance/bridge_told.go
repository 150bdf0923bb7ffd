package conformance

// A heard is a message that v2 members get, or a join notice.
type heard struct {
	first   byte
	payload string
	notice  bool
}

func heardText(s string) heard   { return heard{first: Fin | OpText, payload: s} }
func heardBinary(s string) heard { return heard{first: Fin | OpBinary, payload: s} }

// heardJoin is the join notice of uid: uid and channel, and nothing else.
func heardJoin(uid, channel string) heard {
	return heard{first: Fin | OpText, payload: HelloText(uid, channel, ""), notice: true}
}

// A told is what members of either dialect are told of what somebody did.
type told struct {
	v1 [][]byte
	v2 []heard
}

// and is a and what came after it.
func (a told) and(b told) told {
	return told{append(a.v1[:len(a.v1):len(a.v1)], b.v1...), append(a.v2[:len(a.v2):len(a.v2)], b.v2...)}
}

// made is the frame that v1 members get for what a v2 member sends: the key that
// a v1 client of its names and address would have, its low half as CID, the
// body as every sender writes it.
func (c *V2Conn) made(message string) []byte {
	key := c.t.MadeKey(c.Addr(), c.UID, c.Channel)
	return Frame(uint32(key), key, Map3(c.UID, c.Channel, message))
}

// tells sends a message and returns what it is to the others.
func (c *V1Conn) tells(message string) told {
	return told{[][]byte{c.Say(message)}, []heard{heardBinary(message)}}
}

func (c *V2Conn) tells(message heard) told {
	c.SendFrame(message.first, message.payload)
	return told{[][]byte{c.made(message.payload)}, []heard{message}}
}

// enters joins with an empty message and returns what that is to the others.
func (c *V1Conn) enters(uid, channel string) told {
	return told{[][]byte{c.Join(uid, channel, "")}, []heard{heardJoin(uid, channel)}}
}

func (c *V2Conn) enters(uid, channel string) told {
	c.Hello(uid, channel)
	return told{[][]byte{c.made("")}, []heard{heardJoin(uid, channel)}}
}

// visitV1 and visitV2 are VisitV1 and VisitV2 that return what everybody is told.
func (r *Room) visitV1(uid string, messages ...string) told {
	c := r.t.DialV1()
	said := c.enters(uid, r.Channel)
	for _, m := range messages {
		said = said.and(c.tells(m))
	}
	c.SeeOff()
	return said
}

func (r *Room) visitV2(uid string, messages ...heard) told {
	c := r.t.DialV2()
	said := c.enters(uid, r.Channel)
	for _, m := range messages {
		said = said.and(c.tells(m))
	}
	c.SeeOff()
	return said
}

// hears wants these next. Servers differ in whether they tell v2 members of
// arrivals, and when: a notice among these may be missing, and no other may come.
// The last must be none.
func (c *V2Conn) hears(want ...heard) {
	for _, h := range want {
		if !h.notice || c.noticeIsNext(h) {
			c.ExpectFrame(h.first, h.payload)
		}
	}
}

func (c *V2Conn) noticeIsNext(want heard) bool {
	a, ok := c.in.peek(c.t.remaining())
	return ok && a.end == nil && a.first == want.first && string(a.payload) == want.payload
}

// hearsAll wants these next, notices too.
func (c *V2Conn) hearsAll(want ...heard) {
	for _, h := range want {
		c.ExpectFrame(h.first, h.payload)
	}
}

// hasV1 wants a v1 joiner to be sent this history and nothing else. What it returns
// is the history afterwards.
func (r *Room) hasV1(history told) told {
	reader := r.t.DialV1()
	entered := reader.enters(r.t.UID("reader"), r.Channel)
	reader.ExpectFrame(history.v1...)
	end := r.visitV1(r.t.UID("zoe"), "the end")
	reader.ExpectFrame(end.v1...)
	reader.Close()
	return history.and(entered).and(end)
}

// hasV2 wants the same of a v2 joiner, with or without the join notices. There
// must be a message in the history.
func (r *Room) hasV2(history told) told {
	reader := r.t.DialV2()
	entered := reader.enters(r.t.UID("reader"), r.Channel)
	reader.in.peek(r.t.remaining()) // it is in: what comes now comes after it
	end := r.visitV1(r.t.UID("zoe"), "the end")
	reader.hears(history.and(end).v2...)
	reader.Close()
	return history.and(entered).and(end)
}

// hasAllV2 wants the notices, too.
func (r *Room) hasAllV2(history told) told {
	reader := r.t.DialV2()
	entered := reader.enters(r.t.UID("reader"), r.Channel)
	reader.hearsAll(history.v2...)
	end := r.visitV1(r.t.UID("zoe"), "the end")
	reader.hears(end.v2...)
	reader.Close()
	return history.and(entered).and(end)
}
