package conformance

func bridgeLeaveCases() []Case {
	const section = "bridge/mapping.md#every-error-sorted"
	return []Case{{
		ID: "bridge/leave/v2-silent", Section: section, Needs: V1 | V2,
		Says: "A v2 member that leaves, with a close frame or without, is not told to v1 members.",
		Run: func(t *T) {
			room := t.Room()
			room.V1("alice")
			bob, carol := room.V2("bob"), room.V2("carol")
			room.V1("dave")
			bob.SeeOff()
			room.Leave(bob)
			room.Quiet()
			carol.Close()
			room.Leave(carol)
			room.Quiet()
		},
	}, {
		ID: "bridge/leave/v1-silent", Section: section, Needs: V1 | V2,
		Says: "A v1 member that leaves is not told to v2 members.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("bob")
			alice, _ := room.V1("alice"), room.V2("dave")
			alice.SeeOff()
			room.Leave(alice)
			room.Quiet()
		},
	}, {
		ID: "bridge/leave/v1-says-and-leaves", Section: section, Needs: V1 | V2,
		Says: "A v1 client that joins, sends 50 messages and ends its sending side, all at once and without reading a byte, is heard in full on v2.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol := room.V2("bob"), room.V1("carol")
			alice := t.DialV1Deaf()
			alice.UID, alice.Channel = "alice", room.Channel
			frames, want := [][]byte{alice.Msg("")}, []heard{heardJoin("alice", room.Channel)}
			for _, m := range inTurn("alice", 50) {
				frames, want = append(frames, alice.Msg(m)), append(want, heardBinary(m))
			}
			alice.Send(frames...)
			alice.CloseWrite()
			bob.hears(want...)
			carol.ExpectFrame(frames...)
			room.Quiet()
		},
	}, {
		ID: "bridge/leave/v2-says-and-leaves", Section: section, Needs: V1 | V2,
		Says: "A v2 client that sends its hello, 50 messages and a close frame, all at once, is heard in full on v1.",
		Run: func(t *T) {
			room := t.Room()
			alice, carol := room.V1("alice"), room.V2("carol")
			bob := t.aliceV2(room)
			bob.UID = "bob"
			frames := [][]byte{ClientFrame(Fin|OpText, HelloText("bob", room.Channel, t.Auth("bob", room.Channel)))}
			said := told{[][]byte{bob.made("")}, []heard{heardJoin("bob", room.Channel)}}
			for _, m := range inTurn("bob", 50) {
				frames = append(frames, ClientFrame(Fin|OpBinary, m))
				said = said.and(told{[][]byte{bob.made(m)}, []heard{heardBinary(m)}})
			}
			bob.Send(append(frames, ClientFrame(Fin|OpClose, ClosePayload(1000, "")))...)
			alice.ExpectFrame(said.v1...)
			carol.hears(said.v2...)
			room.Quiet()
		},
	}, {
		ID: "bridge/leave/v1-half-frame", Section: section, Needs: V1 | V2,
		Says: "A v1 client that ends within a frame: v2 members get the message before it and nothing of it, live and from the history.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol := room.V2("bob"), room.V1("carol")
			alice := room.V1("alice")
			half := alice.Msg("never finished")
			alice.Send(alice.Msg("whole"), half[:len(half)-1])
			alice.SeeOff()
			room.Leave(alice)
			bob.ExpectFrame(Fin|OpBinary, "whole")
			carol.ExpectFrame(alice.Msg("whole"))
			room.Quiet()
		},
	}, {
		ID: "bridge/leave/v2-half-message", Section: section, Needs: V1 | V2,
		Says: "A v2 client that closes within a message: v1 members get the one before it and nothing of it.",
		Run: func(t *T) {
			room := t.Room()
			alice, carol, bob := room.V1("alice"), room.V2("carol"), room.V2("bob")
			bob.SendText("whole")
			bob.SendFrame(OpText, "never finished")
			bob.SeeOff()
			room.Leave(bob)
			alice.ExpectFrame(bob.made("whole"))
			carol.ExpectFrame(Fin|OpText, "whole")
			room.Quiet()
		},
	}, {
		ID: "bridge/leave/v1-no-frame", Section: section, Needs: V1 | V2,
		Says: "A v1 member that sends a message and then what is no frame is closed: v2 members get the message and nothing more.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol, alice := room.V2("bob"), room.V1("carol"), room.V1("alice")
			bad := alice.Msg("bad")
			bad[0] = 'N'
			alice.Send(alice.Msg("good"), bad, alice.Msg("too late"))
			alice.ExpectClosed()
			room.Leave(alice)
			bob.ExpectFrame(Fin|OpBinary, "good")
			carol.ExpectFrame(alice.Msg("good"))
			room.Quiet()
		},
	}, {
		ID: "bridge/leave/v2-bad-text", Section: "bridge/mapping.md#limits", Needs: V1 | V2,
		Says: "Of a v2 text that is not UTF-8 v1 members get nothing, live or from the history, and they get what its sender sent before.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "hello")
			carol := t.DialV1()
			history = history.and(carol.enters("carol", room.Channel))
			carol.ExpectFrame(history.v1[:2]...)
			dave := t.DialV1()
			came := dave.enters("dave", room.Channel)
			dave.ExpectFrame(history.v1...)
			carol.ExpectFrame(came.v1...)
			answer := carol.tells("hello, alice")
			dave.ExpectFrame(answer.v1...) // so it is there before bob is
			dave.SeeOff()
			history = history.and(came).and(answer)
			bob := t.DialV2()
			said := bob.enters("bob", room.Channel).and(bob.tells(heardText("good")))
			bob.hears(history.v2...)
			bob.SendText("bad \xff")
			bob.SendText("too late")
			bob.ExpectRefused()
			bob.Close()
			carol.ExpectFrame(said.v1...)
			room.hasV1(history.and(said))
		},
	}, {
		ID: "bridge/leave/deaf-v1", Section: section, Needs: V1 | V2,
		Says: "A v1 member that has shut its receiving side goes on to be heard on v2, whatever is sent to it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			alice.CloseRead()
			for _, m := range inTurn("bob", 20) {
				bob.SendText(m)
				alice.Say("to " + m)
				bob.ExpectFrame(Fin|OpBinary, "to "+m)
			}
		},
	}}
}
