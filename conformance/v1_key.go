package conformance

func v1KeyCases() []Case {
	return []Case{{
		ID: "v1/key/wrong", Section: "v1/spec.md#session", Needs: V1,
		Says: "A first frame whose key is not the hash, by one bit, closes the connection without a word and reaches nobody.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			mallory := t.DialV1()
			key := mallory.Key("mallory", room.Channel) ^ 1
			mallory.Send(Frame(uint32(key), key, Map3("mallory", room.Channel, "let me in")))
			mallory.ExpectClosed()
			bob.ExpectFrame(alice.Say("still here"))
			room.Quiet()
		},
	}, {
		ID: "v1/key/address-dotted", Section: "v1/spec.md#key", Needs: V1 | NoKey, Level: Should,
		Says: "Without a shared key, a client joins with the key over its address: IPv4 as a.b.c.d:port, IPv6 in eight groups.",
		Run: func(t *T) {
			room := t.Room()
			bob := room.V1("bob")
			alice := t.DialV1()
			alice.UID, alice.Channel = "alice", room.Channel
			key := t.AddressKey(Dotted(alice.Addr()), "alice", room.Channel)
			join := Frame(uint32(key), key, Map3("alice", room.Channel, ""))
			alice.Send(join)
			bob.ExpectFrame(join)
			room.Meet(alice)
		},
	}}
}
