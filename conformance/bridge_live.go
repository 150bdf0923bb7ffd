package conformance

func bridgeLiveCases() []Case {
	return []Case{{
		ID: "bridge/live/v1-message-to-v2", Section: "bridge/mapping.md#what-each-side-gets", Needs: V1 | V2,
		Says: "A v1 message reaches v2 members as one binary frame of the message's bytes, and v1 members byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V1("carol")
			frame := alice.Say("to whom it may concern")
			bob.ExpectFrame(Fin|OpBinary, "to whom it may concern")
			carol.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "bridge/live/v2-message-to-v1", Section: "bridge/mapping.md#what-each-side-gets", Needs: V1 | V2,
		Says: "A v2 message reaches v1 members as a frame with its sender's uid, the channel and the payload.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			bob.SendText("text, too")
			key := t.MadeKey(bob.Addr(), "bob", room.Channel)
			alice.ExpectFrame(Frame(uint32(key), key, Map3("bob", room.Channel, "text, too")))
			room.Quiet()
		},
	}}
}
