package conformance

import "strings"

// HelloAs sends a hello in the case's own words. In them $channel stands for the
// channel, and $auth for the member auth with a comma before it where the target
// needs one, else for nothing.
func (c *V2Conn) HelloAs(uid, channel, text string) {
	c.named(uid, channel)
	c.SendText(c.filled(text))
}

// named notes who the client is, for a hello that the case sends in pieces.
func (c *V2Conn) named(uid, channel string) {
	c.UID, c.Channel = uid, channel
	c.name.set("%s/v2", uid)
}

func (c *V2Conn) filled(text string) string {
	auth := c.t.Auth(c.UID, c.Channel)
	if auth != "" {
		auth = `,"auth":"` + auth + `"`
	}
	return strings.NewReplacer("$channel", c.Channel, "$auth", auth).Replace(text)
}

// joinsBy shows that bob is in the channel after this hello: he and alice hear
// each other.
func joinsBy(t *T, text string) {
	room := t.Room()
	room.V2("alice")
	bob := t.DialV2()
	bob.HelloAs("bob", room.Channel, text)
	room.Meet(bob)
	room.Quiet()
}

func v2HelloCases() []Case {
	const section = "v2/spec.md#hello"
	return []Case{{
		ID: "v2/hello/order-of-members", Section: section, Needs: V2,
		Says: "A hello whose members come in another order joins.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			auth := t.Auth("bob", room.Channel)
			if auth != "" {
				auth = `"auth":"` + auth + `",`
			}
			bob.SendText(`{` + auth + `"channel":"` + room.Channel + `","uid":"bob"}`)
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/white-space", Section: section, Needs: V2,
		Says: "White space before, within and after the object is accepted, as after a line that was typed.",
		Run:  func(t *T) { joinsBy(t, " \t\r\n{ \"uid\"\t: \"bob\" ,\r\n \"channel\" : \"$channel\"$auth }\r\n") },
	}, {
		ID: "v2/hello/members-unknown", Section: section, Needs: V2,
		Says: "Members that nobody knows are ignored, whatever type their values have.",
		Run: func(t *T) {
			joinsBy(t, `{"a":"text","b":-1.5e-7,"c":true,"d":false,"e":null,"f":[],"g":{},"h":[1,["x"]],"uid":"bob","i":{"j":{"k":[{}]}},"channel":"$channel","":0$auth,"z":"last"}`)
		},
	}, {
		ID: "v2/hello/members-nested", Section: section, Needs: V2,
		Says: "Members of the hello's names deep in an unknown member are not the hello's.",
		Run: func(t *T) {
			joinsBy(t, `{"x":{"uid":1,"channel":null,"auth":"no"},"y":[{"uid":"eve","uid":"mallory"}],"uid":"bob","channel":"$channel"$auth}`)
		},
	}, {
		ID: "v2/hello/members-deep", Section: section, Needs: V2,
		Says: "An unknown member may be nested 1,000 deep.",
		Run: func(t *T) {
			joinsBy(t, `{"uid":"bob","x":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`,"channel":"$channel"$auth}`)
		},
	}, {
		ID: "v2/hello/members-unknown-twice", Section: section, Needs: V2,
		Says: "An unknown member may stand twice.",
		Run:  func(t *T) { joinsBy(t, `{"x":1,"uid":"bob","x":2,"channel":"$channel"$auth,"x":1}`) },
	}, {
		ID: "v2/hello/number-too-large", Section: section, Needs: V2,
		Says: "A number that no machine can hold is valid JSON in an unknown member.",
		Run: func(t *T) {
			joinsBy(t, `{"x":1e999,"y":123456789012345678901234567890,"uid":"bob","channel":"$channel"$auth}`)
		},
	}, {
		ID: "v2/hello/half-surrogate-unknown", Section: section, Needs: V2,
		Says: "Half a surrogate pair in the value of an unknown member does not matter.",
		Run:  func(t *T) { joinsBy(t, `{"x":"\ud800","uid":"bob","channel":"$channel"$auth}`) },
	}, {
		ID: "v2/hello/escapes", Section: section, Needs: V2,
		Says: "Escapes in names of members and in values are decoded: the auth is right for what they mean.",
		Run:  func(t *T) { joinsBy(t, `{"\u0075id":"b\u006fb","chann\u0065l":"$channel"$auth}`) },
	}, {
		ID: "v2/hello/escapes-all", Section: section, Needs: V2,
		Says: "Every escape of JSON may stand in a uid, and the join notice has the character that it means.",
		Run: func(t *T) {
			room := t.Room()
			uid := "a\"b\\c/d\be\ff\ng\rh\ti"
			bob := t.DialV2()
			bob.HelloAs(uid, room.Channel, `{"uid":"a\"b\\c\/d\be\ff\ng\rh\ti","channel":"$channel"$auth}`)
			bob.SeeOff()
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			carol.ExpectNotice(uid)
		},
	}, {
		ID: "v2/hello/nul", Section: section, Needs: V2,
		Says: `\u0000 may stand in a uid and does not end it: the auth is over all of it, and the join notice has it.`,
		Run: func(t *T) {
			room := t.Room()
			bob := t.DialV2()
			bob.HelloAs("bob\x00by", room.Channel, `{"uid":"bob\u0000by","channel":"$channel"$auth}`)
			bob.SeeOff()
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			carol.ExpectNotice("bob\x00by")
		},
	}, {
		ID: "v2/hello/not-ascii", Section: section, Needs: V2, Level: Should,
		Says: "A channel and a uid outside of ASCII are accepted, and are the same raw and in escapes.",
		Run: func(t *T) {
			room := t.RoomNamed(t.Channel() + "-ä🐟")
			room.V2("älice")
			bob := t.DialV2()
			bob.named("böb", room.Channel)
			auth := t.Auth("böb", room.Channel)
			if auth != "" {
				auth = `,"auth":"` + auth + `"`
			}
			bob.SendText(`{"uid":"b\u00f6b","channel":"` + strings.TrimSuffix(room.Channel, "ä🐟") + `\u00e4\ud83d\udc1f"` + auth + `}`)
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/not-trimmed", Section: section, Needs: V2,
		Says: "White space at the ends of a channel's name belongs to it: who joins with it is in another channel.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			carol := t.DialV2()
			carol.Hello("carol", room.Channel+" ")
			carol.SendBinary("in another channel")
			carol.SendPing("done")
			carol.ExpectPong("done")
			alice.SendBinary("in this one")
			bob.ExpectFrame(Fin|OpBinary, "in this one")
			room.Quiet()
		},
	}, {
		ID: "v2/hello/names-long", Section: section, Needs: V2,
		Says: "A uid and a channel of 1,024 bytes each are accepted.",
		Run: func(t *T) {
			channel := t.Channel()
			room := t.RoomNamed(channel + strings.Repeat("c", 1024-len(channel)))
			room.V2("alice")
			room.V2(strings.Repeat("u", 1024))
		},
	}, {
		ID: "v2/hello/largest", Section: section, Needs: V2,
		Says: "A hello of 8,192 bytes joins.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			hello := bob.filled(`{"uid":"bob","channel":"$channel"$auth}`)
			bob.SendText(hello + strings.Repeat(" ", 8192-len(hello)))
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/fragments", Section: section, Needs: V2,
		Says: "A hello may come in fragments.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendFrame(OpText, `{"uid":"b`)
			bob.SendFrame(OpContinuation, bob.filled(`ob","channel":"$channel"$auth`))
			bob.SendFrame(Fin|OpContinuation, "}")
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/fragments-with-ping", Section: section, Needs: V2, Level: Should,
		Says: "A ping between the fragments of a hello is answered, and the hello joins.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendFrame(OpText, `{"uid":"bob"`)
			bob.SendPing("between")
			bob.ExpectPong("between")
			bob.SendFrame(Fin|OpContinuation, bob.filled(`,"channel":"$channel"$auth}`))
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/byte-by-byte", Section: section, Needs: V2,
		Says: "A hello whose bytes come one by one joins.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendEach(ClientFrame(Fin|OpText, bob.filled(`{"uid":"bob","channel":"$channel"$auth}`)))
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/with-messages", Section: section, Needs: V2,
		Says: "Messages in the same segment as the hello are not lost, and keep their order.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.Send(
				ClientFrame(Fin|OpText, bob.filled(`{"uid":"bob","channel":"$channel"$auth}`)),
				ClientFrame(Fin|OpBinary, "one"),
				ClientFrame(Fin|OpText, "two"),
				ClientFrame(Fin|OpBinary, "three"),
			)
			alice.ExpectBinary("one")
			alice.ExpectText("two")
			alice.ExpectBinary("three")
		},
	}, {
		ID: "v2/hello/ping-before", Section: section, Needs: V2, Level: Should,
		Says: "A ping before the hello is answered and is not taken for one.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.SendPing("early")
			bob.ExpectPong("early")
			bob.Hello("bob", room.Channel)
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/pong-before", Section: section, Needs: V2, Level: Should,
		Says: "A pong before the hello is ignored, so that a slow client may answer a ping.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.SendFrame(Fin|OpPong, "")
			bob.Hello("bob", room.Channel)
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/second-is-a-message", Section: section, Needs: V2,
		Says: "A second hello is a message like any other: it is forwarded as it is, and its sender stays who and where it was.",
		Run: func(t *T) {
			room, other := t.Room(), t.Channel()
			alice, bob := room.V2("alice"), room.V2("bob")
			hello := HelloText("mallory", other, AuthOf("mallory", other, t.Key()))
			alice.SendText(hello)
			bob.ExpectFrame(Fin|OpText, hello)
			room.Quiet()
		},
	}}
}
