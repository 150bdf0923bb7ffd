package conformance

import (
	"fmt"
	"strings"
)

// v1wsBetweenCases are what the rows of v1ws_deed.go do not show.
func v1wsBetweenCases() []Case {
	const section = "bridge/mapping.md#what-each-side-gets"
	const order = "bridge/mapping.md#order-and-the-seam"
	return []Case{{
		ID: "v1ws/between/to-all-others", Section: section, Needs: V1WS | V1 | V2, Conns: 5,
		Says: "What a member of any dialect sends reaches each other member of all three once, and does not come back to it.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol, dave := room.V1("alice"), room.V2("bob"), room.V1WS("carol"), room.V1WS("dave")
			frame := alice.Say("from v1")
			bob.ExpectFrame(Fin|OpBinary, "from v1")
			carol.ExpectBody(string(frame[16:]))
			dave.ExpectBody(string(frame[16:]))
			bob.SendText("from v2")
			alice.ExpectFrame(bob.made("from v2"))
			carol.ExpectBody(string(Map3("bob", room.Channel, "from v2")))
			dave.ExpectBody(string(Map3("bob", room.Channel, "from v2")))
			said := carol.tells("from v1 over WebSocket")
			alice.expectBodies(said)
			bob.ExpectFrame(Fin|OpBinary, "from v1 over WebSocket")
			dave.ExpectBody(said.bodies(room.Channel)...)
			room.Quiet()
		},
	}, {
		ID: "v1ws/between/same-uid", Section: "bridge/mapping.md#identity", Needs: V1WS | V1 | V2,
		Says: "One uid may be there on v1, on v2 and on v1 over WebSocket at once, and each hears the others.",
		Run: func(t *T) {
			room := t.Room()
			room.V1WS("alice")
			room.V1("alice")
			room.V2("alice")
			room.V1WS("alice")
			room.Quiet()
		},
	}, {
		ID: "v1ws/between/history", Section: "bridge/mapping.md#history", Needs: V1WS | V1 | V2,
		Says: "One history holds what members of all dialects did, and a joiner of any gets all of it in the order in which it came.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "one", "two")
			history = history.and(room.visitV1WS("bob", "three", "four"))
			history = history.and(room.visitV2("carol", heardText("five"), heardBinary("six"), heardText("")))
			history = history.and(room.visitV1("dave", "seven")).and(room.visitV1WS("erin"))
			history = room.hasWS(history)
			room.hasV2(history)
			reader := t.DialV1()
			reader.Join("reader", room.Channel, "")
			reader.expectBodies(history)
		},
	}, {
		ID: "v1ws/between/one-limit", Section: "bridge/mapping.md#history", Needs: V1WS | V1, Level: Should,
		Says: "The last 200 events are kept of both dialects of v1 together, unless the operator says otherwise.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", inTurn("alice", 103)...).and(room.visitV1WS("bob", inTurn("bob", 99)...))
			history = room.hasWS(history.newest(200))
			reader := t.DialV1()
			reader.Join("reader", room.Channel, "")
			reader.expectBodies(told{v1: history.v1[len(history.v1)-200:]})
		},
	}, {
		ID: "v1ws/between/own", Section: order, Needs: V1WS | V1 | V2,
		Says: "Who comes back on v1 over WebSocket gets what it said before in other dialects.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "as v1").and(room.visitV2("alice", heardText("as v2")))
			alice := t.DialV1WS().Join("alice", room.Channel, "")
			alice.ExpectBody(history.bodies(room.Channel)...)
		},
	}, {
		ID: "v1ws/between/order", Section: order, Needs: V1WS | V1 | V2,
		Says: "What one member sends reaches members of each dialect in that order, while members of the others send, too.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V1WS("carol")
			var ofAlice, ofBob, ofCarol told
			for i := range 100 {
				ofAlice = ofAlice.and(alice.tells(fmt.Sprintf("message %d", i)))
				ofBob = ofBob.and(bob.tells(heardText(fmt.Sprintf("message %d", i))))
				ofCarol = ofCarol.and(carol.tells(fmt.Sprintf("message %d", i)))
			}
			interleaved(t, "carol", carol.nextBody, ofAlice.bodies(room.Channel), ofBob.bodies(room.Channel))
			interleaved(t, "bob", bob.nextMessage, ofAlice.messages(), ofCarol.messages())
			body := func() string { return string(alice.Next()[16:]) }
			interleaved(t, "alice", body, ofBob.bodies(room.Channel), ofCarol.bodies(room.Channel))
		},
	}, {
		ID: "v1ws/between/resync", Section: "bridge/mapping.md#peers-that-use-the-gateway-as-their-root", Needs: V1WS | V1,
		Says: "Of a peer's ResyncMsg v1 WebSocket members get each body that decodes and names the channel, live and from the history.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.HostWS("bob"), t.DialV1()
			peer.UID, peer.Channel = "peer", room.Channel
			contained := [][]byte{peer.Msg("first"), peer.Frame("ben", room.Channel, "second"), Frame(1, 2, []byte("\xff")),
				peer.Frame("ben", "elsewhere", "where?"), peer.Msg("last")}
			peer.Send(Frame(1, 2, Resync(contained...)))
			bodies := told{v1: contained}.bodies(room.Channel)
			bob.ExpectBody(bodies...)
			room.heardNothingWS(bob)
			late := t.DialV1WS().Join("late", room.Channel, "")
			late.ExpectBody(bodies...)
		},
	}, {
		ID: "v1ws/between/largest", Section: "bridge/mapping.md#limits", Needs: V1WS | V1 | V2, Conns: 3, Deadline: largestDeadline,
		Says: "The longest body of a v1 WebSocket client is the longest frame to v1 members and one binary frame to v2 members.",
		Run: func(t *T) {
			t.largest()
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V1WS("carol")
			message := strings.Repeat("L", mostOf("carol", room.Channel))
			alice.expectBodies(carol.tells(message))
			bob.expectRaw(UnmaskedFrame(Fin|OpBinary, message))
			room.Quiet()
		},
	}, {
		ID: "v1ws/between/isolated", Section: "bridge/mapping.md#between-the-dialects", Needs: V1WS | V1 | V2, Conns: 5,
		Says: "Of what members of other dialects say in two channels a connection that is in both gets each in its own, once.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			inOne := one.V1WS("alice")
			bob, carol := one.V1("bob"), two.V2("carol")
			inTwo := inOne.Join("alice", two.Channel, "")
			two.Meet(inTwo)
			inOne.ExpectBody(string(bob.Say("to one")[16:]))
			carol.SendText("to two")
			inOne.ExpectBody(string(Map3("carol", two.Channel, "to two")))
			bob.expectBodies(inOne.tells("in one"))
			inTwo.Say("in two")
			carol.ExpectFrame(Fin|OpBinary, "in two")
			one.Quiet()
			two.Quiet()
		},
	}, {
		ID: "v1ws/between/lenient-to-all", Section: "v1/spec.md#decoding", Needs: V1WS | V1 | V2,
		Says: "Each form that a body may have reaches v1 members over TCP and over WebSocket byte for byte, from either, and v2 members as its message.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V1WS("carol")
			for _, b := range v1Taken() {
				body := b.body(room.Channel)
				alice.Send(Frame(1, 2, []byte(body)))
				carol.ExpectBody(body)
				carol.SendBody(body)
				alice.expectBodies(told{v1: [][]byte{Frame(0, 0, []byte(body))}})
				said, ok := ReadBody([]byte(body))
				for range 2 {
					if ok && said.Message != "" {
						bob.ExpectBinary(said.Message)
					}
				}
			}
			room.Quiet()
		},
	}}
}
