package conformance

import "strings"

// badFramesOf are what RFC 6455 forbids a client to send, around a body that would
// be good without the fault.
func badFramesOf(body string) []badFrame {
	return []badFrame{
		{"masking", "A frame that is not masked", UnmaskedFrame(Fin|OpBinary, body)},
		{"reserved-bit", "A body with a reserved bit set, which no extension was agreed on for,", ClientFrame(Fin|0x40|OpBinary, body)},
		{"reserved-opcode", "A frame with opcode 3", ClientFrame(Fin|3, body)},
		{"reserved-control-opcode", "A frame with opcode 11", ClientFrame(Fin|11, "eleven")},
		{"control-fragmented", "A ping without FIN", ClientFrame(OpPing, "half a ")},
		{"control-too-long", "A ping with 126 bytes", ClientFrame(Fin|OpPing, strings.Repeat("p", 126))},
		{"continuation-of-nothing", "A continuation with nothing to continue", ClientFrame(Fin|OpContinuation, body)},
		{"data-in-message", "A new message before the last fragment of another", Cat(ClientFrame(OpBinary, body[:9]), ClientFrame(Fin|OpBinary, body))},
		{"close-one-byte", "A close frame with one byte", ClientFrame(Fin|OpClose, "\x03")},
	}
}

func v1wsFrameCases() []Case {
	var cases []Case
	for i, bad := range badFramesOf(strings.Repeat(" ", 9)) {
		cases = append(cases, Case{
			ID: "v1ws/frame/" + bad.what, Section: "v2/spec.md#closes-the-connection", Needs: V1WS,
			Says: bad.says + " ends its sender's connection; neither it nor what comes after it reaches anybody.",
			Run: func(t *T) {
				room := t.Room()
				alice, _, _ := room.V1WS("alice"), room.V1WS("bob"), room.V1WS("carol")
				alice.Send(badFramesOf(alice.Body("bad"))[i].bytes, ClientFrame(Fin|OpBinary, alice.Body("after")))
				alice.ExpectRefused()
				room.Leave(alice)
				room.Quiet()
			},
		}, Case{
			ID: "v1ws/close/" + bad.what, Section: "v2/spec.md#closes-the-connection", Needs: V1WS, Level: Should, Conns: 1,
			Says: bad.says + " ends the connection with 1002.",
			Run: func(t *T) {
				alice := t.DialV1WS().Join("alice", t.Channel(), "")
				alice.Send(badFramesOf(alice.Body("bad"))[i].bytes)
				alice.ExpectClose(1002)
			},
		})
	}
	return append(cases, Case{
		ID: "v1ws/frame/bodies-before", Section: "v1/spec.md#websocket", Needs: V1WS,
		Says: "What a client sent before a fault, in the same segment, is delivered and stored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			alice.Send(ClientFrame(Fin|OpBinary, alice.Body("good")), ClientFrame(Fin|3, "bad"))
			alice.ExpectRefused()
			bob.ExpectBody(alice.Body("good"))
			carol := t.DialV1WS().Join("carol", room.Channel, "")
			carol.bodiesUntil(alice.Body("good"))
		},
	})
}
