package conformance

import (
	"fmt"
	"strings"
)

// expectServedWS shows that the server still serves: two members join and hear
// each other.
func (t *T) expectServedWS() {
	room := t.Room()
	room.V1WS("alice")
	room.V1WS("bob")
	room.Quiet()
}

func v1wsHostileCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/hostile/announced", Section: section, Needs: V1WS | Hostile, Conns: 18,
		Says: "Sixteen connections that announce a first body of 15 MiB each and send a little of it do not stop the others.",
		Run: func(t *T) {
			for range 16 {
				t.DialV1WS().Send([]byte{Fin | OpBinary, 0x80 | 127, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0, 0xa3})
			}
			t.expectServedWS()
		},
	}, {
		ID: "v1ws/hostile/channels", Section: section, Needs: V1WS | Hostile, Conns: 18,
		Says: "Sixteen connections in 64 channels each, which they flood with 100 bodies, do not stop the others.",
		Run: func(t *T) {
			for i := range 16 {
				c := t.DialV1WS()
				var all []byte
				for range maxChannels {
					s := c.as(fmt.Sprintf("eve-%d", i), t.Channel())
					all = append(all, ClientFrame(Fin|OpBinary, s.Body(""))...)
					all = append(all, strings.Repeat(string(ClientFrame(Fin|OpBinary, s.Body("flood"))), 100)...)
				}
				c.Send(all, ClientFrame(Fin|OpPing, "taken?"))
				c.ExpectFrame(Fin|OpPong, "taken?")
			}
			t.expectServedWS()
		},
	}, {
		ID: "v1ws/hostile/garbage", Section: section, Needs: V1WS | Hostile,
		Says: "After 100 connections that sent a body of brackets nested 8,000 deep, the server serves as before.",
		Run: func(t *T) {
			for range 100 {
				c := t.DialV1WS()
				c.SendBody(strings.Repeat("\x81", 8000))
				c.Reset()
			}
			t.expectServedWS()
		},
	}, {
		ID: "v1ws/hostile/stopped-reader", Section: "v2/spec.md#closes-the-connection", Needs: V1WS | Hostile, Level: Should, Conns: 5,
		Says: "A member that stops reading does not keep 24 MiB, which others of its channel send each other, from them, nor stop other channels.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			stopped := t.DialV1WSDeaf()
			stopped.tcp.SetReadBuffer(4096)
			stopped.Join("stopped", room.Channel, "")
			alice.Next()
			bob.Next()
			for i := range 24 << 6 {
				bob.ExpectBody(alice.Say(fmt.Sprintf("%d ", i) + strings.Repeat("m", 16<<10)))
			}
			t.expectServedWS()
		},
	}}
}
