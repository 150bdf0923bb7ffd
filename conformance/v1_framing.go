package conformance

import (
	"strings"
	"time"
)

func v1FramingCases() []Case {
	return []Case{{
		ID: "v1/framing/byte-by-byte", Section: "v1/spec.md#frame", Needs: V1,
		Says: "A frame that comes byte by byte is forwarded like any other, as one frame and byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			frame := alice.Msg("slow but sure")
			alice.SendIn(1, frame)
			bob.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "v1/framing/first-byte-by-byte", Section: "v1/spec.md#frame", Needs: V1,
		Says: "A first frame that comes byte by byte joins, and is forwarded as one frame and byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			alice.UID, alice.Channel = "alice", room.Channel
			join := alice.Msg("step by step")
			alice.SendIn(1, join)
			bob.ExpectFrame(join)
			room.Meet(alice)
		},
	}, {
		ID: "v1/framing/all-in-one-segment", Section: "v1/spec.md#frame", Needs: V1,
		Says: "A first frame and three later ones in one segment join and are forwarded as four frames, in order.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			alice.UID, alice.Channel = "alice", room.Channel
			frames := [][]byte{alice.Msg(""), alice.Msg("one"), alice.Msg("two"), alice.Msg("three")}
			alice.Send(frames...)
			bob.ExpectFrame(frames...)
			room.Meet(alice)
		},
	}, {
		ID: "v1/framing/many-in-one-segment", Section: "v1/spec.md#frame", Needs: V1,
		Says: "A hundred later frames in one segment, and the last of them cut off until the next, are forwarded one by one.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			var frames [][]byte
			for _, m := range numbered(100, "") {
				frames = append(frames, alice.Msg(m))
			}
			all := Cat(frames...)
			alice.Send(all[:len(all)-5])
			bob.ExpectFrame(frames[:99]...)
			alice.Send(all[len(all)-5:])
			bob.ExpectFrame(frames[99])
			room.Quiet()
		},
	},
		v1CutAt("header", 7),
		v1CutAt("seam", 16),
		v1CutAt("body", 21),
		{
			ID: "v1/framing/message-sizes", Section: "v1/spec.md#body", Needs: V1,
			Says: "Messages whose CBOR length takes 0, 1, 2 and 4 bytes, at both ends of each range, are forwarded byte for byte.",
			Run: func(t *T) {
				room := t.Room()
				alice, bob := room.V1("alice"), room.V1("bob")
				for _, n := range []int{1, 23, 24, 255, 256, 65_535, 65_536, 300_000} {
					bob.ExpectFrame(alice.Say(strings.Repeat("m", n)))
				}
				room.Quiet()
			},
		}, {
			ID: "v1/framing/shortest", Section: "v1/spec.md#frame", Needs: V1,
			Says: "A later frame with a body of one byte, the shortest there is, is forwarded byte for byte.",
			Run: func(t *T) {
				room := t.Room()
				alice, bob := room.V1("alice"), room.V1("bob")
				shortest := Frame(0, 0, []byte{0x00})
				alice.Send(shortest)
				bob.ExpectFrame(shortest)
				room.Quiet()
			},
		}, {
			ID: "v1/framing/longest", Section: "v1/spec.md#frame", Needs: V1, Deadline: longDeadline,
			Says: "A frame whose body has 0xffffff bytes, the longest there is, is forwarded byte for byte.",
			Run: func(t *T) {
				t.SetPatience(longDeadline)
				room := t.Room()
				alice, bob := room.V1("alice"), room.V1("bob")
				longest := alice.Msg(strings.Repeat("m", 0xffffff-len(Map3("alice", room.Channel, ""))-4))
				if len(longest) != 16+0xffffff {
					t.Fatalf("the case is wrong: its frame has %d bytes", len(longest))
				}
				alice.Send(longest)
				bob.ExpectFrame(longest)
				room.Quiet()
			},
		}}
}

// longDeadline is for cases that move 16 MiB and more, beside other cases.
const longDeadline = 20 * time.Second

// v1CutAt is a frame of which the first n bytes come, then nothing for as long as
// the others talk, then the rest.
func v1CutAt(where string, n int) Case {
	return Case{
		ID: "v1/framing/cut-at-" + where, Section: "v1/spec.md#frame", Needs: V1,
		Says: "While a frame has come only in part, its sender gets what others send, and they get the frame whole once the rest has come.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			frame := alice.Msg("in two pieces")
			alice.Send(frame[:n])
			// Several times, as the first may be quicker than the piece of a frame.
			for range 5 {
				meanwhile := bob.Say("meanwhile")
				alice.ExpectFrame(meanwhile)
				carol.ExpectFrame(meanwhile)
			}
			alice.Send(frame[n:])
			bob.ExpectFrame(frame)
			carol.ExpectFrame(frame)
			room.Quiet()
		},
	}
}
