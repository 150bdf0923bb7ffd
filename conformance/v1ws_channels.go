package conformance

import "fmt"

// maxChannels is how many channels a v1 WebSocket may be in.
const maxChannels = 64

func v1wsChannelCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/channels/second", Section: section, Needs: V1WS,
		Says: "A body that names another channel joins that, too, and its message is delivered there and not in the first.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			alice, bob := one.V1WS("alice"), two.HostWS("bob")
			one.V1WS("carol")
			inTwo := alice.Join("alice", two.Channel, "hello, two")
			bob.ExpectBody(inTwo.Body("hello, two"))
			two.Meet(inTwo)
			one.Quiet()
			two.Quiet()
		},
	}, {
		ID: "v1ws/channels/history-of-each", Section: section, Needs: V1WS,
		Says: "At each join its sender gets the history of that channel, in order, and of no other.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			ofOne := one.visitV1WS("alice", "one", "two", "three").bodies(one.Channel)
			ofTwo := two.visitV1WS("alice", "one", "two").bodies(two.Channel)
			bob := t.DialV1WS()
			bob.Join("bob", two.Channel, "")
			bob.ExpectBody(ofTwo...)
			inOne := bob.Join("bob", one.Channel, "")
			bob.ExpectBody(ofOne...)
			one.heardNothingWS(inOne)
		},
	}, {
		ID: "v1ws/channels/histories-at-once", Section: section, Needs: V1WS,
		Says: "Who joins three channels in one segment gets the history of each, each in its order.",
		Run: func(t *T) {
			bob := t.DialV1WS()
			var histories [][]string
			var joins [][]byte
			for range 3 {
				room := t.Room()
				histories = append(histories, room.visitV1WS("alice", inTurn("alice", 20)...).bodies(room.Channel))
				joins = append(joins, ClientFrame(Fin|OpBinary, string(Map3("bob", room.Channel, ""))))
			}
			bob.Send(joins...)
			interleaved(t, "bob", bob.nextBody, histories...)
		},
	}, {
		ID: "v1ws/channels/apart", Section: section, Needs: V1WS,
		Says: "What is said in one channel of a connection is heard by the others of that, once, and in no other.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			inOne := one.V1WS("alice")
			bob, carol := one.V1WS("bob"), two.V1WS("carol")
			inTwo := inOne.Join("alice", two.Channel, "")
			two.Meet(inTwo)
			for range 3 {
				bob.ExpectBody(inOne.Say("in one"))
				carol.ExpectBody(inTwo.Say("in two"))
				inOne.ExpectBody(bob.Say("to one"))
				inOne.ExpectBody(carol.Say("to two"))
			}
			one.Quiet()
			two.Quiet()
		},
	}, {
		ID: "v1ws/channels/uid-of-each", Section: section, Needs: V1WS,
		Says: "A connection may have another uid in each of its channels.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			bob, carol := one.HostWS("bob"), two.HostWS("carol")
			alice := t.DialV1WS()
			one.Meet(alice.Join("alice", one.Channel, ""))
			inTwo := alice.Join("ben", two.Channel, "")
			carol.ExpectBody(inTwo.Body(""))
			two.Meet(inTwo)
			alice.ExpectBody(bob.Say("to alice"))
			alice.ExpectBody(carol.Say("to ben"))
			one.Quiet()
			two.Quiet()
		},
	}, {
		ID: "v1ws/channels/two-connections", Section: section, Needs: V1WS, Conns: 2,
		Says: "Two connections that share four channels get what the other says in each in the order in which it said it.",
		Run: func(t *T) {
			alice, bob := t.DialV1WS(), t.DialV1WS()
			var seats []*V1WSSeat
			for range 4 {
				room := t.Room()
				seat := alice.Join("alice", room.Channel, "")
				room.Meet(seat)
				room.Meet(bob.Join("bob", room.Channel, ""))
				seats = append(seats, seat)
			}
			said := make([][]string, len(seats))
			for i := range 50 {
				for n, seat := range seats {
					said[n] = append(said[n], seat.Say(fmt.Sprintf("message %d", i)))
				}
			}
			interleaved(t, "bob", bob.nextBody, said...)
		},
	}, {
		ID: "v1ws/channels/sixty-four", Section: section, Needs: V1WS, Conns: 2,
		Says: "A connection may be in 64 channels at a time: it gets the history of each, and is heard in each.",
		Run: func(t *T) {
			alice, bob := t.DialV1WS(), t.DialV1WS()
			var first, last []string
			for i := range maxChannels {
				seat := alice.Join("alice", t.Channel(), fmt.Sprintf("channel %d", i))
				alice.SendPing("in")
				alice.ExpectFrame(Fin|OpPong, "in")
				first = append(first, seat.Body(fmt.Sprintf("channel %d", i)))
				there := bob.Join("bob", seat.Channel, "")
				bob.ExpectBody(first[i])
				alice.ExpectBody(there.Body(""))
				last = append(last, there.Body("still here"))
			}
			for _, body := range last {
				bob.SendBody(body)
				alice.ExpectBody(body)
			}
			for _, body := range first {
				alice.SendBody(body)
				bob.ExpectBody(body)
			}
		},
	}, {
		ID: "v1ws/channels/sixty-fifth", Section: section, Needs: V1WS,
		Says: "The body that names a 65th channel ends the connection and does not reach that; others go on.",
		Run: func(t *T) {
			room, beyond := t.Room(), t.Room()
			alice := room.V1WS("alice")
			bob, carol := room.V1WS("bob"), beyond.HostWS("carol")
			for range maxChannels - 1 {
				alice.Join("alice", t.Channel(), "")
			}
			alice.Join("alice", beyond.Channel, "one too many")
			alice.ExpectRefused()
			beyond.heardNothingWS(carol)
			room.Leave(alice)
			room.heardNothingWS(bob)
		},
	}, {
		ID: "v1ws/close/sixty-fifth-channel", Section: section, Needs: V1WS, Level: Should, Conns: 1,
		Says: "The body that names a 65th channel ends the connection with 1008 or 1013.",
		Run: func(t *T) {
			alice := t.DialV1WS()
			for range maxChannels + 1 {
				alice.Join("alice", t.Channel(), "")
			}
			alice.ExpectClose(1008, 1013)
		},
	}, {
		ID: "v1ws/channels/fault-ends-all", Section: section, Needs: V1WS,
		Says: "A body that does not decode ends the connection for all its channels; what was sent before it is delivered in each.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			inOne := one.V1WS("alice")
			bob, carol := one.V1WS("bob"), two.V1WS("carol")
			inTwo := inOne.Join("alice", two.Channel, "")
			two.Meet(inTwo)
			inOne.Send(ClientFrame(Fin|OpBinary, inOne.Body("last words")), ClientFrame(Fin|OpBinary, inTwo.Body("here, too")),
				ClientFrame(Fin|OpBinary, "\xff"), ClientFrame(Fin|OpBinary, inOne.Body("never")))
			inOne.ExpectRefused()
			bob.ExpectBody(inOne.Body("last words"))
			carol.ExpectBody(inTwo.Body("here, too"))
			one.heardNothingWS(bob)
			two.heardNothingWS(carol)
		},
	}}
}
