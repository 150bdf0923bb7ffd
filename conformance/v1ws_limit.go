package conformance

import "strings"

func v1wsLimitCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/limit/largest", Section: section, Needs: V1WS, Conns: 2, Deadline: largestDeadline,
		Says: "A body of 16,777,215 bytes, the longest that fits a v1 frame, is delivered.",
		Run: func(t *T) {
			t.largest()
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			body := alice.Body(strings.Repeat("L", mostOf("alice", room.Channel)))
			if len(body) != maxBody {
				t.Fatalf("the case is wrong: %d bytes", len(body))
			}
			alice.SendBody(body)
			bob.ExpectBytes(UnmaskedFrame(Fin|OpBinary, body))
			room.Quiet()
		},
	}, {
		ID: "v1ws/limit/too-big", Section: section, Needs: V1WS, Conns: 3, Deadline: largestDeadline,
		Says: "A body of one byte more ends its sender's connection, and reaches nobody.",
		Run: func(t *T) {
			t.largest()
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			alice.Say(strings.Repeat("L", mostOf("alice", room.Channel)+1))
			alice.refusedWith(1009)
			room.heardNothingWS(bob)
		},
	}, {
		ID: "v1ws/limit/too-big-first", Section: section, Needs: V1WS, Conns: 1, Level: Should,
		Says: "A first body that announces 16,777,216 bytes ends the connection with 1009, before they have come.",
		Run: func(t *T) {
			c := t.DialV1WS()
			c.Send([]byte{Fin | OpBinary, 0x80 | 127, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xa3})
			c.ExpectClose(1009)
		},
	}, {
		ID: "v1ws/limit/too-big-announced", Section: section, Needs: V1WS, Conns: 1, Level: Should,
		Says: "A later body that announces as many ends the connection with 1009, before they have come.",
		Run: func(t *T) {
			c := t.DialV1WS().Join("alice", t.Channel(), "")
			c.Send([]byte{Fin | OpBinary, 0x80 | 127, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xa3})
			c.ExpectClose(1009)
		},
	}, {
		ID: "v1ws/limit/too-big-in-fragments", Section: section, Needs: V1WS, Conns: 3, Deadline: largestDeadline,
		Says: "A body of one byte too many in two fragments, each of which would fit, ends its sender's connection with 1009, and reaches nobody.",
		Run: func(t *T) {
			t.largest()
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			body := alice.Body(strings.Repeat("L", mostOf("alice", room.Channel)+1))
			alice.SendFrame(OpBinary, body[:len(body)/2])
			alice.SendFrame(Fin|OpContinuation, body[len(body)/2:])
			alice.refusedWith(1009)
			room.heardNothingWS(bob)
		},
	}, {
		ID: "v1ws/limit/larger-first", Section: section, Needs: V1WS,
		Says: "A first body may be larger than a v2 hello may: one of 1 MiB joins and is delivered.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.HostWS("bob")
			alice := t.DialV1WS().Join("alice", room.Channel, strings.Repeat("L", 1<<20))
			bob.ExpectBody(alice.Body(strings.Repeat("L", 1<<20)))
			room.Meet(alice)
		},
	}}
}
