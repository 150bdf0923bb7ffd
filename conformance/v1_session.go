package conformance

func v1SessionCases() []Case {
	return []Case{{
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
		ID: "v1/join/same-cid", Section: "v1/spec.md#session", Needs: V1,
		Says: "A second connection with a CID that is active on the channel is closed; the first stays, and nobody gets anything of it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			twin := t.DialV1()
			aliceKey := alice.Key("alice", room.Channel)
			twin.Send(Frame(uint32(aliceKey), twin.Key("twin", room.Channel), Map3("twin", room.Channel, "me too")))
			t.SetPatience(t.Patience() + gatewayProbe)
			twin.ExpectClosed()
			bob.ExpectFrame(alice.Say("I was here first"))
			room.Quiet()
		},
	}}
}
