package conformance

import (
	"fmt"
	"slices"
	"strings"
)

func v1wsHistoryCases() []Case {
	const section = "v1/spec.md#session"
	const limits = "bridge/mapping.md#history"
	return []Case{{
		ID: "v1ws/history/before-live", Section: section, Needs: V1WS,
		Says: "A joiner gets the history, oldest first, byte for byte and each body once, then what is new.",
		Run: func(t *T) {
			room := t.Room()
			room.hasWS(room.hasWS(room.visitV1WS("alice", "one", "two", "three").and(room.visitV1WS("bob", "four"))))
		},
	}, {
		ID: "v1ws/history/as-they-came", Section: section, Needs: V1WS,
		Says: "Bodies in any form that may come are in the history byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1WS().Join("alice", room.Channel, "")
			sent := []string{alice.Body("")}
			for _, b := range v1TakenMaps() {
				sent = append(sent, b.body(room.Channel))
				alice.SendBody(b.body(room.Channel))
			}
			alice.SeeOff()
			bob := t.DialV1WS().Join("bob", room.Channel, "")
			bob.ExpectBody(sent...)
			room.heardNothingWS(bob)
		},
	}, {
		ID: "v1ws/history/one-frame-each", Section: section, Needs: V1WS,
		Says: "In the history a body is one unmasked frame, also one of 70,000 bytes and one that came in fragments.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1WS().Join("alice", room.Channel, "first")
			long, parts := alice.Say(strings.Repeat("l", 70_000)), alice.Body("in two")
			alice.SendFrame(OpBinary, parts[:10])
			alice.SendFrame(Fin|OpContinuation, parts[10:])
			alice.SeeOff()
			bob := t.DialV1WS().Join("bob", room.Channel, "")
			for _, body := range []string{alice.Body("first"), long, parts} {
				bob.ExpectBytes(UnmaskedFrame(Fin|OpBinary, body))
			}
		},
	}, {
		ID: "v1ws/history/own", Section: section, Needs: V1WS,
		Says: "Who comes back gets its own earlier bodies too.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1WS().Join("alice", room.Channel, "hers")
			alice.SeeOff()
			his := room.visitV1WS("bob", "his").bodies(room.Channel)
			again := t.DialV1WS().Join("alice", room.Channel, "")
			again.ExpectBody(alice.Body("hers"))
			again.ExpectBody(his...)
		},
	}, {
		ID: "v1ws/history/join-notice", Section: section, Needs: V1WS,
		Says: "An empty first body is in the history: who comes later learns who was there.",
		Run: func(t *T) {
			room := t.Room()
			said := room.visitV1WS("alice")
			said = said.and(room.visitV1WS("bob"))
			bob := t.DialV1WS().Join("carol", room.Channel, "")
			bob.ExpectBody(said.bodies(room.Channel)...)
		},
	}, {
		ID: "v1ws/history/seam", Section: section, Needs: V1WS,
		Says: "Who joins while another sends 80 bodies gets each once and in order, whether from the history or live.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1WS().Join("alice", room.Channel, "")
			sent, bob := []string{alice.Body("")}, t.DialV1WS()
			var seat *V1WSSeat
			for i := range 80 {
				if i == 40 {
					seat = bob.Join("bob", room.Channel, "")
				}
				sent = append(sent, alice.Say(fmt.Sprintf("message %d", i)))
			}
			bob.ExpectBody(sent...)
			alice.ExpectBody(seat.Body(""))
		},
	}, {
		ID: "v1ws/history/newest-kept", Section: section, Needs: V1WS,
		Says: "Of 300 bodies a joiner gets the newest, however many are kept, without a gap and in order.",
		Run: func(t *T) {
			room := t.Room()
			sent := room.visitV1WS("alice", inOrder(300)...).bodies(room.Channel)
			bob := t.DialV1WS().Join("bob", room.Channel, "")
			bob.in.peek(t.remaining()) // it is in: what comes now comes after it
			got := bob.bodiesUntil(room.visitV1WS("carol", "the end").bodies(room.Channel)[1])
			got = got[:max(0, len(got)-1)] // but for carol's join
			if len(got) == 0 || len(got) > len(sent) {
				t.Fatalf("bob got %d bodies of %d", len(got), len(sent))
			}
			expectEqual(t, "bob", got, sent[len(sent)-len(got):])
		},
	}, {
		ID: "v1ws/history/limit", Section: limits, Needs: V1WS, Level: Should,
		Says: "A channel keeps its last 200 bodies unless the operator says otherwise.",
		Run: func(t *T) {
			room := t.Room()
			sent := room.visitV1WS("alice", inOrder(205)...).bodies(room.Channel)
			t.DialV1WS().Join("bob", room.Channel, "").ExpectBody(sent[len(sent)-200:]...)
		},
	}, {
		ID: "v1ws/history/joins-replaced", Section: limits, Needs: V1WS, Level: Should,
		Says: "Of an empty body that comes again under the same uid the history keeps the newer.",
		Run: func(t *T) {
			room := t.Room()
			room.visitV1WS("alice")
			between := room.visitV1WS("bob", "between")
			again := room.visitV1WS("alice")
			room.hasWS(between.and(again))
		},
	}, {
		ID: "v1ws/history/joins-do-not-push-out", Section: limits, Needs: V1WS, Level: Should,
		Says: "A thousand empty bodies under different uids do not push a message out of the history.",
		Run: func(t *T) {
			room := t.Room()
			kept := room.visitV1WS("bob", "do not forget me").bodies(room.Channel)[1]
			flapping := t.DialV1WS().Join("flapping", room.Channel, "")
			for _, uid := range inTurn("device", 1000) {
				flapping.SendBody(string(Map3(uid, room.Channel, "")))
			}
			flapping.SeeOff()
			alice := t.DialV1WS().Join("alice", room.Channel, "")
			end := room.visitV1WS("zoe", "the end").bodies(room.Channel)[1]
			if got := alice.bodiesUntil(end); !slices.Contains(got, kept) {
				t.Fatalf("alice got %d bodies; want that of bob among them", len(got))
			}
		},
	}}
}
