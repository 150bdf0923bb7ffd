package conformance

func bridgeLiveCases() []Case {
	const section = "bridge/mapping.md#what-each-side-gets"
	return []Case{{
		ID: "bridge/live/to-all-others", Section: section, Needs: V1 | V2, Conns: 5,
		Says: "What a member of either dialect sends reaches each other member of both once, and does not come back to it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol, dave := room.V1("alice"), room.V2("bob"), room.V1("carol"), room.V2("dave")
			frame := alice.Say("from v1")
			carol.ExpectFrame(frame)
			bob.ExpectFrame(Fin|OpBinary, "from v1")
			dave.ExpectFrame(Fin|OpBinary, "from v1")
			bob.SendText("from v2")
			dave.ExpectFrame(Fin|OpText, "from v2")
			alice.ExpectFrame(bob.made("from v2"))
			carol.ExpectFrame(bob.made("from v2"))
			room.Quiet()
		},
	}, {
		ID: "bridge/live/isolated", Section: "bridge/mapping.md#between-the-dialects", Needs: V1 | V2, Conns: 5,
		Says: "Nothing crosses from one channel to another between dialects, the same uids being in both.",
		Run: func(t *T) {
			room, other := t.Room(), t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			other.V1("alice")
			other.V2("bob")
			alice.Say("here, from v1")
			bob.ExpectFrame(Fin|OpBinary, "here, from v1")
			bob.SendBinary("here, from v2")
			alice.ExpectFrame(bob.made("here, from v2"))
			alice.Send(alice.Frame("alice", other.Channel, "here, not there"))
			bob.ExpectFrame(Fin|OpBinary, "here, not there")
			other.Quiet()
			room.Quiet()
		},
	}, {
		ID: "bridge/live/uid-of-another", Section: section, Needs: V1 | V2,
		Says: "A v1 message under the uid of a v2 member reaches that member, too.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V1("carol")
			frame := alice.Frame("bob", room.Channel, "on behalf of bob")
			alice.Send(frame)
			bob.ExpectFrame(Fin|OpBinary, "on behalf of bob")
			carol.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "bridge/live/pings-stay", Section: "bridge/mapping.md#every-error-sorted", Needs: V1 | V2,
		Says: "A v2 client's pings and pongs are no messages: v1 members get nothing of them, live or from the history.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("zed", "hello")
			alice, bob := t.DialV1(), t.DialV2()
			entered := alice.enters("alice", room.Channel)
			alice.ExpectFrame(history.v1...)
			said := bob.enters("bob", room.Channel)
			bob.SendPing("a ping")
			bob.SendFrame(Fin|OpPong, "a pong")
			said = said.and(bob.tells(heardBinary("a message")))
			alice.ExpectFrame(said.v1...)
			bob.SeeOff()
			room.hasV1(history.and(entered).and(said))
		},
	}, {
		ID: "bridge/live/unfinished-message", Section: section, Needs: V1 | V2,
		Says: "Of a v2 message in fragments v1 members get nothing before its last fragment, and what others send meanwhile goes first.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V1("carol")
			bob.SendFrame(OpBinary, "begun early, ")
			bob.SendPing("begun")
			bob.ExpectPong("begun")
			carol.Say("meanwhile")
			alice.ExpectFrame(carol.Msg("meanwhile"))
			bob.ExpectFrame(Fin|OpBinary, "meanwhile")
			bob.SendFrame(Fin|OpContinuation, "done late")
			alice.ExpectFrame(bob.made("begun early, done late"))
			carol.ExpectFrame(bob.made("begun early, done late"))
			room.Quiet()
		},
	}, {
		ID: "bridge/live/byte-by-byte", Section: section, Needs: V1 | V2,
		Says: "A v1 frame that comes byte by byte reaches v2 members as one message, and a v2 message that comes so reaches v1 members as one frame.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			alice.SendIn(1, alice.Msg("slow"))
			bob.ExpectFrame(Fin|OpBinary, "slow")
			for _, b := range ClientFrame(Fin|OpText, "slow, too") {
				bob.Send([]byte{b})
			}
			alice.ExpectFrame(bob.made("slow, too"))
			room.Quiet()
		},
	}, {
		ID: "bridge/live/in-one-segment", Section: section, Needs: V1 | V2,
		Says: "Frames that come in one segment, the first frame or hello among them, each reach the other dialect.",
		Run: func(t *T) {
			room := t.Room()
			carol, dave := room.V1("carol"), room.V2("dave")
			alice, bob := t.aliceV1(room), t.DialV2()
			alice.Send(alice.Msg(""), alice.Msg("one"), alice.Msg("two"))
			dave.hears(heardJoin("alice", room.Channel), heardBinary("one"), heardBinary("two"))
			carol.ExpectFrame(alice.Msg(""), alice.Msg("one"), alice.Msg("two"))
			bob.UID, bob.Channel = "bob", room.Channel
			bob.Send(ClientFrame(Fin|OpText, HelloText("bob", room.Channel, t.Auth("bob", room.Channel))),
				ClientFrame(Fin|OpText, "three"), ClientFrame(Fin|OpBinary, "four"))
			carol.ExpectFrame(bob.made(""), bob.made("three"), bob.made("four"))
			dave.hears(heardJoin("bob", room.Channel), heardText("three"), heardBinary("four"))
			room.Quiet()
		},
	}}
}
