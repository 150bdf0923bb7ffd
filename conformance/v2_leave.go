package conformance

func v2LeaveCases() []Case {
	const section = "v2/spec.md#closing"
	const messages = "v2/spec.md#messages"
	return []Case{{
		ID: "v2/leave/publish-and-go", Section: messages, Needs: V2,
		Says: "A client that joins, sends, and closes without reading has its messages delivered.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.V2("alice")
			bob := t.DialV2Deaf()
			bob.named("bob", room.Channel)
			bob.Send(
				ClientFrame(Fin|OpText, bob.filled(`{"uid":"bob","channel":"$channel"$auth}`)),
				ClientFrame(Fin|OpBinary, "one"), ClientFrame(Fin|OpBinary, "two"), ClientFrame(Fin|OpBinary, "three"),
				ClientFrame(Fin|OpClose, ClosePayload(1000, "")),
			)
			bob.Close()
			alice.ExpectBinary("one")
			alice.ExpectBinary("two")
			alice.ExpectBinary("three")
		},
	}, {
		ID: "v2/leave/publish-and-drop", Section: messages, Needs: V2,
		Says: "A client that joins, sends, and drops its connection without a close frame has its messages delivered.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.V2("alice")
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.SendBinary("one")
			bob.SendBinary("two")
			bob.Close()
			alice.ExpectBinary("one")
			alice.ExpectBinary("two")
		},
	}, {
		ID: "v2/leave/half-closed", Section: messages, Needs: V2,
		Says: "What a client sent before it shut down its sending side is delivered and stored.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.V2("alice")
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.SendBinary("last words")
			bob.tcp.CloseWrite()
			alice.ExpectBinary("last words")
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			carol.UpTo("last words")
		},
	}, {
		ID: "v2/leave/abrupt", Section: section, Needs: V2,
		Says: "A reset connection harms nobody, and the others hear nothing of it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V2("alice"), room.V2("bob"), room.V2("carol")
			room.Leave(alice)
			alice.Reset()
			bob.SendBinary("where is she?")
			carol.ExpectFrame(Fin|OpBinary, "where is she?")
			room.Quiet()
		},
	}, {
		ID: "v2/leave/half-sent-frame", Section: section, Needs: V2,
		Says: "Of a frame that is cut off by the end of the connection nothing is forwarded or stored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.Send(ClientFrame(Fin|OpBinary, "a whole one"), ClientFrame(Fin|OpBinary, "the half of one")[:12])
			bob.ExpectFrame(Fin|OpBinary, "a whole one")
			room.Leave(alice)
			alice.Close()
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			carol.UpTo("a whole one")
			room.Meet(carol)
			room.Quiet()
		},
	}, {
		ID: "v2/leave/half-sent-message", Section: section, Needs: V2,
		Says: "Of a message whose last fragment never came nothing is forwarded or stored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.Send(ClientFrame(Fin|OpBinary, "a whole one"), ClientFrame(OpBinary, "begun"))
			bob.ExpectFrame(Fin|OpBinary, "a whole one")
			alice.SendClose(1000)
			alice.ExpectRefused()
			room.Leave(alice)
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			bob.SendBinary("the end")
			carol.ExpectNothingOf("nobody", "begun", "the end")
		},
	}, {
		ID: "v2/leave/before-hello", Section: section, Needs: V2,
		Says: "Connections that end before their hello, within it, or before their upgrade, harm nobody.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			half := t.DialV2()
			half.named("bob", room.Channel)
			half.Send(ClientFrame(Fin|OpText, half.filled(`{"uid":"bob","channel":"$channel"$auth}`))[:20])
			half.Reset()
			t.DialV2().Reset()
			t.DialV2().Close()
			h := t.DialHTTP()
			h.Send(h.Request("")[:30])
			h.Close()
			room.V2("bob")
			room.Quiet()
		},
	}, {
		ID: "v2/leave/no-notice", Section: section, Needs: V2,
		Says: "When a member leaves, neither those present nor the history get anything of it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendBinary("goodbye")
			bob.ExpectFrame(Fin|OpBinary, "goodbye")
			room.Leave(alice)
			alice.SeeOff()
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			carol.UpTo("goodbye")
			carol.SendBinary("the end")
			bob.ExpectBinary("the end")
			room.Meet(carol)
		},
	}}
}
