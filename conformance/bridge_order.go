package conformance

import "strings"

func bridgeOrderCases() []Case {
	const section = "bridge/mapping.md#order-and-the-seam"
	return []Case{{
		ID: "bridge/order/v1-sender", Section: section, Needs: V1 | V2,
		Says: "500 messages of a v1 member reach members of both dialects in their order, each once.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V1("carol")
			var said told
			for _, m := range inTurn("alice", 500) {
				said = said.and(alice.tells(m))
			}
			bob.hears(said.v2...)
			carol.ExpectFrame(said.v1...)
			room.Quiet()
		},
	}, {
		ID: "bridge/order/v2-sender", Section: section, Needs: V1 | V2,
		Says: "500 messages of a v2 member, text and binary by turns, reach members of both dialects in their order, each once.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, dave := room.V1("alice"), room.V2("bob"), room.V2("dave")
			var said told
			for _, h := range bothKinds(inTurn("bob", 500)) {
				said = said.and(bob.tells(h))
			}
			alice.ExpectFrame(said.v1...)
			dave.hears(said.v2...)
			room.Quiet()
		},
	}, {
		ID: "bridge/order/senders-of-both", Section: section, Needs: V1 | V2,
		Says: "Of a v1 and a v2 member that send 300 messages each at the same time, members of both dialects get those of each in their order, each once, and the two only those of the other.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol, dave := room.V1("alice"), room.V2("bob"), room.V1("carol"), room.V2("dave")
			var ofAlice, ofBob told
			kinds := bothKinds(inTurn("bob", 300))
			for i, m := range inTurn("alice", 300) {
				ofAlice = ofAlice.and(alice.tells(m))
				ofBob = ofBob.and(bob.tells(kinds[i]))
			}
			alice.ExpectFrame(ofBob.v1...)
			bob.hears(ofAlice.v2...)
			interleaved(t, "carol", carol.nextFrame, ofAlice.frames(), ofBob.frames())
			interleaved(t, "dave", dave.nextMessage, ofAlice.messages(), ofBob.messages())
			room.Quiet()
		},
	}, {
		ID: "bridge/order/sizes", Section: section, Needs: V1 | V2,
		Says: "Short messages between long ones, of up to 288 KiB, do not overtake them on their way to the other dialect.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			var ofAlice, ofBob told
			for i, m := range inTurn("in turn", 24) {
				m += strings.Repeat("-", i%4*(i%4)<<15)
				ofAlice = ofAlice.and(alice.tells(m))
				ofBob = ofBob.and(bob.tells(heardBinary(m)))
			}
			bob.hears(ofAlice.v2...)
			alice.ExpectFrame(ofBob.v1...)
			room.Quiet()
		},
	}, {
		ID: "bridge/order/answers", Section: section, Needs: V1 | V2,
		Says: "Whoever answers a message of the other dialect is heard after it by all who hear both.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol, dave := room.V1("alice"), room.V2("bob"), room.V1("carol"), room.V2("dave")
			var all told
			for i := range 20 {
				question, answer := inTurn("question", 20)[i], inTurn("answer", 20)[i]
				all = all.and(alice.tells(question))
				bob.hears(heardBinary(question))
				all = all.and(bob.tells(heardText(answer)))
				alice.ExpectFrame(bob.made(answer))
			}
			carol.ExpectFrame(all.v1...)
			dave.hears(all.v2...)
		},
	}, {
		ID: "bridge/seam/v1-joiner", Section: section, Needs: V1 | V2, Conns: 5,
		Says: "Who joins on v1 while a v1 and a v2 member send gets each of their frames once and in order, history before what is new.",
		Run: func(t *T) {
			seam(t, func(room *Room) func(said ...told) {
				c := t.DialV1()
				c.Join("carol", room.Channel, "")
				return func(said ...told) {
					interleaved(t, "carol", c.nextFrame, said[0].frames(), said[1].frames())
					c.ExpectFrame(room.visitV2(t.UID("zoe"), heardText("the end")).v1...)
					c.Close()
				}
			})
		},
	}, {
		ID: "bridge/seam/v2-joiner", Section: section, Needs: V1 | V2, Conns: 5,
		Says: "Who joins on v2 while a v1 and a v2 member send gets each of their messages once and in order, history before what is new.",
		Run: func(t *T) {
			seam(t, func(room *Room) func(said ...told) {
				c := t.DialV2()
				c.Hello("dave", room.Channel)
				return func(said ...told) {
					interleaved(t, "dave", c.nextMessage, said[0].messages(), said[1].messages())
					c.hears(room.visitV1(t.UID("zoe"), "the end").v2...)
					c.Close()
				}
			})
		},
	}}
}

// seam has alice on v1 and bob on v2 send, and somebody join in the midst of it,
// who is then asked for all that they said. It does so a few times, as a fault
// at the seam need not show at once.
func seam(t *T, join func(room *Room) (check func(said ...told))) {
	for range 6 {
		room := t.Room()
		alice, bob := t.DialV1(), t.DialV2()
		ofAlice, ofBob := alice.enters("alice", room.Channel), bob.enters("bob", room.Channel)
		var check func(said ...told)
		kinds := bothKinds(inTurn("bob", 40))
		for i, m := range inTurn("alice", 40) {
			if i == 20 {
				check = join(room)
			}
			ofAlice = ofAlice.and(alice.tells(m))
			ofBob = ofBob.and(bob.tells(kinds[i]))
		}
		check(ofAlice, ofBob)
		alice.Close()
		bob.Close()
	}
}
