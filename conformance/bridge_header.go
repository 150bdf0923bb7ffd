package conformance

import "strings"

func bridgeHeaderCases() []Case {
	const section = "bridge/mapping.md#headers-made-for-others"
	return []Case{{
		ID: "bridge/header/shared-key", Section: section, Needs: V1 | V2 | Key,
		Says: "With a shared key the header made for a v2 member has the v1 key over shared key, uid and channel, and its low 32 bits as CID.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			bob.SendBinary("hello")
			key := KeyOf(t.Key(), "bob", room.Channel)
			alice.ExpectFrame(Frame(uint32(key), key, Map3("bob", room.Channel, "hello")))
		},
	}, {
		ID: "bridge/header/address", Section: section, Needs: V1 | V2 | NoKey,
		Says: "Without a shared key it is the key over the v2 client's address, dotted if that is IPv4, uid and channel.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V2("bob")
			bob.SendBinary("hello")
			key := t.AddressKey(Dotted(bob.Addr()), "bob", room.Channel)
			alice.ExpectFrame(Frame(uint32(key), key, Map3("bob", room.Channel, "hello")))
		},
	}, {
		ID: "bridge/header/one-for-all", Section: section, Needs: V1 | V2,
		Says: "The join and all messages of a v2 member have the same CID and key, live and from the history.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "first of all")
			carol, bob := t.DialV1(), t.DialV2()
			entered := carol.enters("carol", room.Channel)
			carol.ExpectFrame(history.v1...)
			bob.enters("bob", room.Channel)
			bob.SendText("text")
			bob.SendBinary("binary")
			head := carol.Next()[4:16]
			for range 2 {
				if f := carol.Next(); string(f[4:16]) != string(head) {
					t.Fatalf("CID and key are %x and then %x", head, f[4:16])
				}
			}
			bob.SeeOff()
			dave := t.DialV1()
			dave.Join("dave", room.Channel, "")
			dave.ExpectFrame(history.and(entered).v1...)
			for range 3 {
				if f := dave.Next(); string(f[4:16]) != string(head) {
					t.Fatalf("CID and key are %x, and %x from the history", head, f[4:16])
				}
			}
		},
	}, {
		ID: "bridge/header/two-members", Section: section, Needs: V1 | V2,
		Says: "Two v2 members have headers of their own, each over its own uid.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V1("alice"), room.V2("bob"), room.V2("carol")
			for range 2 {
				bob.SendBinary("of bob")
				alice.ExpectFrame(bob.made("of bob"))
				carol.SendBinary("of carol")
				alice.ExpectFrame(carol.made("of carol"))
			}
		},
	}, {
		ID: "bridge/header/body-lengths", Section: "v1/spec.md#body", Needs: V1 | V2,
		Says: "The body made of a v2 message is a map of uid, channel, message in this order, and each length in it is in its shortest form.",
		Run: func(t *T) {
			for _, n := range []int{1, 23, 24, 255, 256} {
				room := t.Room()
				uid := strings.Repeat("u", n)
				alice, bob := room.V1("alice"), room.V2(uid)
				for _, n := range []int{0, 23, 24, 255, 256, 65535, 65536} {
					bob.SendBinary(strings.Repeat("m", n))
					alice.ExpectFrame(bob.made(strings.Repeat("m", n)))
				}
				alice.Close()
				bob.Close()
			}
		},
	}}
}
