package conformance

import "strings"

// v1LeaveCases are about the end of a connection, and of half of it.
func v1LeaveCases() []Case {
	return []Case{{
		ID: "v1/leave/half-close", Section: "v1/spec.md#session", Needs: V1,
		Says: "When a member ends its sending side, what it sent before is forwarded, and the server closes the connection without a word.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			last := alice.Say("goodbye")
			alice.CloseWrite()
			bob.ExpectFrame(last)
			carol.ExpectFrame(last)
			alice.ExpectClosed()
			room.Leave(alice)
			room.Quiet()
		},
	}, {
		ID: "v1/leave/half-close-before-first", Section: "v1/spec.md#errors", Needs: V1,
		Says: "A connection that ends its sending side before it has sent anything is closed without a word.",
		Run: func(t *T) {
			nobody := t.DialV1()
			nobody.CloseWrite()
			nobody.ExpectClosed()
		},
	}, {
		ID: "v1/leave/no-notice", Section: "v1/spec.md#session", Needs: V1,
		Says: "Nobody is told when a member closes its connection, and those who stay go on.",
		Run: func(t *T) {
			room := t.Room()
			room.V1("alice")
			room.V1("bob")
			carol := room.V1("carol")
			carol.SeeOff()
			room.Leave(carol)
			room.Quiet()
		},
	}, {
		ID: "v1/leave/reset", Section: "v1/spec.md#session", Needs: V1,
		Says: "Nobody is told when a member's connection is reset, and those who stay go on.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			carol := room.V1("carol")
			carol.Reset()
			room.Leave(carol)
			bob.ExpectFrame(alice.Say("where is carol?"))
			room.Quiet()
		},
	}, {
		ID: "v1/leave/publish-and-go", Section: "v1/spec.md#session", Needs: V1,
		Says: "Who joins with a message, sends three more and closes at once is heard: all four are forwarded and stored.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			ofAlice := [][]byte{alice.Frame("alice", room.Channel, "in"), alice.Frame("alice", room.Channel, "one"),
				alice.Frame("alice", room.Channel, "two"), alice.Frame("alice", room.Channel, "out")}
			alice.Send(ofAlice...)
			alice.Close()
			bob.ExpectFrame(ofAlice...)
			dave := t.DialV1()
			dave.Join("dave", room.Channel, "")
			dave.Until(ofAlice[0])
			dave.ExpectFrame(ofAlice[1:]...)
			room.heardNothing(dave)
		},
	}, {
		ID: "v1/leave/publish-and-go-unread", Section: "v1/spec.md#session", Needs: V1,
		Says: "Who joins, sends three messages and closes at once, without having read 800 KB of history, is heard.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("carol", numbered(40, strings.Repeat(".", 20_000))...)
			bob, alice := t.DialV1(), t.DialV1Deaf()
			bob.Join("bob", room.Channel, "")
			bob.ExpectFrame(history...)
			ofAlice := [][]byte{alice.Frame("alice", room.Channel, "in"), alice.Frame("alice", room.Channel, "one"),
				alice.Frame("alice", room.Channel, "two"), alice.Frame("alice", room.Channel, "out")}
			alice.Send(ofAlice...)
			alice.Close()
			bob.ExpectFrame(ofAlice...)
			room.heardNothing(bob)
		},
	}, {
		ID: "v1/leave/receive-side-shut", Section: "v1/spec.md#session", Needs: V1,
		Says: "A member that has ended its receiving side goes on sending, and is heard, also after others have sent to it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			room.Leave(alice)
			alice.CloseRead()
			for _, m := range numbered(50, "") {
				carol.ExpectFrame(bob.Say(m))
			}
			last := alice.Say("I do not hear you")
			bob.ExpectFrame(last)
			carol.ExpectFrame(last)
			room.Quiet()
		},
	}, {
		ID: "v1/leave/never-reads", Section: "v1/spec.md#session", Needs: V1,
		Says: "A member that does not read while others send 2 MB is heard, holds nobody up, and gets everything in order when it reads.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol, deaf := t.DialV1(), t.DialV1(), t.DialV1Deaf()
			sent := room.VisitV1("zoe")
			sent = append(sent, bob.Join("bob", room.Channel, ""))
			bob.ExpectFrame(sent[0])
			sent = append(sent, carol.Join("carol", room.Channel, ""))
			carol.ExpectFrame(sent[:2]...)
			bob.ExpectFrame(sent[2])
			in := deaf.Join("deaf", room.Channel, "I do not listen")
			bob.ExpectFrame(in)
			carol.ExpectFrame(in)
			for _, m := range numbered(100, strings.Repeat(".", 20_000)) {
				sent = append(sent, bob.Say(m))
			}
			carol.ExpectFrame(sent[3:]...)
			said := deaf.Say("and still speak")
			bob.ExpectFrame(said)
			carol.ExpectFrame(said)
			deaf.Listen()
			deaf.ExpectFrame(sent...)
			deaf.ExpectFrame(carol.Say("hello at last"))
		},
	}}
}
