package conformance

import "time"

// v1TwinCases are about connections with the same CID.
func v1TwinCases() []Case {
	return []Case{{
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
	}, {
		ID: "v1/join/same-cid-again", Section: "v1/spec.md#session", Needs: V1,
		Says: "That a second connection with an active CID was refused does not free the CID: a third one is closed as well, and the first stays.",
		Run: func(t *T) {
			t.SetPatience(t.Patience() + gatewayProbe)
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			for _, uid := range []string{"second", "third"} {
				twin := t.DialV1()
				twin.JoinAs(uint32(alice.Key("alice", room.Channel)), uid, room.Channel, "me too")
				twin.ExpectClosed()
				twin.Close()
			}
			bob.ExpectFrame(alice.Say("I was here first"))
			room.Quiet()
		},
	}, {
		ID: "v1/join/same-cid-not-stored", Section: "v1/spec.md#session", Needs: V1,
		Says: "Of a second connection with a CID that is active on the channel nothing is in the history, neither its first frame nor a later one.",
		Run: func(t *T) {
			t.SetPatience(t.Patience() + gatewayProbe)
			room := t.Room()
			history := room.VisitV1("bob", "hello")
			alice, twin := t.DialV1(), t.DialV1()
			history = append(history, alice.Join("alice", room.Channel, ""))
			alice.ExpectFrame(history[:2]...)
			twin.Send(
				Frame(uint32(alice.Key("alice", room.Channel)), twin.Key("twin", room.Channel), Map3("twin", room.Channel, "me too")),
				twin.Frame("twin", room.Channel, "and more of me"))
			twin.ExpectClosed()
			v1HasHistory(room, history)
		},
	}, {
		ID: "v1/join/same-uid", Section: "v1/spec.md#session", Needs: V1 | Key,
		Says: "Under a shared key, a second connection with the same uid has the same CID: it is closed, and the first stays.",
		Run: func(t *T) {
			t.SetPatience(t.Patience() + gatewayProbe)
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			twin := t.DialV1()
			twin.Join("alice", room.Channel, "me too")
			twin.ExpectClosed()
			bob.ExpectFrame(alice.Say("I was here first"))
			room.Quiet()
		},
	}, {
		ID: "v1/join/same-uid-other-cid", Section: "v1/spec.md#session", Needs: V1,
		Says: "A second connection with the same uid and another CID joins, and both get what is sent.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			again := t.DialV1()
			join := again.JoinAs(newCID(), "alice", room.Channel, "")
			alice.ExpectFrame(join)
			bob.ExpectFrame(join)
			room.Meet(again)
			room.Quiet()
		},
	}, {
		ID: "v1/join/same-cid-other-channel", Section: "v1/spec.md#session", Needs: V1,
		Says: "A CID that is active on one channel is free on another; when it leaves that one, it stays active on the first.",
		Run: func(t *T) {
			room, other := t.Room(), t.Room()
			cid := newCID()
			alice, bob, carol := t.DialV1(), room.Host("bob"), other.Host("carol")
			bob.ExpectFrame(alice.JoinAs(cid, "alice", room.Channel, ""))
			room.Meet(alice)
			twin := t.DialV1()
			carol.ExpectFrame(twin.JoinAs(cid, "alice", other.Channel, ""))
			other.Meet(twin)
			room.Quiet()
			twin.SeeOff()
			room.Quiet()
		},
	}, {
		ID: "v1/join/cid-free-after-leaving", Section: "v1/spec.md#session", Needs: V1,
		Says: "A CID is free again when its holder has left.",
		Run: func(t *T) {
			room := t.Room()
			cid := newCID()
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinAs(cid, "alice", room.Channel, ""))
			alice.SeeOff()
			again := t.DialV1()
			bob.ExpectFrame(again.JoinAs(cid, "alice", room.Channel, "back"))
			room.Meet(again)
		},
	}, {
		ID: "v1/join/cid-free-after-reset", Section: "v1/spec.md#session", Needs: V1,
		Says: "A CID is free again, soon, when its holder's connection was reset.",
		Run: func(t *T) {
			room := t.Room()
			cid := newCID()
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinAs(cid, "alice", room.Channel, ""))
			room.Meet(alice)
			room.Leave(alice)
			alice.Reset()
			// Whoever is refused is closed, and tries again; whoever is in is sent
			// the history.
			for {
				again := t.DialV1()
				again.JoinAs(cid, "alice", room.Channel, "back")
				a, ok := again.in.take(t.remaining())
				if ok && a.end == nil {
					return
				}
				if !ok || t.Context().Err() != nil {
					t.Fatalf("the CID is not free again")
				}
				again.Close()
				time.Sleep(10 * time.Millisecond)
			}
		},
	}, {
		ID: "v1/join/cid-of-first-frame-counts", Section: "v1/spec.md#session", Needs: V1,
		Says: "The CID of a later frame takes nothing: another connection joins with it.",
		Run: func(t *T) {
			room := t.Room()
			cid := newCID()
			alice, bob := room.V1("alice"), room.V1("bob")
			other := Frame(cid, alice.Key("alice", room.Channel), Map3("alice", room.Channel, "under another CID"))
			alice.Send(other)
			bob.ExpectFrame(other)
			carol := t.DialV1()
			bob.ExpectFrame(carol.JoinAs(cid, "carol", room.Channel, ""))
			room.Meet(carol)
		},
	}}
}
