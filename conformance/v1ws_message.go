package conformance

import (
	"fmt"
	"strings"
)

func v1wsMessageCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/message/to-all-others", Section: section, Needs: V1WS,
		Says: "A body reaches each other member of the channel once, in one binary frame without a header, and does not come back.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1WS("alice"), room.V1WS("bob"), room.V1WS("carol")
			body := alice.Say("to whom it may concern")
			bob.ExpectBytes(UnmaskedFrame(Fin|OpBinary, body))
			carol.ExpectBytes(UnmaskedFrame(Fin|OpBinary, body))
			room.Quiet()
		},
	}, {
		ID: "v1ws/message/empty", Section: section, Needs: V1WS,
		Says: "A later body with an empty message reaches the others like any other.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			bob.ExpectBody(alice.Say(""), alice.Say("and"), alice.Say(""), alice.Say(""))
			room.Quiet()
		},
	}, {
		ID: "v1ws/message/all-bytes", Section: section, Needs: V1WS,
		Says: "A message with each of the 256 bytes in it comes as it was sent.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			all := make([]byte, 256)
			for i := range all {
				all[i] = byte(i)
			}
			bob.ExpectBody(alice.Say(string(all)))
		},
	}, {
		ID: "v1ws/message/frame-inside", Section: section, Needs: V1WS,
		Says: "A message that is itself a v1 frame is nothing but a message.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			bob.ExpectBody(alice.Say(string(Frame(1, 2, Map3("ben", room.Channel, "not of ben")))))
			room.Quiet()
		},
	}, {
		ID: "v1ws/message/lengths", Section: section, Needs: V1WS,
		Says: "Bodies of the lengths at which frame headers change come in one unmasked frame, whose length is in its shortest form.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			around := len(alice.Body(strings.Repeat("n", 30))) - 30 // the message's length in two bytes
			for _, n := range []int{125 - around, 126 - around, 65535 - around - 1, 65536 - around - 1, 1 << 20} {
				bob.ExpectBytes(UnmaskedFrame(Fin|OpBinary, alice.Say(strings.Repeat("n", n))))
			}
			room.Quiet()
		},
	}, {
		ID: "v1ws/message/fragments", Section: section, Needs: V1WS,
		Says: "A body in fragments, an empty one among them, is one frame to others, who may send meanwhile.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			body := alice.Body("begun early, done late")
			alice.SendFrame(OpBinary, body[:1])
			alice.SendFrame(OpContinuation, "")
			alice.ExpectBody(bob.Say("meanwhile"))
			alice.SendFrame(OpContinuation, body[1:30])
			alice.SendFrame(Fin|OpContinuation, body[30:])
			bob.ExpectBytes(UnmaskedFrame(Fin|OpBinary, body))
			room.Quiet()
		},
	}, {
		ID: "v1ws/message/masks", Section: section, Needs: V1WS,
		Says: "Each frame has a mask of its own; one of four zeros is a mask too.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			body := alice.Body("masked")
			for _, mask := range [][]byte{{0, 0, 0, 0}, {0xff, 0, 0x20, 0}, {1, 2, 3, 4}} {
				masked := []byte(body)
				for i := range masked {
					masked[i] ^= mask[i%4]
				}
				alice.Send([]byte{Fin | OpBinary, 0x80 | byte(len(body))}, mask, masked)
			}
			bob.ExpectBody(body, body, body)
		},
	}, {
		ID: "v1ws/message/order", Section: section, Needs: V1WS,
		Says: "500 bodies of one sender come in the order in which they were sent, each once.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			var sent []string
			for i := range 500 {
				sent = append(sent, alice.Say(fmt.Sprintf("message %d", i)))
			}
			bob.ExpectBody(sent...)
			room.Quiet()
		},
	}, {
		ID: "v1ws/message/two-senders", Section: section, Needs: V1WS,
		Says: "Of two who send at the same time each comes in its order to a third, and to each the other's.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1WS("alice"), room.V1WS("bob"), room.V1WS("carol")
			var ofAlice, ofBob []string
			for i := range 100 {
				ofAlice = append(ofAlice, alice.Say(fmt.Sprintf("message %d", i)))
				ofBob = append(ofBob, bob.Say(fmt.Sprintf("message %d", i)))
			}
			alice.ExpectBody(ofBob...)
			bob.ExpectBody(ofAlice...)
			interleaved(t, "carol", carol.nextBody, ofAlice, ofBob)
		},
	}, {
		ID: "v1ws/message/text", Section: section, Needs: V1WS,
		Says: "A body in a text frame ends its sender's connection, and reaches nobody.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V1WS("alice"), room.V1WS("bob"), room.V1WS("carol")
			alice.SendText(bodyInText(room.Channel))
			alice.ExpectRefused()
			room.Leave(alice)
			room.Quiet()
		},
	}}
}

// bodyInText is a body that joins and is UTF-8 as a whole, as text frames must be:
// tag and map read as ã.
func bodyInText(channel string) string {
	return "\xc3\xa3" + uidAlice + inChannel(channel) + "\x67message\x62hi"
}

// nextBody is for interleaved.
func (c *V1WSConn) nextBody() string {
	first, payload := c.Next()
	if first != Fin|OpBinary {
		c.t.Fatalf("%s got %s; want a body in a binary frame", c.name.String(), meaningWS(first, []byte(payload)))
	}
	return payload
}
