package conformance

import "strings"

func bridgeNameCases() []Case {
	const section = "bridge/mapping.md#between-the-dialects"
	return []Case{{
		ID: "bridge/name/not-ascii-v1-to-v2", Section: section, Needs: V1 | V2,
		Says: "A v1 client whose uid and channel are not ASCII is heard on v2, live and from the history, its notice naming both in UTF-8.",
		Run: func(t *T) {
			room := t.RoomNamed(t.ChannelUnicode())
			history := room.visitV1("søren-世界-🐟", "hej")
			bob := t.DialV2()
			entered := bob.enters("bob", room.Channel)
			bob.hearsAll(history.v2...)
			live := room.visitV1("Жанна", "привет")
			bob.hears(live.v2...)
			room.hasAllV2(history.and(entered).and(live))
		},
	}, {
		ID: "bridge/name/not-ascii-v2-to-v1", Section: section, Needs: V1 | V2,
		Says: "A v2 client whose uid and channel are not ASCII is heard on v1, live and from the history, under both in UTF-8 and the key over these bytes.",
		Run: func(t *T) {
			room := t.RoomNamed(t.ChannelUnicode())
			history := room.visitV2("søren-世界-🐟", heardText("hej"))
			alice := t.DialV1()
			entered := alice.enters("alice", room.Channel)
			alice.ExpectFrame(history.v1...)
			live := room.visitV2("Жанна", heardBinary("привет"))
			alice.ExpectFrame(live.v1...)
			room.hasV1(history.and(entered).and(live))
		},
	}, {
		ID: "bridge/name/escaped-in-hello", Section: section, Needs: V1 | V2,
		Says: "A v2 hello that writes its names in escapes of JSON is in the channel, and under the uid, that these stand for on v1.",
		Run: func(t *T) {
			room := t.RoomNamed(t.Channel() + "-ö🐟")
			alice := room.V1("alice")
			bob := t.aliceV2(room)
			bob.UID = "bo\"b\\ü"
			hello := `{"uid":"bo\u0022b\u005c\u00fc","channel":"` + strings.TrimSuffix(room.Channel, "ö🐟") + `\u00f6\ud83d\udc1f"`
			if auth := t.Auth(bob.UID, room.Channel); auth != "" {
				hello += `,"auth":"` + auth + `"`
			}
			bob.SendText(hello + "}")
			bob.SendBinary("hello")
			alice.ExpectFrame(bob.made(""), bob.made("hello"))
			alice.Say("welcome")
			bob.hears(heardJoin("alice", room.Channel), heardBinary("welcome"))
		},
	}, {
		ID: "bridge/name/bytes-not-characters", Section: section, Needs: V1 | V2,
		Says: "Channels whose names look alike but differ in their bytes, é as one character and as two, are different across dialects.",
		Run: func(t *T) {
			base := t.Channel()
			one, two := t.RoomNamed(base+"-\u00e9"), t.RoomNamed(base+"-e\u0301")
			alice, bob := one.V1("alice"), one.V2("bob")
			two.V1("carol")
			two.V2("dave")
			alice.Say("to one")
			bob.ExpectFrame(Fin|OpBinary, "to one")
			bob.SendText("to one, too")
			alice.ExpectFrame(bob.made("to one, too"))
			two.Quiet()
			one.Quiet()
		},
	}, {
		ID: "bridge/name/1024-bytes-v1", Section: "bridge/mapping.md#limits", Needs: V1 | V2,
		Says: "A v1 client with uid and channel of 1,024 bytes, of two bytes each character, is heard on v2 and named in full in its notice.",
		Run: func(t *T) {
			room := t.RoomNamed(longName(t))
			room.hasAllV2(room.visitV1(strings.Repeat("ü", 512), "hello"))
		},
	}, {
		ID: "bridge/name/1024-bytes-v2", Section: "bridge/mapping.md#limits", Needs: V1 | V2,
		Says: "A v2 client with uid and channel of 1,024 bytes is heard on v1 under its names in full.",
		Run: func(t *T) {
			room := t.RoomNamed(longName(t))
			room.hasV1(room.visitV2(strings.Repeat("ü", 512), heardText("hello")))
		},
	}, {
		ID: "bridge/name/empty-uid", Section: "bridge/mapping.md#limits", Needs: V1 | V2,
		Says: "A v1 client with an empty uid is heard on v2, and its notice has an empty uid.",
		Run: func(t *T) {
			room := t.Room()
			bob, _ := room.V2("bob"), room.V1("carol")
			said := room.visitV1("", "I am nobody")
			bob.hears(said.v2...)
			past := t.Room()
			past.hasAllV2(past.visitV1("", "I am nobody"))
		},
	}, {
		ID: "bridge/name/all-bytes-v1-to-v2", Section: "bridge/mapping.md#what-each-side-gets", Needs: V1 | V2,
		Says: "A v1 message of all 256 bytes reaches v2 members as binary with these bytes, live and from the history.",
		Run: func(t *T) {
			room := t.Room()
			bob, _ := room.V2("bob"), room.V1("carol")
			bob.hears(room.visitV1("alice", allBytes()).v2...)
			past := t.Room()
			past.hasV2(past.visitV1("alice", allBytes()))
		},
	}, {
		ID: "bridge/name/all-bytes-v2-to-v1", Section: "bridge/mapping.md#what-each-side-gets", Needs: V1 | V2,
		Says: "A v2 binary message of all 256 bytes reaches v1 members with these bytes, live and from the history.",
		Run: func(t *T) {
			room := t.Room()
			alice, _ := room.V1("alice"), room.V2("carol")
			alice.ExpectFrame(room.visitV2("bob", heardBinary(allBytes())).v1...)
			past := t.Room()
			past.hasV1(past.visitV2("bob", heardBinary(allBytes())))
		},
	}}
}

// longName is a channel of 1,024 bytes.
func longName(t *T) string {
	c := t.Channel()
	return c + strings.Repeat("é", (1024-len(c))/2) + strings.Repeat("x", len(c)%2)
}

// allBytes are the bytes 00 to ff.
func allBytes() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}
