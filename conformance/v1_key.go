package conformance

import "math/bits"

func v1KeyCases() []Case {
	return []Case{{
		ID: "v1/key/wrong", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame whose key is not the hash, by one bit, closes the connection without a word and reaches nobody.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 { return m.Key("mallory", c) ^ 1 })
		},
	}, {
		ID: "v1/key/wrong-high-bit", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame whose key is wrong in its highest bit only, outside of the half that is the CID, closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 { return m.Key("mallory", c) ^ 1<<63 })
		},
	}, {
		ID: "v1/key/zero", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame with key 0 closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(*V1Conn, string) uint64 { return 0 })
		},
	}, {
		ID: "v1/key/little-endian", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with the hash in little endian closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 { return bits.ReverseBytes64(m.Key("mallory", c)) })
		},
	}, {
		ID: "v1/key/of-other-uid", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with the key over another uid closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 { return m.Key("bob", c) })
		},
	}, {
		ID: "v1/key/of-other-channel", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with the key over another channel closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 { return m.Key("mallory", c+"2") })
		},
	}, {
		ID: "v1/key/names-swapped", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with the key over channel and uid, in the wrong order, closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 { return m.Key(c, "mallory") })
		},
	}, {
		ID: "v1/key/separators", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with the key over the same letters, with uid and channel parted elsewhere, closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 { return m.Key("mallor", "y"+c) })
		},
	}, {
		ID: "v1/key/no-separators", Section: "v1/spec.md#key", Needs: V1 | Key,
		Says: "A first frame with the hash over shared key, uid and channel without the bytes 0xff closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(_ *V1Conn, c string) uint64 { return SipHash([]byte(t.Key() + "mallory" + c)) })
		},
	}, {
		ID: "v1/key/no-names", Section: "v1/spec.md#key", Needs: V1 | Key,
		Says: "A first frame with the hash over the shared key alone closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(*V1Conn, string) uint64 { return KeyOf(t.Key()) })
		},
	}, {
		ID: "v1/key/other-shared-key", Section: "v1/spec.md#key", Needs: V1 | Key,
		Says: "A first frame with the key over another shared key, longer by a letter, closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(_ *V1Conn, c string) uint64 { return KeyOf(t.Key()+"x", "mallory", c) })
		},
	}, {
		ID: "v1/key/no-shared-key", Section: "v1/spec.md#key", Needs: V1 | Key,
		Says: "A first frame with the key over uid and channel without the shared key closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(_ *V1Conn, c string) uint64 { return KeyOf("mallory", c) })
		},
	}, {
		ID: "v1/key/wrong-with-cid-of-member", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame with a wrong key and the CID of a member closes its own connection; the member stays, and still holds the CID.",
		Run: func(t *T) {
			t.SetPatience(t.Patience() + gatewayProbe)
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			cid := uint32(alice.Key("alice", room.Channel))
			mallory := t.DialV1()
			mallory.Send(Frame(cid, mallory.Key("mallory", room.Channel)^1, Map3("mallory", room.Channel, "")))
			mallory.ExpectClosed()
			bob.ExpectFrame(alice.Say("still here"))
			room.Quiet()
			twin := t.DialV1()
			twin.JoinAs(cid, "twin", room.Channel, "")
			twin.ExpectClosed()
			room.Quiet()
		},
	}, {
		ID: "v1/key/wrong-takes-no-cid", Section: "v1/spec.md#session", Needs: V1,
		Says: "A CID that came with a wrong key is not taken: another connection joins with it.",
		Run: func(t *T) {
			room := t.Room()
			cid := newCID()
			bob, mallory, alice := room.Host("bob"), t.DialV1(), t.DialV1()
			mallory.Send(Frame(cid, mallory.Key("alice", room.Channel)^1, Map3("alice", room.Channel, "")))
			mallory.ExpectClosed()
			bob.ExpectFrame(alice.JoinAs(cid, "alice", room.Channel, ""))
			room.Meet(alice)
		},
	}, {
		ID: "v1/key/shared", Section: "v1/spec.md#key", Needs: V1 | Key,
		Says: "A first frame with the key over shared key, uid and channel, each with a byte 0xff behind it, joins.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			key := SipHash([]byte(t.Key() + "\xffalice\xff" + room.Channel + "\xff"))
			bob.ExpectFrame(alice.joinBy("alice", room.Channel, Frame(uint32(key), key, Map3("alice", room.Channel, ""))))
			room.Meet(alice)
		},
	}, {
		ID: "v1/key/cid-not-held-against-key", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with the right key and a CID that is not its low half, as clients with a static CID send it, joins.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinAs(^uint32(alice.Key("alice", room.Channel)), "alice", room.Channel, ""))
			room.Meet(alice)
		},
	}, {
		ID: "v1/key/highest-bit", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with a right key that has its highest bit set, as half of them have, joins.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			uid := "alice"
			for alice.Key(uid, room.Channel)>>63 == 0 {
				uid += "+"
			}
			bob.ExpectFrame(alice.Join(uid, room.Channel, ""))
			room.Meet(alice)
		},
	}, {
		ID: "v1/key/cid-zero", Section: "v1/spec.md#key", Needs: V1,
		Says: "A first frame with the right key and CID 0 joins.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinAs(0, "alice", room.Channel, ""))
			room.Meet(alice)
		},
	}}
}

// v1WrongKey has mallory send a first frame under a key that must not open.
func v1WrongKey(t *T, key func(mallory *V1Conn, channel string) uint64) {
	room := t.Room()
	bob, mallory := room.Host("bob"), t.DialV1()
	wrong := key(mallory, room.Channel)
	right := mallory.Key("mallory", room.Channel)
	mallory.joinBy("mallory", room.Channel, Frame(uint32(right), wrong, Map3("mallory", room.Channel, "let me in")))
	mallory.ExpectClosed()
	room.heardNothing(bob)
}
