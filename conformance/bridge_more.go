package conformance

import "strings"

// bridgeMoreCases are what broken servers got past the other cases with.
func bridgeMoreCases() []Case {
	long := strings.Repeat("n", 1000)
	return []Case{
		bridgeApart("nul", "by NUL at its end", "", "\x00"),
		bridgeApart("long", "in the last of 1,019 bytes", long+"1", long+"2"),
		bridgeApart("case", "in upper and lower case", "-room", "-Room"),
		bridgeApart("space", "by a space at its end", "", " "),
		{
			ID: "bridge/replay/v1-bodies-beside-v2", Section: "bridge/mapping.md#what-each-side-gets", Needs: V1 | V2,
			Says: "Also while v2 members are there, v1 frames whose bodies are not canonical, or do not decode, reach a v1 joiner from the history byte for byte.",
			Run: func(t *T) {
				room := t.Room()
				history := room.VisitV1("zoe", "hello")
				alice := t.DialV1()
				history = append(history, alice.Join("alice", room.Channel, "here"))
				for _, body := range []string{
					"\x83\x65alice" + string(Text(room.Channel)) + "\x42hi",
					"\xbf" + messageHi + inChannel(room.Channel) + uidAlice + "\xff",
					"not CBOR",
				} {
					frame := Frame(7, 8, []byte(body))
					alice.Send(frame)
					history = append(history, frame)
				}
				alice.SeeOff()
				bob := t.DialV2()
				bob.Hello("bob", room.Channel)
				bob.ExpectBinary("hello")
				carol := t.DialV1()
				carol.Join("carol", room.Channel, "")
				carol.ExpectFrame(history...)
			},
		},
	}
}

// bridgeApart has members of both dialects in two channels whose names are alike
// but for their ends.
func bridgeApart(name, how, end, otherEnd string) Case {
	return Case{
		ID: "bridge/name/channels-" + name, Section: "bridge/mapping.md#between-the-dialects", Needs: V1 | V2,
		Says: "Channels whose names differ " + how + " are two, and each is one in both dialects.",
		Run: func(t *T) {
			base := t.Channel()
			one, two := t.RoomNamed(base+end), t.RoomNamed(base+otherEnd)
			alice, bob := one.V1("alice"), one.V2("bob")
			two.V1("carol")
			two.V2("dave")
			alice.Say("to one")
			bob.ExpectFrame(Fin|OpBinary, "to one")
			bob.SendText("to one, too")
			alice.ExpectFrame(bob.made("to one, too"))
			two.Quiet()
			one.Quiet()
		},
	}
}
