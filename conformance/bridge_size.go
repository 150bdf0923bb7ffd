package conformance

import (
	"fmt"
	"strings"
	"time"
)

// maxBody is the longest body of a v1 frame, as its header can say.
const maxBody = 0xffffff

// mostOf is how long a message of uid in channel may be: what is left of the
// longest body by the rest of it, the message's own length in five bytes.
func mostOf(uid, channel string) int {
	return maxBody - (len(Map3(uid, channel, "")) - 1 + 5)
}

func bridgeSizeCases() []Case {
	const section = "bridge/mapping.md#what-each-side-gets"
	var cases []Case
	for _, n := range []int{0, 1, 125, 126, 65535, 65536, 1 << 20} {
		says := fmt.Sprintf("of %d bytes", n)
		if n > 0 { // from v1, an empty message is an arrival
			cases = append(cases, Case{
				ID: fmt.Sprintf("bridge/size/v1-to-v2-%d", n), Section: section, Needs: V1 | V2,
				Says: "A v1 message " + says + " is one binary frame to v2 members, its length in the shortest form, live and from the history.",
				Run: func(t *T) {
					room := t.Room()
					alice, bob := room.V1("alice"), room.V2("bob")
					alice.Say(strings.Repeat("x", n))
					bob.expectRaw(UnmaskedFrame(Fin|OpBinary, strings.Repeat("x", n)))
					room.Quiet()
					past := t.Room()
					past.hasV2(past.visitV1("alice", strings.Repeat("x", n)))
				},
			})
		}
		cases = append(cases, Case{
			ID: fmt.Sprintf("bridge/size/v2-to-v1-%d", n), Section: section, Needs: V1 | V2,
			Says: "A v2 message " + says + ", in one piece and in two fragments, is one frame to v1 members, live and from the history.",
			Run: func(t *T) {
				room := t.Room()
				alice, bob := room.V1("alice"), room.V2("bob")
				payload := strings.Repeat("x", n)
				bob.SendBinary(payload)
				alice.ExpectFrame(bob.made(payload))
				bob.SendFrame(OpText, payload[:n/2])
				bob.SendFrame(Fin|OpContinuation, payload[n/2:])
				alice.ExpectFrame(bob.made(payload))
				room.Quiet()
				past := t.Room()
				past.hasV1(past.visitV2("alice", heardText(payload)))
			},
		})
	}
	return append(cases, largestCases()...)
}

// expectRaw wants the next frame to be these bytes, its header too.
func (c *WSConn) expectRaw(frame []byte) {
	if a := c.next("a frame"); string(a.raw) != string(frame) {
		c.t.Fatalf("%s got a frame of %d bytes that begins with %x; want %d bytes, %x", c.name.String(),
			len(a.raw), a.raw[:min(len(a.raw), 10)], len(frame), frame[:min(len(frame), 10)])
	}
}

// refusedWith wants a close frame with the code next, and leaves the rest to
// suite v2: a server that gave up within a message may discard what comes for a
// while before it closes.
func (c *WSConn) refusedWith(code int) {
	a := c.next("a close frame")
	if got, _ := closeOf(a.payload); a.first != Fin|OpClose || got != code {
		c.t.Fatalf("%s got %s; want a close frame with %d", c.name.String(), c.means(a), code)
	}
	c.Close()
}

// largest is for cases that move 16 MiB, which takes its time on a loaded machine.
func (t *T) largest() { t.SetPatience(largestDeadline) }

const largestDeadline = 20 * time.Second

func largestCases() []Case {
	const section = "bridge/mapping.md#limits"
	return []Case{{
		ID: "bridge/size/largest-v2-to-v1", Section: section, Needs: V1 | V2, Conns: 2, Deadline: largestDeadline,
		Says: "The largest v2 message, 0xffffff bytes less the CBOR around it, is the longest frame to v1 members.",
		Run: func(t *T) {
			t.largest()
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			payload := strings.Repeat("L", mostOf("bob", room.Channel))
			bob.Send(ClientFrame(Fin|OpBinary, payload))
			frame := bob.made(payload)
			if string(frame[:4]) != "M\xff\xff\xff" {
				t.Fatalf("the case is wrong: %x", frame[:4])
			}
			alice.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "bridge/size/largest-v1-to-v2", Section: section, Needs: V1 | V2, Conns: 2, Deadline: largestDeadline,
		Says: "The message of the longest v1 frame is one binary frame to v2 members.",
		Run: func(t *T) {
			t.largest()
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			payload := strings.Repeat("L", mostOf("alice", room.Channel))
			alice.Say(payload)
			bob.expectRaw(UnmaskedFrame(Fin|OpBinary, payload))
			room.Quiet()
		},
	}, {
		ID: "bridge/size/too-large-v2", Section: section, Needs: V1 | V2, Conns: 2, Deadline: largestDeadline,
		Says: "A v2 message of one byte more than fits the longest v1 frame closes its sender with 1009, and v1 members get nothing of it.",
		Run: func(t *T) {
			tooLarge(t, "bob", func(bob *V2Conn, payload string) {
				bob.Send(ClientFrame(Fin|OpBinary, payload))
			})
		},
	}, {
		ID: "bridge/size/too-large-in-fragments", Section: section, Needs: V1 | V2, Conns: 2, Deadline: largestDeadline,
		Says: "The same message in two fragments, each of which would fit, closes its sender with 1009, and v1 members get nothing of it.",
		Run: func(t *T) {
			tooLarge(t, "bob", func(bob *V2Conn, payload string) {
				bob.Send(ClientFrame(OpText, payload[:len(payload)/2]))
				bob.Send(ClientFrame(Fin|OpContinuation, payload[len(payload)/2:]))
			})
		},
	}, {
		ID: "bridge/size/names-count", Section: section, Needs: V1 | V2, Conns: 2, Deadline: largestDeadline,
		Says: "The limit is less by as much as names are longer: under a uid of 1,000 bytes a message that is one byte too long with it is 1009, though it would fit under a shorter one.",
		Run: func(t *T) {
			tooLarge(t, strings.Repeat("u", 1000), func(bob *V2Conn, payload string) {
				bob.Send(ClientFrame(Fin|OpBinary, payload))
			})
		},
	}}
}

// tooLarge has a v2 member of uid send a message of one byte too many.
func tooLarge(t *T, uid string, send func(bob *V2Conn, payload string)) {
	t.largest()
	room := t.Room()
	alice, bob := room.V1("alice"), room.V2(uid)
	send(bob, strings.Repeat("L", mostOf(uid, room.Channel)+1))
	bob.refusedWith(1009)
	room.Leave(bob)
	alice.ExpectFrame(room.visitV2("carol", heardBinary("the next")).v1...)
}
