package conformance

func v1SessionCases() []Case {
	return []Case{{
		ID: "v1/join/empty", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame with an empty message is forwarded to those present byte for byte: it tells who is there.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol, alice := room.V1("bob"), room.V1("carol"), t.DialV1()
			join := alice.Join("alice", room.Channel, "")
			bob.ExpectFrame(join)
			carol.ExpectFrame(join)
			room.Meet(alice)
			room.Quiet()
		},
	}, {
		ID: "v1/join/with-message", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame with a message is forwarded to those present byte for byte, once.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol, alice := room.V1("bob"), room.V1("carol"), t.DialV1()
			join := alice.Join("alice", room.Channel, "here I am")
			bob.ExpectFrame(join)
			carol.ExpectFrame(join)
			room.Meet(alice)
			room.Quiet()
		},
	}, {
		ID: "v1/join/empty-stored", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame with an empty message is in the history, byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			v1HasHistory(room, room.VisitV1("alice"))
		},
	}, {
		ID: "v1/join/message-stored", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame with a message is in the history, byte for byte and once.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1()
			join := alice.Join("alice", room.Channel, "here I was")
			alice.SeeOff()
			v1HasHistory(room, [][]byte{join})
		},
	}, {
		ID: "v1/join/nothing-answered", Section: "v1/spec.md#session", Needs: V1,
		Says: "Who joins an empty channel with a message is answered nothing: the first thing it gets is what the next one sends, not its own frame.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1()
			alice.Join("alice", room.Channel, "is anybody here?")
			alice.ExpectFrame(room.VisitV1("bob", "yes")...)
		},
	}, {
		ID: "v1/join/history-before-live", Section: "v1/spec.md#session", Needs: V1,
		Says: "A joiner is sent the channel's history, oldest first and byte for byte, then what is new, with nothing between.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("alice", "one", "two", "three")
			bob := t.DialV1()
			bob.Join("bob", room.Channel, "")
			bob.ExpectFrame(history...)
			bob.ExpectFrame(room.VisitV1("carol", "four")...)
		},
	}, {
		ID: "v1/join/own-history", Section: "v1/spec.md#session", Needs: V1,
		Says: "Who comes back is sent the history with its own earlier frames, in their places.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1()
			history := [][]byte{alice.Join("alice", room.Channel, "hello"), alice.Say("one")}
			alice.SeeOff()
			history = append(history, room.VisitV1("bob", "two")...)
			again := t.DialV1()
			again.Join("alice", room.Channel, "hello again")
			again.ExpectFrame(history...)
			room.heardNothing(again)
		},
	}, {
		ID: "v1/join/two-channels", Section: "v1/spec.md#session", Needs: V1,
		Says: "A client may be in two channels, by two connections: each gets what is sent in its own.",
		Run: func(t *T) {
			here, there := t.Room(), t.Room()
			aliceHere, bob := here.V1("alice"), here.V1("bob")
			aliceThere, carol := there.V1("alice"), there.V1("carol")
			aliceHere.ExpectFrame(bob.Say("here"))
			aliceThere.ExpectFrame(carol.Say("there"))
			here.Quiet()
			there.Quiet()
		},
	}}
}
