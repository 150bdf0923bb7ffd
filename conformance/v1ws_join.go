package conformance

func v1wsJoinCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/join/empty-message", Section: section, Needs: V1WS,
		Says: "The first body joins the channel that it names, and reaches those present as their notice of it, also with an empty message.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.HostWS("bob")
			alice := t.DialV1WS().Join("alice", room.Channel, "")
			bob.ExpectBody("\xa3" + uidAlice + inChannel(room.Channel) + "\x67message\x40")
			room.Meet(alice)
			room.Quiet()
		},
	}, {
		ID: "v1ws/join/message", Section: section, Needs: V1WS,
		Says: "The message of the first body is delivered, once, with it.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.HostWS("bob")
			alice := t.DialV1WS().Join("alice", room.Channel, "hi")
			bob.ExpectBody("\xa3" + uidAlice + inChannel(room.Channel) + messageHi)
			room.Meet(alice)
			room.Quiet()
		},
	}, {
		ID: "v1ws/join/message-stored", Section: section, Needs: V1WS,
		Says: "A first body with a message is one entry of the history.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1WS().Join("alice", room.Channel, "hi")
			after := alice.Say("after")
			alice.SeeOff()
			bob := t.DialV1WS().Join("bob", room.Channel, "")
			bob.ExpectBody(alice.Body("hi"), after)
			room.heardNothingWS(bob)
		},
	}, {
		ID: "v1ws/join/nothing-answered", Section: section, Needs: V1WS,
		Says: "Who joins an empty channel is sent nothing until somebody else says something: no answer, and not its own join.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1WS().Join("alice", room.Channel, "first of all")
			alice.SendPing("in?")
			alice.ExpectFrame(Fin|OpPong, "in?")
			room.heardNothingWS(alice)
		},
	}, {
		ID: "v1ws/join/one-segment", Section: section, Needs: V1WS,
		Says: "Bodies that come in one segment, the first among them, each reach the others.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.HostWS("bob")
			alice := t.DialV1WS().as("alice", room.Channel)
			alice.Send(ClientFrame(Fin|OpBinary, alice.Body("")), ClientFrame(Fin|OpBinary, alice.Body("one")), ClientFrame(Fin|OpBinary, alice.Body("two")))
			bob.ExpectBody(alice.Body(""), alice.Body("one"), alice.Body("two"))
			room.heardNothingWS(bob)
		},
	}, {
		ID: "v1ws/join/byte-by-byte", Section: section, Needs: V1WS,
		Says: "A first body that comes byte by byte joins like any other.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.HostWS("bob")
			alice := t.DialV1WS().as("alice", room.Channel)
			alice.SendEach(ClientFrame(Fin|OpBinary, alice.Body("slow")))
			bob.ExpectBody(alice.Body("slow"))
			room.Meet(alice)
		},
	}, {
		ID: "v1ws/join/fragments", Section: section, Needs: V1WS,
		Says: "A first body in fragments, with a ping between them, joins like any other, and is one frame to others.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.HostWS("bob")
			alice := t.DialV1WS().as("alice", room.Channel)
			body := alice.Body("in parts")
			alice.SendFrame(OpBinary, body[:3])
			alice.SendFrame(OpContinuation, body[3:20])
			alice.SendPing("between")
			alice.ExpectFrame(Fin|OpPong, "between")
			alice.SendFrame(Fin|OpContinuation, body[20:])
			bob.ExpectBody(body)
			room.Meet(alice)
		},
	}, {
		ID: "v1ws/join/same-uid", Section: section, Needs: V1WS,
		Says: "Two connections may be in a channel under one uid: neither is closed, and they hear each other.",
		Run: func(t *T) {
			room := t.Room()
			first := room.V1WS("alice")
			second := room.V1WS("alice")
			second.ExpectBody(first.Say("from the one"))
			first.ExpectBody(second.Say("from the other"))
			room.Quiet()
		},
	}, {
		ID: "v1ws/join/once", Section: section, Needs: V1WS,
		Says: "A later body with an empty message is no second join: its sender gets no history again, and everything else once.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			bob.ExpectBody(alice.Say(""))
			alice.ExpectBody(bob.Say("once"))
			room.Quiet()
		},
	}, {
		ID: "v1ws/join/other-uid", Section: section, Needs: V1WS,
		Says: "A body under another uid is no second member: it reaches others as it is, and its sender goes on to get everything once.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			for _, message := range []string{"", "on behalf of ben"} {
				body := string(Map3("ben", room.Channel, message))
				alice.SendBody(body)
				bob.ExpectBody(body)
			}
			alice.ExpectBody(bob.Say("once"))
			room.Quiet()
		},
	}}
}
