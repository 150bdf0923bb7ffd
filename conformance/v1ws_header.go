package conformance

import "strings"

func v1wsHeaderCases() []Case {
	const section = "bridge/mapping.md#headers-made-for-others"
	return []Case{{
		ID: "v1ws/header/shared-key", Section: section, Needs: V1WS | V1 | Key,
		Says: "With a shared key the header made for a v1 WebSocket client has the key over shared key, uid and channel, and its low 32 bits as CID.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1WS("bob")
			key := KeyOf(t.Key(), "bob", room.Channel)
			alice.ExpectFrame(Frame(uint32(key), key, []byte(bob.Say("hello"))))
		},
	}, {
		ID: "v1ws/header/address", Section: section, Needs: V1WS | V1 | NoKey,
		Says: "Without a shared key it is the key over the client's address, dotted if that is IPv4, uid and channel.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1WS("bob")
			key := t.AddressKey(Dotted(bob.Addr()), "bob", room.Channel)
			alice.ExpectFrame(Frame(uint32(key), key, []byte(bob.Say("hello"))))
		},
	}, {
		ID: "v1ws/header/of-each-channel", Section: section, Needs: V1WS | V1, Conns: 3,
		Says: "In each of a connection's channels the header is made over that channel and the uid that it has there.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			inOne := one.V1("carol")
			inTwo := two.V1("carol")
			alice := one.V1WS("alice")
			ben := alice.Join("ben", two.Channel, "")
			two.Meet(ben)
			for range 2 {
				inOne.ExpectFrame(alice.headed("alice", one.Channel, alice.Say("in one")))
				inTwo.ExpectFrame(alice.headed("ben", two.Channel, ben.Say("in two")))
			}
		},
	}, {
		ID: "v1ws/header/one-for-all", Section: section, Needs: V1WS | V1,
		Says: "The join and all messages under one uid have the same CID and key, live and from the history.",
		Run: func(t *T) {
			room := t.Room()
			carol := room.Host("carol")
			bob := t.DialV1WS()
			seat, said := bob.enters("bob", room.Channel)
			said = said.and(seat.tells("one")).and(seat.tells("two"))
			head := string(carol.Next()[4:16])
			for range 2 {
				if f := carol.Next(); string(f[4:16]) != head {
					t.Fatalf("CID and key are %x and then %x", head, f[4:16])
				}
			}
			bob.SeeOff()
			dave := t.DialV1()
			dave.Join("dave", room.Channel, "")
			for range 2 {
				dave.Next() // of those before bob
			}
			for range said.v1 {
				if f := dave.Next(); string(f[4:16]) != head {
					t.Fatalf("CID and key are %x, and %x from the history", head, f[4:16])
				}
			}
		},
	}, {
		ID: "v1ws/header/lengths", Section: "v1/spec.md#frame", Needs: V1WS | V1,
		Says: "The header says how long the body is, in three bytes, for bodies of a hundred bytes to a MiB.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1WS("bob")
			for _, n := range []int{1, 200, 255, 256, 65535, 65536, 1 << 20} {
				body := bob.Say(strings.Repeat("m", n))
				f := alice.Next()
				if string(f[:4]) != string([]byte{'M', byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}) || string(f[16:]) != body {
					t.Fatalf("alice got %s; want a body of %d bytes", meaningV1(f), len(body))
				}
			}
			room.Quiet()
		},
	}}
}
