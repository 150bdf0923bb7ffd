package conformance

// A looseBody is a v1 body that says "hi" by alice in a form of its own
// (v1/spec.md, "Decoding").
type looseBody struct {
	name, says string
	body       func(channel string) []byte
}

func looseBodies() []looseBody {
	uid, hi := Cat([]byte("\x63uid"), Text("alice")), Cat([]byte("\x67message"), Bytes("hi"))
	channel := func(c string) []byte { return Cat([]byte("\x67channel"), Text(c)) }
	return []looseBody{
		{"array", "is an array of uid, channel and message", func(c string) []byte {
			return Cat([]byte{0x83}, Text("alice"), Text(c), Bytes("hi"))
		}},
		{"other-order", "has the message first and the uid last", func(c string) []byte {
			return Cat([]byte{0xa3}, hi, channel(c), uid)
		}},
		{"message-text", "has the message as text", func(c string) []byte {
			return Cat([]byte{0xa3}, uid, channel(c), []byte("\x67message"), Text("hi"))
		}},
		{"message-numbers", "has the message as an array of small integers", func(c string) []byte {
			return Cat([]byte{0xa3}, uid, channel(c), []byte("\x67message"), []byte{0x82, 0x18, 'h', 0x18, 'i'})
		}},
		{"message-chunks", "has the message in two chunks", func(c string) []byte {
			return Cat([]byte{0xa3}, uid, channel(c), []byte("\x67message"), []byte{0x5f, 0x41, 'h', 0x41, 'i', 0xff})
		}},
		{"indefinite", "is a map of indefinite length", func(c string) []byte {
			return Cat([]byte{0xbf}, uid, channel(c), hi, []byte{0xff})
		}},
		{"long-lengths", "has the message's length in four bytes", func(c string) []byte {
			return Cat([]byte{0xa3}, uid, channel(c), []byte("\x67message"), []byte{0x5a, 0, 0, 0, 2, 'h', 'i'})
		}},
		{"index-keys", "has 0, 1 and 2 for keys", func(c string) []byte {
			return Cat([]byte{0xa3}, []byte{0}, Text("alice"), []byte{1}, Text(c), []byte{2}, Bytes("hi"))
		}},
		{"byte-names", "has keys and uid as byte strings", func(c string) []byte {
			return Cat([]byte{0xa3}, Bytes("uid"), Bytes("alice"), Bytes("channel"), Text(c), Bytes("message"), Bytes("hi"))
		}},
		{"further-entry", "has a further entry before the message", func(c string) []byte {
			return Cat([]byte{0xa4}, uid, channel(c), Text("x"), Bytes("hey"), hi)
		}},
		{"tag", "stands behind a tag", func(c string) []byte {
			return Cat([]byte{0xd9, 0xd9, 0xf7, 0xa3}, uid, channel(c), hi)
		}},
	}
}

// bridgeBodyCases send each body in a later frame.
func bridgeBodyCases() []Case {
	var cases []Case
	for _, b := range looseBodies() {
		cases = append(cases, Case{
			ID: "bridge/body/" + b.name, Section: "v1/spec.md#decoding", Needs: V1 | V2,
			Says: "A v1 message whose body " + b.says + " is its bytes as binary to v2 members, and the frame byte for byte to v1 members, live and from the history.",
			Run: func(t *T) {
				room := t.Room()
				bob, carol, alice := t.DialV2(), t.DialV1(), t.DialV1()
				history := room.visitV1("zed", "come in")
				history = history.and(bob.enters("bob", room.Channel))
				bob.hears(history.v2[:2]...)
				history = history.and(carol.enters("carol", room.Channel))
				carol.ExpectFrame(history.v1[:3]...)
				entered := alice.enters("alice", room.Channel)
				frame := Frame(1, 2, b.body(room.Channel))
				alice.Send(frame)
				said := entered.and(told{[][]byte{frame}, []heard{heardBinary("hi")}})
				carol.ExpectFrame(said.v1...)
				bob.hears(append([]heard{heardJoin("carol", room.Channel)}, said.v2...)...)
				alice.SeeOff()
				carol.Close()
				room.hasV2(room.hasV1(history.and(said)))
			},
		})
	}
	return append(cases, Case{
		ID: "bridge/body/first-frame", Section: "v1/spec.md#decoding", Needs: V1 | V2,
		Says: "A v1 first frame whose body is an array with a message joins, and v2 members find its notice and its message in the history.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.aliceV1(room)
			key := alice.Key("alice", room.Channel)
			first := Frame(uint32(key), key, Cat([]byte{0x83}, Text("alice"), Text(room.Channel), Text("hi")))
			alice.Send(first)
			alice.SeeOff()
			history := told{[][]byte{first}, []heard{heardJoin("alice", room.Channel), heardBinary("hi")}}
			room.hasV1(room.hasAllV2(history))
		},
	})
}
