package conformance

import "net/netip"

// v1AddressCases are about servers without a shared key.
func v1AddressCases() []Case {
	return []Case{{
		ID: "v1/key/address-dotted", Section: "v1/spec.md#key", Needs: V1 | NoKey, Level: Should,
		Says: "Without a shared key, an IPv4 client joins with the key over its address as a.b.c.d:port.",
		Run: func(t *T) {
			v1AddressJoins(t, func(a netip.AddrPort) string {
				if !a.Addr().Unmap().Is4() {
					t.NotRunf("the target's address is not IPv4")
				}
				return Dotted(a)
			})
		},
	}, {
		ID: "v1/key/address-groups", Section: "v1/spec.md#key", Needs: V1 | NoKey, Level: Should,
		Says: "Without a shared key, a client joins with the key over its address in eight groups, an IPv4 client, too: so a server on a socket of IPv6 sees it.",
		Run: func(t *T) {
			v1AddressJoins(t, Groups)
		},
	}, {
		ID: "v1/key/address-shortened", Section: "v1/spec.md#key", Needs: V1 | NoKey,
		Says: "Without a shared key, a first frame with the key over the client's address as IPv6 shortens it, by ::, closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 {
				mapped := netip.AddrPortFrom(netip.AddrFrom16(m.Addr().Addr().As16()), m.Addr().Port())
				return t.AddressKey(mapped.String(), "mallory", c)
			})
		},
	}, {
		ID: "v1/key/address-other-port", Section: "v1/spec.md#key", Needs: V1 | NoKey,
		Says: "Without a shared key, a first frame with the key over another port of the client's address closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 {
				return t.V1Key(netip.AddrPortFrom(m.Addr().Addr(), m.Addr().Port()^1), "mallory", c)
			})
		},
	}, {
		ID: "v1/key/address-other-host", Section: "v1/spec.md#key", Needs: V1 | NoKey,
		Says: "Without a shared key, a first frame with the key over another address closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(m *V1Conn, c string) uint64 {
				return t.V1Key(netip.AddrPortFrom(m.Addr().Addr().Next(), m.Addr().Port()), "mallory", c)
			})
		},
	}, {
		ID: "v1/key/no-address", Section: "v1/spec.md#key", Needs: V1 | NoKey,
		Says: "Without a shared key, a first frame with the key over uid and channel alone closes the connection without a word.",
		Run: func(t *T) {
			v1WrongKey(t, func(_ *V1Conn, c string) uint64 { return KeyOf("mallory", c) })
		},
	}}
}

// v1AddressJoins has a client join with its address in one spelling.
func v1AddressJoins(t *T, spell func(netip.AddrPort) string) {
	room := t.Room()
	bob, alice := room.Host("bob"), t.DialV1()
	key := t.AddressKey(spell(alice.Addr()), "alice", room.Channel)
	bob.ExpectFrame(alice.joinBy("alice", room.Channel, Frame(uint32(key), key, Map3("alice", room.Channel, ""))))
	room.Meet(alice)
}
