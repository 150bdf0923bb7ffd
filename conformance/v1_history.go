package conformance

import (
	"bytes"
	"slices"
	"strings"
)

func v1HistoryCases() []Case {
	return []Case{{
		ID: "v1/history/several-senders", Section: "v1/spec.md#session", Needs: V1,
		Says: "The history holds the joins and messages of several senders in the order in which they came.",
		Run: func(t *T) {
			room := t.Room()
			var history [][]byte
			for _, uid := range []string{"alice", "bob", "carol"} {
				history = append(history, room.VisitV1(uid, "I am "+uid, "and go")...)
			}
			v1HasHistory(room, history)
		},
	}, {
		ID: "v1/history/for-everybody", Section: "v1/spec.md#session", Needs: V1,
		Says: "Each of three who join one after the other is sent the whole history, once.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("alice", "one", "two")
			for _, uid := range []string{"bob", "carol", "dave"} {
				c := t.DialV1()
				join := c.Join(uid, room.Channel, "")
				c.ExpectFrame(history...)
				history = append(history, join)
				history = append(history, room.VisitV1("after-"+uid)...)
				c.ExpectFrame(history[len(history)-1])
			}
		},
	}, {
		ID: "v1/history/same-again", Section: "v1/spec.md#session", Needs: V1,
		Says: "Three frames that are alike to the last byte are forwarded three times, the first being a join, and stand in the history three times.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("alice", "again", "again", "again")
			bob, carol := t.DialV1(), t.DialV1()
			history = append(history, bob.Join("bob", room.Channel, ""))
			bob.ExpectFrame(history[:4]...)
			live := [][]byte{carol.Join("carol", room.Channel, "again")}
			live = append(live, live[0], live[0])
			carol.Send(live[1:]...)
			bob.ExpectFrame(live...)
			carol.SeeOff()
			v1HasHistory(room, append(history, live...))
		},
	}, {
		ID: "v1/history/headers-as-they-came", Section: "v1/spec.md#session", Needs: V1,
		Says: "Frames in the history have the CID and key that they came with, whatever these were.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1()
			history := [][]byte{alice.JoinAs(newCID(), "alice", room.Channel, "")}
			for number := range uint64(3) {
				history = append(history, Frame(0xfeedf00d, number, Map3("alice", room.Channel, "numbered")))
			}
			alice.Send(history[1:]...)
			alice.SeeOff()
			v1HasHistory(room, history)
		},
	}, {
		ID: "v1/history/bodies-as-they-came", Section: "v1/spec.md#session", Needs: V1,
		Says: "Frames in the history are byte for byte as they came: first and later ones with bodies that are not canonical, that do not decode, or that name another channel.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV1()
			history := [][]byte{alice.JoinWith("alice", room.Channel, []byte("\xbf"+messageHi+uidAlice+inChannel(room.Channel)+"\xff"))}
			for _, body := range []string{
				"\x83\x65alice" + string(Text(room.Channel)) + "\x62hi",
				"\xa2" + uidAlice + messageHi,
				"\xa3" + uidAlice + inChannel("elsewhere") + messageHi,
				"\xff",
			} {
				history = append(history, Frame(1, 2, []byte(body)))
			}
			alice.Send(history[1:]...)
			alice.SeeOff()
			v1HasHistory(room, history)
		},
	}, {
		ID: "v1/history/large-frames", Section: "v1/spec.md#session", Needs: V1,
		Says: "A history of forty frames of 20 KB is sent whole and in order.",
		Run: func(t *T) {
			room := t.Room()
			v1HasHistory(room, room.VisitV1("alice", numbered(40, strings.Repeat(".", 20_000))...))
		},
	}, {
		ID: "v1/history/four-megabytes", Section: "v1/spec.md#session", Needs: V1,
		Says: "A frame of 4 MB is in the history, whole, with those before and after it.",
		Run: func(t *T) {
			room := t.Room()
			v1HasHistory(room, room.VisitV1("alice", "before", strings.Repeat(".", 4_000_000), "after"))
		},
	}, {
		ID: "v1/history/seam", Section: "v1/spec.md#session", Needs: V1, Conns: 5,
		Says: "Who joins while another sends gets each of its frames once and in order: nothing is lost or doubled between history and what is new.",
		Run: func(t *T) {
			for range 4 {
				v1Seam(t)
			}
		},
	}, {
		ID: "v1/history/wrong-key-not-stored", Section: "v1/spec.md#session", Needs: V1,
		Says: "Of a connection with a wrong key nothing is in the history, neither its first frame nor those behind it.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("alice", "hello")
			mallory := t.DialV1()
			key := mallory.Key("mallory", room.Channel)
			mallory.Send(Frame(uint32(key), key+1, Map3("mallory", room.Channel, "")), mallory.Frame("mallory", room.Channel, "hello, too"))
			mallory.ExpectClosed()
			v1HasHistory(room, history)
		},
	}, {
		ID: "v1/history/limit", Section: "v1/spec.md#session", Needs: V1,
		Says: "After more frames than it keeps, the history is the newest of them, oldest first, without gaps; and it is as many again after some more, joins counted.",
		Run:  v1HistoryLimit,
	}, {
		ID: "v1/history/joins-do-not-push-out", Section: "bridge/mapping.md#history", Level: Should, Needs: V1,
		Says: "A thousand empty messages of different uids, as many clients behind a peer send them, do not push a message out of the history.",
		Run: func(t *T) {
			room := t.Room()
			kept := room.VisitV1("alice", "do not forget me")[1]
			peer := t.DialV1()
			peer.Join("peer", room.Channel, "")
			for _, uid := range numbered(1000, "") {
				peer.Send(peer.Frame(uid, room.Channel, ""))
			}
			peer.SeeOff()
			bob := t.DialV1()
			bob.Join("bob", room.Channel, "")
			bob.in.peek(t.remaining()) // he is in: what comes now comes after the history
			history := bob.Until(room.VisitV1("zoe")[0])
			if !slices.ContainsFunc(history, func(f []byte) bool { return bytes.Equal(f, kept) }) {
				t.Fatalf("the history of %d frames lacks the message of alice", len(history))
			}
		},
	}}
}

