package conformance

import "strings"

func v2ControlCases() []Case {
	const section = "v2/spec.md#pings"
	return []Case{{
		ID: "v2/ping/answered", Section: section, Needs: V2, Conns: 1,
		Says: "A ping is answered with a pong of the same payload, of none and of 125 bytes too.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			for _, payload := range []string{"ping", "", strings.Repeat("\xff", 125)} {
				c.SendPing(payload)
				c.ExpectFrame(Fin|OpPong, payload)
			}
		},
	}, {
		ID: "v2/ping/between-fragments", Section: section, Needs: V2,
		Says: "A ping between two fragments is answered before the last fragment comes, and does not end up in the message.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendFrame(OpText, "be")
			alice.SendPing("between")
			alice.ExpectPong("between")
			alice.SendFrame(Fin|OpContinuation, "fore")
			bob.ExpectFrame(Fin|OpText, "before")
		},
	}, {
		ID: "v2/ping/not-forwarded", Section: section, Needs: V2, Level: Should,
		Says: "A client's ping goes to no other member, neither as a ping nor as a message.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			bob.KeepPings("for the server")
			alice.SendPing("for the server")
			alice.ExpectPong("for the server")
			alice.SendBinary("message")
			bob.ExpectFrame(Fin|OpBinary, "message")
			room.Quiet()
		},
	}, {
		ID: "v2/ping/not-stored", Section: section, Needs: V2, Level: Should,
		Says: "A client's ping is not in the history.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.SendPing("for the server")
			alice.SendBinary("message")
			alice.SeeOff()
			bob := t.DialV2()
			bob.KeepPings("for the server")
			bob.Hello("bob", room.Channel)
			for {
				first, payload := bob.Next()
				if payload == "for the server" {
					t.Fatalf("bob got the ping of alice, with the first byte %x", first)
				}
				if payload == "message" {
					return
				}
			}
		},
	}, {
		ID: "v2/pong/ignored", Section: section, Needs: V2,
		Says: "Pongs that nobody asked for are ignored: no answer, and nothing of them reaches others.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendFrame(Fin|OpPong, "")
			alice.SendFrame(Fin|OpPong, "unasked")
			alice.SendBinary("still here")
			bob.ExpectFrame(Fin|OpBinary, "still here")
			room.Quiet()
		},
	}, {
		ID: "v2/pong/not-stored", Section: section, Needs: V2,
		Says: "A client's pong is not in the history.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.SendFrame(Fin|OpPong, "unasked")
			alice.SendBinary("message")
			alice.SeeOff()
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.ExpectNothingOf("nobody", "unasked", "message")
		},
	}}
}
