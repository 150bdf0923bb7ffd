package conformance

import (
	"bytes"
	"fmt"
	"slices"
)

func bridgeHistoryCases() []Case {
	const section = "bridge/mapping.md#history"
	return []Case{{
		ID: "bridge/history/mixed", Section: section, Needs: V1 | V2,
		Says: "One history holds what members of both dialects did, and a joiner of either gets all of it in the order in which it came.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "one", "two")
			history = history.and(room.visitV2("bob", heardText("three"), heardBinary("four")))
			history = history.and(room.visitV1("carol", "five"))
			history = history.and(room.visitV2("dave", heardBinary("six"), heardText("")))
			history = history.and(room.visitV1("erin"))
			room.hasV2(room.hasV1(history))
		},
	}, {
		ID: "bridge/history/own", Section: "bridge/mapping.md#order-and-the-seam", Needs: V1 | V2, Conns: 5,
		Says: "Who comes back gets its own earlier messages between those of the other dialect, also if it comes back in the other dialect.",
		Run: func(t *T) {
			room := t.Room()
			room.visitV1("alice", "hers")
			room.visitV2("bob", heardText("his"))
			alice, bob, alsoAlice, alsoBob := t.DialV1(), t.DialV2(), t.DialV2(), t.DialV1()
			alice.Join("alice", room.Channel, "")
			bob.Hello("bob", room.Channel)
			alsoAlice.Hello("alice", room.Channel)
			alsoBob.Join("bob", room.Channel, "")
			room.visitV1("zoe", "the end")
			for _, got := range [][]string{alice.saidUntil("the end"), bob.saidUntil("the end"), alsoAlice.saidUntil("the end"), alsoBob.saidUntil("the end")} {
				if !slices.Equal(got, []string{"hers", "his"}) {
					t.Fatalf("one of them got %q; want what alice said and what bob said", got)
				}
			}
		},
	}, {
		ID: "bridge/history/both-limits-of-200", Section: section, Level: Should, Needs: V1 | V2,
		Says: "A channel keeps its last 200 events of both dialects together, unless the operator says otherwise.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", inTurn("alice", 103)...).and(room.visitV2("bob", bothKinds(inTurn("bob", 99))...))
			history = room.hasV1(history.newest(200))
			room.hasV2(history.newest(200))
		},
	}, {
		ID: "bridge/history/one-limit", Section: section, Needs: V1 | V2,
		Says: "One limit holds for both dialects together: of more events than are kept, a joiner of either gets as many of the newest, without a gap.",
		Run:  oneLimit,
	}, {
		ID: "bridge/history/joins-do-not-push-out", Section: section, Level: Should, Needs: V1 | V2,
		Says: "A thousand empty v1 messages of different uids do not push a v2 message out of the history.",
		Run: func(t *T) {
			room := t.Room()
			said := room.visitV2("bob", heardText("do not forget me"))
			peer := t.DialV1()
			peer.Join("peer", room.Channel, "")
			for _, uid := range inTurn("client", 1000) {
				peer.Send(peer.Frame(uid, room.Channel, ""))
			}
			peer.SeeOff()
			alice, carol := t.DialV1(), t.DialV2()
			alice.Join("alice", room.Channel, "")
			carol.Hello("carol", room.Channel)
			room.visitV1("zoe", "the end")
			if got := alice.saidUntil("the end"); !slices.Equal(got, []string{"do not forget me"}) {
				t.Fatalf("alice got %q; want the message of bob", got)
			}
			if got := carol.nextMessage(); got != said.messages()[0] {
				t.Fatalf("carol got %q; want the message of bob", got)
			}
		},
	}, {
		ID: "bridge/history/same-order", Section: "bridge/mapping.md#order-and-the-seam", Needs: V1 | V2,
		Says: "Messages of a v1 and a v2 member that send at the same time have one order in the history: a joiner of either dialect gets the same.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := t.DialV1(), t.DialV2()
			alice.Join("alice", room.Channel, "")
			bob.Hello("bob", room.Channel)
			for i := range 60 {
				alice.Say(fmt.Sprintf("alice %d", i))
				bob.SendText(fmt.Sprintf("bob %d", i))
			}
			alice.SeeOff()
			bob.SeeOff()
			carol, dave := t.DialV1(), t.DialV2()
			carol.Join("carol", room.Channel, "")
			dave.Hello("dave", room.Channel)
			room.visitV1("zoe", "the end")
			onV1, onV2 := carol.saidUntil("the end"), dave.saidUntil("the end")
			if len(onV1) != 120 || !slices.Equal(onV1, onV2) {
				t.Fatalf("carol got %d messages and dave %d; want 120 each, in the same order", len(onV1), len(onV2))
			}
		},
	}}
}

// oneLimit finds how many events the target keeps for v1 joiners, and holds it to
// that number for v2 joiners.
func oneLimit(t *T) {
	room := t.Room()
	var all told
	for i := range 4 {
		all = all.and(room.visitV1(fmt.Sprintf("alice-%d", i), inTurn("of v1", 60)...))
		all = all.and(room.visitV2(fmt.Sprintf("bob-%d", i), bothKinds(inTurn("of v2", 60))...))
	}
	carol := t.DialV1()
	entered := carol.enters("carol", room.Channel)
	first := carol.Next() // so it is in
	end := room.visitV1("zoe", "the end")
	got := [][]byte{first}
	for f := carol.Next(); !bytes.Equal(f, end.v1[0]); f = carol.Next() {
		got = append(got, f)
	}
	kept := len(got)
	if kept >= len(all.v1) {
		t.NotRunf("the target keeps %d events or more", kept)
	}
	for i, want := range all.newest(kept).v1 {
		if !bytes.Equal(got[i], want) {
			t.Fatalf("frame %d of carol's history of %d is %s; want %s", i+1, kept, meaningV1(got[i]), meaningV1(want))
		}
	}
	t.Logf("the target keeps %d events", kept)
	all = all.and(entered).and(end)
	room.hasV2(all.newest(kept))
}
