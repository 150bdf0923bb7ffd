package conformance

import (
	"crypto/rand"
	"encoding/binary"
)

// v1FaultCases are frames that are none, and frames that do not come to their end.
func v1FaultCases() []Case {
	return []Case{
		v1BadFirst("m", "m, in lower case"),
		v1BadFirst("zero", "0x00"),
		v1BadFirst("high-bit", "0xcd, M with its highest bit set"),
		{
			ID: "v1/framing/bad-magic-later", Section: "v1/spec.md#errors", Needs: V1,
			Says: "A later frame that does not begin with M closes its connection without a word; the frames before it count, it reaches nobody.",
			Run: func(t *T) {
				v1BadLater(t, func(alice *V1Conn) []byte {
					bad := alice.Msg("bad")
					bad[0] = 'm'
					return bad
				})
			},
		}, {
			ID: "v1/framing/zero-length-first", Section: "v1/spec.md#errors", Needs: V1,
			Says: "A first frame of length 0 closes the connection without a word, even under the key over two empty names.",
			Run: func(t *T) {
				room := t.Room()
				bob, mallory := room.Host("bob"), t.DialV1()
				mallory.Send(Frame(newCID(), mallory.Key("", ""), nil))
				mallory.ExpectClosed()
				room.heardNothing(bob)
			},
		}, {
			ID: "v1/framing/zero-length-later", Section: "v1/spec.md#errors", Needs: V1,
			Says: "A later frame of length 0 closes its connection without a word; the frames before it count, it reaches nobody.",
			Run: func(t *T) {
				v1BadLater(t, func(alice *V1Conn) []byte {
					key := alice.Key("alice", alice.Channel)
					return Frame(uint32(key), key, nil)
				})
			},
		}, {
			ID: "v1/framing/bad-frame-not-stored", Section: "v1/spec.md#errors", Needs: V1,
			Says: "Of a connection that sends a good frame and then one that does not begin with M, the history has the good one and nothing after it.",
			Run: func(t *T) {
				room := t.Room()
				alice := t.DialV1()
				history := [][]byte{alice.Join("alice", room.Channel, ""), alice.Say("good")}
				bad := alice.Msg("bad")
				bad[0] = 'N'
				alice.Send(bad, alice.Msg("after it"))
				alice.ExpectClosed()
				v1HasHistory(room, history)
			},
		},
		v1Truncated("header", "its header", func(frame []byte) []byte { return frame[:15] }),
		v1Truncated("body", "its body, a byte before the end", func(frame []byte) []byte { return frame[:len(frame)-1] }),
		v1Truncated("announced", "a body of 16 MiB, of which ten bytes came", func([]byte) []byte {
			return HeaderAndBody(0xffffff, 1, 2, []byte("ten bytes."))
		}),
		{
			ID: "v1/framing/truncated-first", Section: "v1/spec.md#errors", Needs: V1,
			Says: "A connection that ends a byte before the end of its first frame is closed without a word, and reaches nobody, now or later.",
			Run: func(t *T) {
				room := t.Room()
				history := room.VisitV1("bob", "hello")
				mallory := t.DialV1()
				first := mallory.Frame("mallory", room.Channel, "cut off")
				mallory.Send(first[:len(first)-1])
				mallory.CloseWrite()
				mallory.ExpectClosed()
				v1HasHistory(room, history)
			},
		}}
}

// v1BadFirst is a first frame with another first byte.
func v1BadFirst(name, first string) Case {
	return Case{
		ID: "v1/framing/bad-magic-first-" + name, Section: "v1/spec.md#errors", Needs: V1,
		Says: "A first frame that begins with " + first + " instead of M closes the connection without a word and reaches nobody.",
		Run: func(t *T) {
			room := t.Room()
			bob, mallory := room.Host("bob"), t.DialV1()
			join := mallory.Frame("mallory", room.Channel, "nearly right")
			join[0] = map[string]byte{"m": 'm', "zero": 0, "high-bit": 'M' | 0x80}[name]
			mallory.Send(join)
			mallory.ExpectClosed()
			room.heardNothing(bob)
		},
	}
}

// v1BadLater has alice send good frames and a bad one, in one segment.
func v1BadLater(t *T, bad func(alice *V1Conn) []byte) {
	room := t.Room()
	alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
	one, two := alice.Msg("good"), alice.Msg("good, too")
	alice.Send(one, two, bad(alice))
	bob.ExpectFrame(one, two)
	carol.ExpectFrame(one, two)
	alice.ExpectClosed()
	room.Leave(alice)
	room.Quiet()
}

// v1Truncated is a later frame that ends with its connection.
func v1Truncated(name, where string, cut func(frame []byte) []byte) Case {
	return Case{
		ID: "v1/framing/truncated-" + name, Section: "v1/spec.md#errors", Needs: V1,
		Says: "A later frame that ends with its connection inside " + where + ", reaches nobody; the frames before it do.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V1("bob"), room.V1("carol")
			good := alice.Msg("good")
			alice.Send(good, cut(alice.Msg("cut off")))
			alice.CloseWrite()
			bob.ExpectFrame(good)
			carol.ExpectFrame(good)
			alice.ExpectClosed()
			room.Leave(alice)
			room.Quiet()
		},
	}
}

// v1HasHistory wants a joiner to be sent these frames, and nothing else before
// somebody who comes after it.
func v1HasHistory(room *Room, history [][]byte) {
	joiner := room.t.DialV1()
	joiner.Join(room.t.UID("joiner"), room.Channel, "")
	joiner.ExpectFrame(history...)
	room.heardNothing(joiner)
	joiner.Close()
}

// newCID returns a CID that nobody else uses.
func newCID() uint32 {
	b := make([]byte, 4)
	rand.Read(b)
	return binary.BigEndian.Uint32(b)
}
