package conformance

func v2HelloCases() []Case {
	return []Case{{
		ID: "v2/hello/member-missing", Section: "v2/spec.md#hello", Needs: V2,
		Says: "A hello without channel is refused.",
		Run: func(t *T) {
			c := t.DialV2()
			c.SendText(`{"uid":"alice"}`)
			c.ExpectRefused()
		},
	}, {
		ID: "v2/hello/auth-wrong", Section: "v2/spec.md#auth", Needs: V2,
		Says: "A hello whose auth is not the hash is refused, also by a server without a key.",
		Run: func(t *T) {
			c, channel := t.DialV2(), t.Channel()
			c.SendText(HelloText("alice", channel, AuthOf("alice", channel, t.Key()+"?")))
			c.ExpectRefused()
		},
	}, {
		ID: "v2/history/notice-without-auth", Section: "v2/spec.md#join-notices", Needs: V2,
		Says: "The history holds a join notice where a member joined, and that has no auth in it, though the hello had.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.UID, alice.Channel = "alice", room.Channel
			alice.SendText(HelloText("alice", room.Channel, AuthOf("alice", room.Channel, t.Key())))
			alice.SendBinary("hello")
			alice.SeeOff()
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			if n := bob.ExpectNotice("alice"); n.HasAuth {
				t.Fatalf("the notice of alice holds her auth")
			}
			bob.ExpectFrame(Fin|OpBinary, "hello")
		},
	}}
}
