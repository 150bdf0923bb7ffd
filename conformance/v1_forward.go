package conformance

import (
	"bytes"
	"strings"
)

func v1ForwardCases() []Case {
	return []Case{{
		ID: "v1/forward/to-all-others", Section: "v1/spec.md#session", Needs: V1, Conns: 6,
		Says: "What a member sends reaches each of five others once, byte for byte, and does not come back to it.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.V1("alice")
			var others []*V1Conn
			for _, uid := range []string{"bob", "carol", "dave", "erin", "frank"} {
				others = append(others, room.V1(uid))
			}
			hello := alice.Say("hello, all")
			for _, c := range others {
				c.ExpectFrame(hello)
			}
			room.Quiet()
		},
	}, {
		ID: "v1/forward/to-twenty", Section: "v1/spec.md#session", Needs: V1, Conns: 21,
		Says: "What one of twenty-one members of a channel sends before it leaves reaches the twenty others.",
		Run: func(t *T) {
			room := t.Room()
			first := room.VisitV1("zoe")[0]
			var members []*V1Conn
			for _, uid := range numbered(21, "") {
				c := t.DialV1()
				c.Join(uid, room.Channel, "")
				c.ExpectFrame(first) // the history: it is in
				members = append(members, c)
			}
			hello := members[0].Say("hello, all")
			goodbye := members[0].Say("goodbye, all")
			members[0].SeeOff()
			for _, c := range members[1:] {
				c.Until(hello)
				c.ExpectFrame(goodbye)
			}
		},
	}, {
		ID: "v1/forward/not-back", Section: "v1/spec.md#session", Needs: V1,
		Says: "What a member sends does not come back to it: the next thing that it gets is what another one sends.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			bob.ExpectFrame(alice.Say("one"), alice.Say("two"))
			alice.ExpectFrame(bob.Say("three"))
		},
	}, {
		ID: "v1/forward/empty-message", Section: "v1/spec.md#session", Needs: V1,
		Says: "A later frame with an empty message is forwarded like any other: peers send one for each of their clients.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			bob.ExpectFrame(alice.Say(""))
			room.Quiet()
		},
	}, {
		ID: "v1/forward/any-bytes", Section: "v1/spec.md#body", Needs: V1,
		Says: "A message of all 256 bytes, and one that looks like a frame, are forwarded byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			var all [256]byte
			for i := range all {
				all[i] = byte(i)
			}
			bob.ExpectFrame(alice.Say(string(all[:])))
			bob.ExpectFrame(alice.Say(string(alice.Msg("a frame in a frame"))))
			room.Quiet()
		},
	}, {
		ID: "v1/forward/key-field-free", Section: "v1/spec.md#session", Needs: V1,
		Says: "Later frames with sequence numbers in the key field, 0 among them, are forwarded byte for byte: no key is looked at after the first.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			cid := uint32(alice.Key("alice", room.Channel))
			for _, number := range []uint64{0, 1, 2, 2, 1<<64 - 1} {
				frame := Frame(cid, number, Map3("alice", room.Channel, "numbered"))
				alice.Send(frame)
				bob.ExpectFrame(frame)
			}
			room.Quiet()
		},
	}, {
		ID: "v1/forward/cid-field-free", Section: "v1/spec.md#session", Needs: V1,
		Says: "Later frames with any CID are forwarded byte for byte to all others, also to the one whose own CID it is.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			for _, cid := range []uint32{0, uint32(bob.Key("bob", room.Channel)), newCID()} {
				frame := Frame(cid, alice.Key("alice", room.Channel), Map3("alice", room.Channel, "under another CID"))
				alice.Send(frame)
				bob.ExpectFrame(frame)
				carol.ExpectFrame(frame)
			}
			room.Quiet()
		},
	}, {
		ID: "v1/forward/other-uid", Section: "v1/spec.md#session", Needs: V1,
		Says: "A later frame that names another uid, one that is present, is forwarded byte for byte to all others, that one included.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			frame := alice.Frame("bob", room.Channel, "on behalf of bob")
			alice.Send(frame)
			bob.ExpectFrame(frame)
			carol.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "v1/forward/other-channel", Section: "v1/spec.md#session", Needs: V1, Conns: 5,
		Says: "A later frame that names another channel goes to the channel of its connection, byte for byte, and not to the one that it names.",
		Run: func(t *T) {
			room, other := t.Room(), t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			carol := other.V1("carol")
			other.V1("dave")
			frame := alice.Frame("alice", other.Channel, "where am I?")
			alice.Send(frame)
			bob.ExpectFrame(frame)
			after := alice.Say("still here")
			bob.ExpectFrame(after)
			other.Quiet()
			other.heardNothing(carol)
			room.Quiet()
		},
	}, {
		ID: "v1/forward/lenient-bodies", Section: "v1/spec.md#errors", Needs: V1,
		Says: "Later frames with bodies in each of the forms that join, none of them canonical but one, are forwarded byte for byte and not encoded anew.",
		Run: func(t *T) {
			v1ForwardsBodies(t, v1Taken())
		},
	}, {
		ID: "v1/forward/undecodable-bodies", Section: "v1/spec.md#errors", Needs: V1,
		Says: "Later frames with each of the bodies that do not decode are forwarded byte for byte, and their sender stays.",
		Run: func(t *T) {
			v1ForwardsBodies(t, v1Refused())
		},
	}, {
		ID: "v1/forward/long-uid", Section: "v1/spec.md#errors", Needs: V1,
		Says: "A later frame with a uid of 1,025 bytes is forwarded byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			frame := alice.Frame(strings.Repeat("u", 1025), room.Channel, "hello")
			alice.Send(frame)
			bob.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "v1/order/one-sender", Section: "v1/spec.md#session", Needs: V1,
		Says: "A thousand messages of one sender reach two receivers in their order, each once.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			var frames [][]byte
			for _, m := range numbered(1000, "") {
				frames = append(frames, alice.Say(m))
			}
			bob.ExpectFrame(frames...)
			carol.ExpectFrame(frames...)
			room.Quiet()
		},
	}, {
		ID: "v1/order/sizes", Section: "v1/spec.md#session", Needs: V1,
		Says: "Short messages between long ones, of up to 256 KiB, do not overtake them.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			var frames [][]byte
			for i, m := range numbered(40, "") {
				frames = append(frames, alice.Say(m+strings.Repeat("-", i%4*(i%4)<<15)))
			}
			bob.ExpectFrame(frames...)
			room.Quiet()
		},
	}, {
		ID: "v1/order/two-senders", Section: "v1/spec.md#session", Needs: V1,
		Says: "Of two members that send at the same time, everybody gets the messages of each in their order, each once; they get only those of the other.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			var ofAlice, ofBob [][]byte
			for _, m := range numbered(300, "") {
				ofAlice = append(ofAlice, alice.Say(m))
				ofBob = append(ofBob, bob.Say(m))
			}
			alice.ExpectFrame(ofBob...)
			bob.ExpectFrame(ofAlice...)
			carol.expectMerged(ofAlice, ofBob)
			room.Quiet()
		},
	}}
}

// v1ForwardsBodies sends each body in a later frame.
func v1ForwardsBodies(t *T, bodies []v1Body) {
	room := t.Room()
	alice, bob := room.V1("alice"), room.V1("bob")
	var frames [][]byte
	for i, b := range bodies {
		frame := Frame(uint32(i), 0, []byte(b.body(room.Channel)))
		frames = append(frames, frame)
		alice.Send(frame)
	}
	bob.ExpectFrame(frames...)
	room.Quiet()
}

// expectMerged wants the frames of two senders next: those of each in their
// order, one sender's between the other's in any way.
func (c *V1Conn) expectMerged(a, b [][]byte) {
	for len(a)+len(b) > 0 {
		got := c.Next()
		switch {
		case len(a) > 0 && bytes.Equal(got, a[0]):
			a = a[1:]
		case len(b) > 0 && bytes.Equal(got, b[0]):
			b = b[1:]
		default:
			c.t.Fatalf("%s got %s; want the next frame of either sender (%d and %d are to come)", c.name.String(), meaningV1(got), len(a), len(b))
		}
	}
}
