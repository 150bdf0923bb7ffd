package conformance

func bridgeNoticeCases() []Case {
	const section = "bridge/mapping.md#what-each-side-gets"
	return []Case{{
		ID: "bridge/notice/live", Section: section, Needs: V1 | V2, Conns: 5,
		Says: "If v2 members are told of one arrival as it happens, they are told of all, exactly and in place, and the one who arrives is not; else of none.",
		Run:  noticesLive,
	}, {
		ID: "bridge/notice/never-auth", Section: section, Needs: V1 | V2,
		Says: "The notice of a v2 member whose hello had auth and further members is uid and channel alone, also between those of v1 clients.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice")
			bob := t.aliceV2(room)
			bob.UID = "bob"
			auth := AuthOf("bob", room.Channel, t.Key())
			bob.SendText(`{"auth":"` + auth + `", "device":"phone", "uid":"bob", "channel":"` + room.Channel + `"}`)
			bob.SeeOff()
			history = history.and(told{[][]byte{bob.made("")}, []heard{heardJoin("bob", room.Channel)}}).and(room.visitV1("carol"))
			room.hasAllV2(history)
		},
	}, {
		ID: "bridge/notice/escapes", Section: section, Needs: V1 | V2,
		Says: "The notice of a v1 client whose uid has quotes, a backslash, a line end and <&> is JSON that says that uid.",
		Run: func(t *T) {
			room := t.Room()
			uid := "a\"b\\c\nd<&>/e"
			room.VisitV1(uid, "hello")
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.ExpectNotice(uid)
			bob.ExpectFrame(Fin|OpBinary, "hello")
		},
	}, {
		ID: "bridge/notice/refused-v1", Section: "bridge/mapping.md#every-error-sorted", Needs: V1 | V2,
		Says: "A v1 first frame with a wrong key makes no notice and no message on v2, live or in the history.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "hello")
			bob := t.DialV2()
			history = history.and(bob.enters("bob", room.Channel))
			bob.hears(heardJoin("alice", room.Channel), heardBinary("hello"))
			mallory := t.DialV1()
			key := mallory.Key("mallory", room.Channel)
			mallory.Send(Frame(uint32(key), key^1, Map3("mallory", room.Channel, "let me in")), mallory.Frame("mallory", room.Channel, "and this"))
			mallory.ExpectClosed()
			mallory.Close()
			after := room.visitV1("carol", "after it")
			bob.hears(after.v2...)
			room.hasV2(history.and(after))
		},
	}, {
		ID: "bridge/notice/refused-v2", Section: "bridge/mapping.md#every-error-sorted", Needs: V1 | V2,
		Says: "A v2 hello with a wrong auth, and what is sent behind it, makes no frame on v1, live or in the history.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "hello")
			bob := t.DialV1()
			history = history.and(bob.enters("bob", room.Channel))
			bob.ExpectFrame(history.v1[:2]...)
			mallory := t.DialV2()
			mallory.Send(ClientFrame(Fin|OpText, HelloText("mallory", room.Channel, AuthOf("mallory", room.Channel, "not the key"))),
				ClientFrame(Fin|OpBinary, "and this"))
			mallory.ExpectRefused()
			mallory.Close()
			after := room.visitV2("carol", heardBinary("after it"))
			bob.ExpectFrame(after.v1...)
			room.hasV1(history.and(after))
		},
	}}
}

// noticesLive has arrivals of all kinds while bob watches on v2. Eve says something
// after each, which tells when a notice of it can no longer come.
func noticesLive(t *T) {
	room := t.Room()
	bob, eve := room.V2("bob"), room.V1("eve")
	alice, ann, dave := t.aliceV1(room), t.DialV1(), t.DialV2()
	arrivals := []struct {
		uid string
		// arrive returns what eve gets and what bob gets behind the notice.
		arrive func() told
	}{
		{"alice", func() told { return told{v1: alice.enters("alice", room.Channel).v1} }},
		{"ann", func() told {
			return told{[][]byte{ann.Join("ann", room.Channel, "with a message")}, []heard{heardBinary("with a message")}}
		}},
		{"ben", func() told {
			alice.Send(alice.Frame("ben", room.Channel, ""))
			return told{v1: [][]byte{alice.Frame("ben", room.Channel, "")}}
		}},
		{"dave", func() told { return told{v1: dave.enters("dave", room.Channel).v1} }},
	}
	var noticed []string
	for _, a := range arrivals {
		said, notice := a.arrive(), heardJoin(a.uid, room.Channel)
		eve.ExpectFrame(said.v1...)
		after := eve.tells("after " + a.uid)
		if bob.noticeIsNext(notice) {
			noticed = append(noticed, a.uid)
			bob.hearsAll(notice)
		}
		bob.hearsAll(said.and(after).v2...)
	}
	if n := len(noticed); n != 0 && n != len(arrivals) {
		t.Fatalf("bob was told of the arrivals of %v, and of no other", noticed)
	}
	for {
		switch first, payload := dave.Next(); {
		case first == Fin|OpText && payload == HelloText("dave", room.Channel, ""):
			t.Fatalf("dave was told of his own arrival")
		case first == Fin|OpBinary && payload == "after dave":
			return
		}
	}
}
