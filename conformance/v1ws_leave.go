package conformance

func v1wsLeaveCases() []Case {
	const section = "v1/spec.md#websocket"
	const closing = "v2/spec.md#closing"
	return []Case{{
		ID: "v1ws/leave/publish-and-go", Section: section, Needs: V1WS,
		Says: "A client that joins, sends, and closes without reading has its bodies delivered.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.HostWS("alice")
			bob := t.DialV1WSDeaf().as("bob", room.Channel)
			bob.Send(ClientFrame(Fin|OpBinary, bob.Body("")), ClientFrame(Fin|OpBinary, bob.Body("one")), ClientFrame(Fin|OpBinary, bob.Body("two")),
				ClientFrame(Fin|OpClose, ClosePayload(1000, "")))
			bob.Close()
			alice.ExpectBody(bob.Body(""), bob.Body("one"), bob.Body("two"))
			room.heardNothingWS(alice)
		},
	}, {
		ID: "v1ws/leave/publish-and-drop", Section: section, Needs: V1WS,
		Says: "A client that joins, sends, and drops its connection without a close frame has its bodies delivered.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.HostWS("alice")
			bob := t.DialV1WS().Join("bob", room.Channel, "one")
			bob.Say("two")
			bob.Close()
			alice.ExpectBody(bob.Body("one"), bob.Body("two"))
			room.heardNothingWS(alice)
		},
	}, {
		ID: "v1ws/leave/half-closed", Section: section, Needs: V1WS,
		Says: "What a client sent before it shut down its sending side is delivered and stored.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.HostWS("alice")
			bob := t.DialV1WS().Join("bob", room.Channel, "")
			said := []string{bob.Body(""), bob.Say("last words")}
			bob.tcp.CloseWrite()
			alice.ExpectBody(said...)
			t.DialV1WS().Join("carol", room.Channel, "").bodiesUntil(said[1])
		},
	}, {
		ID: "v1ws/leave/abrupt", Section: closing, Needs: V1WS,
		Says: "A reset connection harms nobody in any of its channels, and the others hear nothing of it.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			inOne := one.V1WS("alice")
			bob, carol := one.V1WS("bob"), two.V1WS("carol")
			inTwo := inOne.Join("alice", two.Channel, "")
			two.Meet(inTwo)
			one.Leave(inOne)
			two.Leave(inTwo)
			inOne.Reset()
			one.heardNothingWS(bob)
			two.heardNothingWS(carol)
		},
	}, {
		ID: "v1ws/leave/half-sent-frame", Section: closing, Needs: V1WS,
		Says: "Of a frame that is cut off by the end of the connection nothing is delivered or stored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			whole := alice.Body("a whole one")
			alice.Send(ClientFrame(Fin|OpBinary, whole), ClientFrame(Fin|OpBinary, alice.Body("the half of one"))[:30])
			bob.ExpectBody(whole)
			alice.tcp.CloseWrite()
			alice.ExpectRefused()
			room.Leave(alice)
			room.heardNothingWS(bob)
			carol := t.DialV1WS().Join("carol", room.Channel, "")
			carol.bodiesUntil(whole)
			carol.Next() // zoe's join
			room.heardNothingWS(carol)
		},
	}, {
		ID: "v1ws/leave/half-sent-body", Section: closing, Needs: V1WS,
		Says: "Of a body whose last fragment never came nothing is delivered or stored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			whole := alice.Body("a whole one")
			alice.Send(ClientFrame(Fin|OpBinary, whole), ClientFrame(OpBinary, alice.Body("begun")))
			bob.ExpectBody(whole)
			alice.SendClose(1000)
			alice.ExpectRefused()
			room.Leave(alice)
			room.heardNothingWS(bob)
			carol := t.DialV1WS().Join("carol", room.Channel, "")
			carol.bodiesUntil(whole)
			carol.Next() // zoe's join
			room.heardNothingWS(carol)
		},
	}, {
		ID: "v1ws/leave/no-notice", Section: section, Needs: V1WS,
		Says: "When a member leaves, neither those present nor the history get anything of it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			bob.ExpectBody(alice.Say("goodbye"))
			room.Leave(alice)
			alice.SeeOff()
			carol := t.DialV1WS().Join("carol", room.Channel, "")
			carol.bodiesUntil(alice.Body("goodbye"))
			bob.ExpectBody(carol.Body(""), carol.Say("the end"))
		},
	}, {
		ID: "v1ws/leave/before-first-body", Section: closing, Needs: V1WS,
		Says: "Connections that end before their first body, within it, or before their upgrade, harm nobody.",
		Run: func(t *T) {
			room := t.Room()
			room.V1WS("alice")
			half := t.DialV1WS().as("bob", room.Channel)
			half.Send(ClientFrame(Fin|OpBinary, half.Body("half"))[:20])
			half.Reset()
			t.DialV1WS().Reset()
			t.DialV1WS().Close()
			h := t.DialV1WSHTTP()
			h.Send(h.Request("")[:30])
			h.Close()
			room.V1WS("carol")
			room.Quiet()
		},
	}}
}
