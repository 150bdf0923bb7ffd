package conformance

import "strings"

func v1wsControlCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/ping/answered", Section: section, Needs: V1WS, Conns: 1,
		Says: "A ping is answered with a pong of the same payload, of none and of 125 bytes too, before the join and after it.",
		Run: func(t *T) {
			c := t.DialV1WS()
			for range 2 {
				for _, payload := range []string{"ping", "", strings.Repeat("\xff", 125)} {
					c.SendPing(payload)
					c.ExpectFrame(Fin|OpPong, payload)
				}
				c.Join("alice", t.Channel(), "")
			}
		},
	}, {
		ID: "v1ws/ping/not-forwarded", Section: section, Needs: V1WS,
		Says: "A client's ping goes to no other member, neither as a ping nor as a body, even if its payload is one.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			bob.KeepPings(alice.Body("for the server"))
			alice.SendPing(alice.Body("for the server"))
			alice.ExpectFrame(Fin|OpPong, alice.Body("for the server"))
			bob.ExpectBody(alice.Say("for all"))
			room.Quiet()
		},
	}, {
		ID: "v1ws/ping/not-stored", Section: section, Needs: V1WS,
		Says: "A client's pings and pongs are not in the history.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1WS().Join("alice", room.Channel, "")
			alice.SendPing(alice.Body("a ping"))
			alice.SendFrame(Fin|OpPong, alice.Body("a pong"))
			said := alice.Say("a message")
			alice.SeeOff()
			bob := t.DialV1WS()
			bob.KeepPings(alice.Body("a ping"))
			bob.Join("bob", room.Channel, "").ExpectBody(alice.Body(""), said)
		},
	}, {
		ID: "v1ws/pong/ignored", Section: section, Needs: V1WS,
		Says: "Pongs that nobody asked for are ignored: no answer, and nothing of them reaches others.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			alice.SendFrame(Fin|OpPong, "")
			alice.SendFrame(Fin|OpPong, alice.Body("unasked"))
			bob.ExpectBody(alice.Say("still here"))
			room.Quiet()
		},
	}, {
		ID: "v1ws/close/ends", Section: "v2/spec.md#closing", Needs: V1WS,
		Says: "A close frame ends the connection, and nothing of it reaches others.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V1WS("alice"), room.V1WS("bob"), room.V1WS("carol")
			alice.SendClose(1000)
			alice.ExpectRefused()
			room.Leave(alice)
			room.Quiet()
		},
	}, {
		ID: "v1ws/close/answered", Section: "v2/spec.md#closing", Needs: V1WS, Level: Should, Conns: 1,
		Says: "A close frame with code and reason is answered with one of the same code.",
		Run: func(t *T) {
			c := t.DialV1WS().Join("alice", t.Channel(), "")
			c.SendFrame(Fin|OpClose, ClosePayload(4001, "bye"))
			c.ExpectAnswer(4001)
		},
	}, {
		ID: "v1ws/close/body-after", Section: "v2/spec.md#closing", Needs: V1WS,
		Says: "Bodies behind a close frame are ignored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			alice.Send(ClientFrame(Fin|OpBinary, alice.Body("before")), ClientFrame(Fin|OpClose, ClosePayload(1000, "")), ClientFrame(Fin|OpBinary, alice.Body("after")))
			alice.ExpectRefused()
			bob.ExpectBody(alice.Body("before"))
			room.heardNothingWS(bob)
		},
	}, {
		ID: "v1ws/close/undecodable-first", Section: section, Needs: V1WS, Level: Should, Conns: 1,
		Says: "A first body that does not decode ends the connection with 1007.",
		Run: func(t *T) {
			c := t.DialV1WS()
			c.SendBody("\xa2" + uidAlice + inChannel(t.Channel()))
			c.ExpectClose(1007)
		},
	}, {
		ID: "v1ws/close/undecodable-later", Section: section, Needs: V1WS, Level: Should, Conns: 1,
		Says: "A later body that does not decode ends the connection with 1007.",
		Run: func(t *T) {
			c := t.DialV1WS().Join("alice", t.Channel(), "")
			c.SendBody("\xa2" + uidAlice + inChannel(c.Channel))
			c.ExpectClose(1007)
		},
	}, {
		ID: "v1ws/close/empty", Section: section, Needs: V1WS, Level: Should, Conns: 1,
		Says: "An empty binary frame, which is no body, ends the connection with 1007.",
		Run: func(t *T) {
			c := t.DialV1WS().Join("alice", t.Channel(), "")
			c.SendBody("")
			c.ExpectClose(1007)
		},
	}, {
		ID: "v1ws/close/frame-for-body", Section: section, Needs: V1WS, Level: Should, Conns: 1,
		Says: "A whole v1 frame, header and all, is no body and ends the connection with 1007.",
		Run: func(t *T) {
			c := t.DialV1WS()
			key := t.MadeKey(c.Addr(), "alice", t.Channel())
			c.SendBody(string(Frame(uint32(key), key, Map3("alice", t.Channel(), "hi"))))
			c.ExpectClose(1007)
		},
	}, {
		ID: "v1ws/close/text", Section: section, Needs: V1WS, Level: Should, Conns: 1,
		Says: "A text frame after the first body ends the connection with 1007, be it a body or not.",
		Run: func(t *T) {
			for _, text := range []string{"text", HelloText("alice", t.Channel(), ""), bodyInText(t.Channel())} {
				c := t.DialV1WS().Join("alice", t.Channel(), "")
				c.SendText(text)
				c.ExpectClose(1007)
				c.Close()
			}
		},
	}, {
		ID: "v1ws/close/reason", Section: "v2/spec.md#closes-the-connection", Needs: V1WS, Level: Should, Conns: 2,
		Says: "A refusal has a reason, which tells a body that does not decode from text.",
		Run: func(t *T) {
			bad, text := t.DialV1WS().Join("alice", t.Channel(), ""), t.DialV1WS().Join("alice", t.Channel(), "")
			bad.SendBody("\xff")
			text.SendText("text")
			if a, b := bad.ExpectCloseReason(1007), text.ExpectCloseReason(1007); a == b {
				t.Fatalf("both reasons are %q", a)
			}
		},
	}}
}
