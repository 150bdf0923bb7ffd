package conformance

func bridgeIdentityCases() []Case {
	const section = "bridge/mapping.md#identity"
	return []Case{{
		ID: "bridge/identity/same-uid", Section: section, Needs: V1 | V2,
		Says: "The same uid may be present in both dialects at once, and each of the two gets what the other sends, with a shared key under the very same header.",
		Run: func(t *T) {
			room := t.Room()
			one, other, carol := room.V1("alice"), room.V2("alice"), room.V1("carol")
			frame := one.Say("from v1")
			other.ExpectFrame(Fin|OpBinary, "from v1")
			carol.ExpectFrame(frame)
			other.SendText("from v2")
			one.ExpectFrame(other.made("from v2"))
			carol.ExpectFrame(other.made("from v2"))
			room.Quiet()
		},
	}, {
		ID: "bridge/identity/same-uid-v2-first", Section: section, Needs: V1 | V2,
		Says: "The same the other way round: the v2 member was there first.",
		Run: func(t *T) {
			room := t.Room()
			other, one := room.V2("alice"), room.V1("alice")
			one.Say("from v1")
			other.ExpectFrame(Fin|OpBinary, "from v1")
			other.SendText("from v2")
			one.ExpectFrame(other.made("from v2"))
			room.Quiet()
		},
	}, {
		ID: "bridge/identity/cid-of-v2-member", Section: section, Needs: V1 | V2,
		Says: "A v1 client whose CID is the one in the headers made for a v2 member who is present joins, and gets what that member sends.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol := room.V2("bob"), room.V1("carol")
			alice := t.aliceV1(room)
			cid := uint32(t.MadeKey(bob.Addr(), "bob", room.Channel))
			first := Frame(cid, alice.Key("alice", room.Channel), Map3("alice", room.Channel, ""))
			alice.Send(first)
			carol.ExpectFrame(first)
			room.Meet(alice)
			bob.SendText("hello")
			alice.ExpectFrame(bob.made("hello"))
			carol.ExpectFrame(bob.made("hello"))
			room.Quiet()
		},
	}, {
		ID: "bridge/identity/cid-of-v1-member", Section: section, Needs: V1 | V2,
		Says: "A v2 client whose made headers have the CID of a v1 member who is present joins, and that member gets what it sends.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := t.DialV2(), t.aliceV1(room)
			cid := uint32(t.MadeKey(bob.Addr(), "bob", room.Channel))
			alice.Send(Frame(cid, alice.Key("alice", room.Channel), Map3("alice", room.Channel, "")))
			room.Meet(alice)
			room.V1("carol")
			said := bob.enters("bob", room.Channel).and(bob.tells(heardText("hello")))
			alice.ExpectFrame(said.v1...)
			alice.Say("welcome")
			bob.saidUntil("welcome")
		},
	}, {
		ID: "bridge/identity/second-of-three", Section: section, Needs: V1 | V2,
		Says: "A second v2 member of a uid is refused and not told to v1 members, and the v1 and the v2 member of that uid stay.",
		Run: func(t *T) {
			t.SetPatience(t.Patience() + gatewayProbe)
			room := t.Room()
			room.V1("alice")
			room.V2("alice")
			room.V1("carol")
			second := t.DialV2()
			second.Hello("alice", room.Channel)
			second.ExpectRefused()
			second.Close()
			room.Quiet()
		},
	}}
}