// v1Seam lets three join while alice sends. All frames together are fewer than
// mles 1.1.7 keeps, which is 100.
func v1Seam(t *T) {
	room := t.Room()
	alice := t.DialV1()
	ofAlice := [][]byte{alice.Join("alice", room.Channel, "")}
	var joiners []*V1Conn
	for i, m := range numbered(80, "") {
		if i%20 == 10 && len(joiners) < 3 {
			c := t.DialV1()
			c.Join("joiner-"+m[:2], room.Channel, "")
			joiners = append(joiners, c)
		}
		ofAlice = append(ofAlice, alice.Say(m))
	}
	for _, c := range joiners {
		var others [][]byte
		for _, other := range joiners {
			if other != c {
				others = append(others, other.Msg(""))
			}
		}
		left := ofAlice
		for len(left)+len(others) > 0 {
			got := c.Next()
			at := slices.IndexFunc(others, func(f []byte) bool { return bytes.Equal(f, got) })
			switch {
			case at >= 0:
				others = slices.Delete(others, at, at+1)
			case len(left) > 0 && bytes.Equal(got, left[0]):
				left = left[1:]
			default:
				t.Fatalf("%s got %s; %d frames of alice are to come, in order", c.name.String(), meaningV1(got), len(left))
			}
		}
	}
	visit := room.VisitV1("zoe")
	for _, c := range joiners {
		c.ExpectFrame(visit...)
	}
	alice.Close()
	for _, c := range joiners {
		c.Close()
	}
}

// v1HistoryLimit finds how many frames the target keeps, which its
// operator may have chosen, and then holds it to that number.
func v1HistoryLimit(t *T) {
	const sent = 1000
	room := t.Room()
	all := room.VisitV1("alice", numbered(sent, "")...)
	kept := 0
	for _, uid := range []string{"bob", "carol"} {
		c := t.DialV1()
		join := c.Join(uid, room.Channel, "")
		c.in.peek(t.remaining()) // it is in: what comes now comes after it
		visit := room.VisitV1("after-"+uid, "one more")
		got := c.Until(visit[0])
		switch {
		case len(got) == 0:
			t.NotRunf("the target keeps no history")
		case len(got) > sent:
			t.NotRunf("the target keeps more than %d frames", sent)
		case kept != 0 && len(got) != kept:
			t.Fatalf("%s was sent %d frames of history; want %d, as the one before it", uid, len(got), kept)
		}
		kept = len(got)
		for i, want := range all[len(all)-kept:] {
			if !bytes.Equal(got[i], want) {
				t.Fatalf("frame %d of %s's history is %s; want %s", i+1, uid, meaningV1(got[i]), meaningV1(want))
			}
		}
		all = append(append(all, join), visit...)
	}
	t.Logf("the target keeps %d frames", kept)
}
