package conformance

import "strings"

// A badFrame is what RFC 6455 forbids a client to send.
type badFrame struct {
	what, says string
	bytes      []byte
}

func badFrames() []badFrame {
	return []badFrame{
		{"masking", "A frame that is not masked", UnmaskedFrame(Fin|OpBinary, "bare")},
		{"reserved-bit", "A message with a reserved bit set, which no extension was agreed on for,", ClientFrame(Fin|0x40|OpBinary, "rsv1")},
		{"reserved-opcode", "A frame with opcode 3", ClientFrame(Fin|3, "three")},
		{"reserved-control-opcode", "A frame with opcode 11", ClientFrame(Fin|11, "eleven")},
		{"control-fragmented", "A ping without FIN", ClientFrame(OpPing, "half a ")},
		{"control-too-long", "A ping with 126 bytes", ClientFrame(Fin|OpPing, strings.Repeat("p", 126))},
		{"continuation-of-nothing", "A continuation with nothing to continue", ClientFrame(Fin|OpContinuation, "of what")},
		{"data-in-message", "A new message before the last fragment of another", Cat(ClientFrame(OpBinary, "one "), ClientFrame(Fin|OpBinary, "two"))},
		{"close-one-byte", "A close frame with one byte", ClientFrame(Fin|OpClose, "\x03")},
	}
}

func v2FrameCases() []Case {
	var cases []Case
	for _, bad := range badFrames() {
		cases = append(cases, Case{
			ID: "v2/frame/" + bad.what, Section: "v2/spec.md#closes-the-connection", Needs: V2,
			Says: bad.says + " ends its sender's connection; neither it nor what comes after it reaches anybody.",
			Run: func(t *T) {
				room := t.Room()
				alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
				alice.Send(bad.bytes, ClientFrame(Fin|OpBinary, "after"))
				alice.ExpectRefused()
				room.Leave(alice)
				room.Quiet()
			},
		}, Case{
			ID: "v2/close/" + bad.what, Section: "v2/spec.md#closes-the-connection", Needs: V2, Level: Should, Conns: 1,
			Says: bad.says + " ends the connection with 1002.",
			Run: func(t *T) {
				alice := t.DialV2()
				alice.Hello("alice", t.Channel())
				alice.Send(bad.bytes)
				alice.ExpectClose(1002)
			},
		})
	}
	return append(cases, Case{
		ID: "v2/frame/messages-before", Section: "v2/spec.md#messages", Needs: V2,
		Says: "What a client sent before a fault, in the same segment, is forwarded.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.Send(ClientFrame(Fin|OpBinary, "good"), ClientFrame(Fin|3, "bad"))
			alice.ExpectRefused()
			room.Leave(alice)
			bob.ExpectFrame(Fin|OpBinary, "good")
			room.Leave(bob)
		},
	})
}
