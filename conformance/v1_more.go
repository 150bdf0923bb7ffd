package conformance

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// v1MoreCases are what broken servers got past the other cases with.
func v1MoreCases() []Case {
	return []Case{{
		ID: "v1/join/cid-all-bits", Section: "v1/spec.md#session", Needs: V1, Conns: 6,
		Says: "CIDs that differ in one bit, the highest, the lowest or one between, are different: all join.",
		Run: func(t *T) {
			room := t.Room()
			bob, cid := room.Host("bob"), newCID()
			for i, other := range []uint32{cid, cid ^ 1<<31, cid ^ 1<<16, cid ^ 1} {
				c := t.DialV1()
				bob.ExpectFrame(c.JoinAs(other, fmt.Sprintf("alice %d", i), room.Channel, ""))
				room.Meet(c)
			}
			room.Quiet()
		},
	}, {
		ID: "v1/join/same-cid-at-once", Section: "v1/spec.md#session", Needs: V1, Conns: 8,
		Says: "Of five connections that come with the same CID at the same moment one joins; the others are closed, and nobody gets anything of them.",
		Run: func(t *T) {
			room := t.Room()
			bob, cid := room.Host("bob"), newCID()
			var all []*V1Conn
			for range 5 {
				all = append(all, t.DialV1())
			}
			var frames [][]byte
			for i, c := range all {
				frames = append(frames, c.JoinAs(cid, fmt.Sprintf("alice %d", i), room.Channel, ""))
			}
			joined := bob.Next()
			at := slices.IndexFunc(frames, func(f []byte) bool { return bytes.Equal(f, joined) })
			if at < 0 {
				t.Fatalf("bob got %s; want one of the five first frames", meaningV1(joined))
			}
			t.SetPatience(t.Patience() + gatewayProbe)
			for i, c := range all {
				if i != at {
					if left := c.Drain(); len(left) > 1 {
						t.Fatalf("alice %d got %d frames and was then closed; want at most the history", i, len(left))
					}
				}
			}
			bob.ExpectFrame(all[at].Say("it was me"))
			room.heardNothing(bob)
		},
	}, {
		ID: "v1/join/same-cid-elsewhere-leaves", Section: "v1/spec.md#session", Needs: V1,
		Says: "When a connection with the same CID leaves another channel, the CID stays taken in this one.",
		Run: func(t *T) {
			room, other := t.Room(), t.Room()
			bob, alice, cid := room.Host("bob"), t.DialV1(), newCID()
			bob.ExpectFrame(alice.JoinAs(cid, "alice", room.Channel, ""))
			history := other.VisitV1("carol", "hello")
			elsewhere := t.DialV1()
			elsewhere.JoinAs(cid, "alice", other.Channel, "")
			elsewhere.ExpectFrame(history...)
			elsewhere.SeeOff()
			twin := t.DialV1()
			twin.JoinAs(cid, "twin", room.Channel, "me too")
			t.SetPatience(t.Patience() + gatewayProbe)
			twin.ExpectClosed()
			room.heardNothing(bob)
		},
	}, {
		ID: "v1/join/large", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame with a message of 1 MiB joins, is forwarded byte for byte, and its sender gets the history like anybody.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("zoe", "hello")
			bob, alice := t.DialV1(), t.DialV1()
			history = append(history, bob.Join("bob", room.Channel, ""))
			bob.ExpectFrame(history[:2]...)
			bob.ExpectFrame(alice.Join("alice", room.Channel, strings.Repeat("1 MiB ...", 1<<20/9)))
			alice.ExpectFrame(history...)
			room.heardNothing(bob)
		},
	}, {
		ID: "v1/forward/ends-kept", Section: "v1/spec.md#session", Needs: V1,
		Says: "White space and NUL at either end of a message belong to it: the frames are forwarded byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			for _, m := range []string{"\n", "line\n", "line\r\n", " spaced ", "\x00NUL\x00"} {
				bob.ExpectFrame(alice.Say(m))
			}
			room.Quiet()
		},
	}, {
		ID: "v1/resync/form-numbers", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg that has arrays of small integers for its frames joins by the first frame in it, and those are forwarded.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
			memory := peer.memory()[:2]
			body := Cat([]byte("\xa1\x6eresync_message\x82"), []byte("\xa1\x6bencoded_msg"), numbers(memory[0]), []byte("\xa1\x6bencoded_msg"), numbers(memory[1]))
			peer.Send(Frame(1, 2, body))
			bob.ExpectFrame(memory...)
			room.Meet(peer.V1Conn)
		},
	}}
}

// numbers is a CBOR array of the bytes as integers.
func numbers(b []byte) []byte {
	a := Head(MajorArray, uint64(len(b)))
	for _, c := range b {
		a = append(a, Head(MajorUint, uint64(c))...)
	}
	return a
}
