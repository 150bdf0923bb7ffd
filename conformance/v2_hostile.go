package conformance

import (
	"fmt"
	"strings"
)

// ExpectServed shows that the server still serves: two members join and hear
// each other.
func (t *T) ExpectServed() {
	room := t.Room()
	room.V2("alice")
	room.V2("bob")
	room.Quiet()
}

func v2LimitCases() []Case {
	const section = "v2/spec.md#limits"
	return []Case{{
		ID: "v2/limit/largest", Section: "v2/spec.md#messages", Needs: V2,
		Says: "A message of 16,777,215 bytes, less what its names need in a v1 frame, is forwarded.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			// The message's own CBOR head is 1 byte for none and 5 for 16 MiB.
			n := 0xffffff - len(Map3("alice", room.Channel, "")) - 4
			largest := strings.Repeat("16 bytes, again ", 1<<20)[:n]
			alice.SendBinary(largest)
			bob.ExpectFrame(Fin|OpBinary, largest)
			room.Quiet()
		},
	}, {
		ID: "v2/limit/too-big", Section: section, Needs: V2,
		Says: "A message of more than 16 MiB ends its sender's connection, and reaches nobody.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.SendBinary(strings.Repeat("x", 16<<20+1))
			alice.ExpectRefused()
			room.Leave(alice)
			room.Quiet()
		},
	}, {
		ID: "v2/limit/length-negative", Section: section, Needs: V2,
		Says: "A length with its highest bit set ends the connection, and takes no memory.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.Send([]byte{Fin | OpBinary, 0x80 | 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 'x'})
			alice.ExpectRefused()
			room.Leave(alice)
			room.Quiet()
		},
	}, {
		ID: "v2/limit/fragments-too-big", Section: section, Needs: V2 | Hostile, Level: Should, Conns: 1,
		Says: "Fragments of 9 MiB and 8 MiB are one message that is too big: 1009.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			c.SendFrame(OpBinary, strings.Repeat("x", 9<<20))
			c.SendFrame(Fin|OpContinuation, strings.Repeat("x", 8<<20))
			c.ExpectClose(1009)
		},
	}}
}

func v2HostileCases() []Case {
	const section = "v2/spec.md#limits"
	return []Case{{
		ID: "v2/hostile/hello-deep", Section: "v2/spec.md#hello", Needs: V2 | Hostile,
		Says: "A hello of 8,000 opening brackets does not join, and the server goes on.",
		Run: func(t *T) {
			c := t.DialV2()
			c.SendText(strings.Repeat("[", 8000))
			c.ExpectNotIn(silence)
			t.ExpectServed()
		},
	}, {
		ID: "v2/hostile/announced", Section: section, Needs: V2 | Hostile, Conns: 18,
		Says: "Sixteen connections that announce 15 MiB each and send a little of it do not stop the others.",
		Run: func(t *T) {
			room := t.Room()
			for i := range 16 {
				c := t.DialV2()
				c.Hello(fmt.Sprintf("eve-%d", i), room.Channel)
				c.Send([]byte{Fin | OpBinary, 0x80 | 127, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0, 'x'})
			}
			t.ExpectServed()
		},
	}, {
		ID: "v2/hostile/pings", Section: "v2/spec.md#pings", Needs: V2 | Hostile,
		Says: "20,000 pings of a client that reads no pong do not stop the others, nor what it says behind them.",
		Run: func(t *T) {
			room := t.Room()
			bob, eve := room.V2("bob"), t.DialV2Deaf()
			eve.Hello("eve", room.Channel)
			eve.Send([]byte(strings.Repeat(string(ClientFrame(Fin|OpPing, "ping")), 20_000)))
			eve.SendBinary("behind all that")
			bob.UpTo("behind all that")
			t.ExpectServed()
		},
	}, {
		ID: "v2/hostile/fragments", Section: "v2/spec.md#messages", Needs: V2 | Hostile,
		Says: "A message in 100,000 empty fragments is forwarded like any other.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.Send(
				ClientFrame(OpBinary, "first "),
				[]byte(strings.Repeat(string(ClientFrame(OpContinuation, "")), 100_000)),
				ClientFrame(Fin|OpContinuation, "and last"),
			)
			bob.ExpectFrame(Fin|OpBinary, "first and last")
			room.Quiet()
		},
	}, {
		ID: "v2/hostile/come-and-go", Section: "v2/spec.md#hello", Needs: V2 | Hostile,
		Says: "After 100 connections that ended before their hello, by turns closed and reset, the server serves as before.",
		Run: func(t *T) {
			for i := range 100 {
				c := t.DialV2()
				if i%2 == 0 {
					c.Reset()
				} else {
					c.Close()
				}
			}
			t.ExpectServed()
		},
	}, {
		ID: "v2/hostile/stopped-reader", Section: "v2/spec.md#closes-the-connection", Needs: V2 | Hostile, Level: Should, Conns: 5,
		Says: "A member that stops reading does not keep 24 MiB, which others of its channel send each other, from them, nor stop other channels.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			stopped := t.DialV2Deaf()
			stopped.tcp.SetReadBuffer(4096)
			stopped.Hello("stopped", room.Channel)
			for i := range 24 << 6 {
				message := fmt.Sprintf("%d ", i) + strings.Repeat("m", 16<<10)
				alice.SendBinary(message)
				bob.ExpectBinary(message)
			}
			t.ExpectServed()
		},
	}}
}
