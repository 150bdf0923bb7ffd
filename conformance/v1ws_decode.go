package conformance

// v1wsDecodeCases try each row of the decode table as a first body: on a WebSocket
// the same bodies join as over TCP.
func v1wsDecodeCases() []Case {
	const section = "v1/spec.md#decoding"
	var cases []Case
	for _, b := range v1Taken() {
		cases = append(cases, Case{
			ID: "v1ws/decode/takes-" + b.name, Section: section, Needs: V1WS,
			Says: "A first body that " + b.says + " joins the channel that it names, and reaches others byte for byte.",
			Run: func(t *T) {
				room := t.Room()
				bob := room.HostWS("bob")
				uid, channel := b.named(room)
				joiner := t.DialV1WS().JoinWith(uid, channel, b.body(room.Channel))
				bob.ExpectBody(b.body(room.Channel))
				room.Meet(joiner)
			},
		})
	}
	for _, b := range v1Refused() {
		cases = append(cases, Case{
			ID: "v1ws/decode/refuses-" + b.name, Section: section, Needs: V1WS,
			Says: "A first body that " + b.says + " ends the connection and reaches nobody.",
			Run: func(t *T) {
				room := t.Room()
				bob, joiner := room.HostWS("bob"), t.DialV1WS()
				joiner.SendBody(b.body(room.Channel))
				joiner.ExpectRefused()
				room.heardNothingWS(bob)
			},
		})
	}
	return append(cases, Case{
		ID: "v1ws/decode/later-taken", Section: section, Needs: V1WS,
		Says: "Each of the bodies that join may come later, too, and reaches others byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			for _, b := range v1Taken() {
				alice.SendBody(b.body(room.Channel))
				bob.ExpectBody(b.body(room.Channel))
			}
			room.Quiet()
		},
	}, Case{
		ID: "v1ws/decode/later-refused", Section: section, Needs: V1WS,
		Says: "Each of the bodies that do not join ends the connection as a later one, too, and reaches nobody.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.HostWS("bob")
			for _, b := range v1Refused() {
				alice := t.DialV1WS().Join("alice of "+b.name, room.Channel, "")
				bob.ExpectBody(alice.Body("")) // and so nothing of the one before
				alice.SendBody(b.body(room.Channel))
				alice.untilClosed()
				alice.Close()
			}
			room.heardNothingWS(bob)
		},
	}, Case{
		ID: "v1ws/decode/resync", Section: "v1/spec.md#websocket", Needs: V1WS, Level: Should,
		Says: "A ResyncMsg is for peers over TCP: on a WebSocket it is a body that does not decode, and joins nobody.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.HostWS("bob"), t.DialV1WS()
			key := t.MadeKey(alice.Addr(), "alice", room.Channel)
			alice.SendBody(string(Resync(Frame(uint32(key), key, Map3("alice", room.Channel, "remember")))))
			alice.ExpectRefused()
			room.heardNothingWS(bob)
		},
	})
}

// untilClosed passes over what comes, and wants the server to end the connection.
func (c *WSConn) untilClosed() {
	for {
		a, ok := c.in.take(c.t.remaining())
		switch {
		case !ok:
			c.t.Fatalf("%s was not closed within %v", c.name.String(), c.t.Patience())
		case a.end != nil:
			return
		case a.first == Fin|OpClose:
			c.SendFrame(Fin|OpClose, string(a.payload[:min(2, len(a.payload))]))
		}
	}
}
