package conformance

func v2MessageCases() []Case {
	return []Case{{
		ID: "v2/message/opcode-kept", Section: "v2/spec.md#messages", Needs: V2,
		Says: "Text and binary messages reach the other members with the opcode and bytes that they came with, and not their sender.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendText("text")
			alice.SendBinary("\x00\xff binary")
			bob.ExpectFrame(Fin|OpText, "text")
			bob.ExpectFrame(Fin|OpBinary, "\x00\xff binary")
			room.Quiet()
		},
	}, {
		ID: "v2/message/fragments-joined", Section: "v2/spec.md#messages", Needs: V2,
		Says: "A message in three fragments, one of them empty and with a ping between, is forwarded as one frame.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendFrame(OpBinary, "one ")
			alice.SendFrame(OpContinuation, "")
			alice.SendPing("between")
			alice.SendFrame(Fin|OpContinuation, "message")
			alice.ExpectPong("between")
			bob.ExpectFrame(Fin|OpBinary, "one message")
			room.Quiet()
		},
	}, {
		ID: "v2/close/masking", Section: "v2/spec.md#closing", Needs: V2, Level: Should,
		Says: "A frame that is not masked ends the connection with 1002.",
		Run: func(t *T) {
			room := t.Room()
			alice, _ := room.V2("alice"), room.V2("bob")
			alice.Send(UnmaskedFrame(Fin|OpBinary, "bare"))
			alice.ExpectClose(1002)
			room.Leave(alice)
			room.Quiet()
		},
	}}
}
