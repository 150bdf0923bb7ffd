package conformance

import (
	"strings"
	"time"
)

// A badHello is a hello that no server may accept.
type badHello struct{ what, says, text string }

// badHellos have one fault each, and no other: bob would join by them without it.
func badHellos() []badHello {
	return []badHello{
		{"member-missing", "A hello without channel is refused.", `{"uid":"bob"$auth}`},
		{"uid-missing", "A hello without uid is refused.", `{"channel":"$channel"$auth}`},
		{"uid-null", "A hello whose uid is null is refused.", `{"uid":null,"channel":"$channel"$auth}`},
		{"uid-number", "A hello whose uid is a number is refused.", `{"uid":7,"channel":"$channel"$auth}`},
		{"channel-array", "A hello whose channel is an array is refused.", `{"uid":"bob","channel":["$channel"]$auth}`},
		{"uid-twice", "A hello whose uid stands twice is refused, though both are the same.", `{"uid":"bob","uid":"bob","channel":"$channel"$auth}`},
		{"channel-twice", "A hello whose channel stands twice is refused, though both are the same.", `{"uid":"bob","channel":"$channel","channel":"$channel"$auth}`},
		{"uid-twice-escaped", "A uid that stands twice is refused though one of the names is written with an escape.", `{"uid":"bob","\u0075id":"bob","channel":"$channel"$auth}`},
		{"uid-spelled", "Uid is not uid: a hello that has only the former is refused.", `{"Uid":"bob","channel":"$channel"$auth}`},
		{"channel-spelled", "CHANNEL is not channel: a hello that has only the former is refused.", `{"uid":"bob","CHANNEL":"$channel"$auth}`},
		{"array", "An array in place of the object is refused.", `["bob","$channel"]`},
		{"text", "JSON that is a text is refused.", `"bob"`},
		{"null", "JSON that is null is refused.", `null`},
		{"not-json", "A hello that is no JSON is refused.", `uid=bob&channel=$channel`},
		{"empty", "An empty text message is no hello and is refused.", ``},
		{"cut-off", "A hello without its last brace is refused.", `{"uid":"bob","channel":"$channel"$auth`},
		{"bytes-after", "Bytes after the object are refused.", `{"uid":"bob","channel":"$channel"$auth}x`},
		{"object-after", "A second object after the first is refused.", `{"uid":"bob","channel":"$channel"$auth}{}`},
		{"comma-last", "A comma after the last member is refused.", `{"uid":"bob","channel":"$channel"$auth,}`},
		{"quotes-single", "Single quotes are refused.", `{'uid':'bob','channel':'$channel'$auth}`},
		{"comment", "A comment is refused.", `{"uid":"bob",/* hello */"channel":"$channel"$auth}`},
		{"control-character", "A line feed that stands raw in a text is refused.", "{\"x\":\"a\nb\",\"uid\":\"bob\",\"channel\":\"$channel\"$auth}"},
		{"byte-order-mark", "A byte order mark before the object is refused.", "\ufeff" + `{"uid":"bob","channel":"$channel"$auth}`},
		{"escape-unknown", `An escape that JSON does not have, \x, is refused.`, `{"x":"\x41","uid":"bob","channel":"$channel"$auth}`},
		{"number-malformed", "A number with a leading zero, in an unknown member, is refused.", `{"x":01,"uid":"bob","channel":"$channel"$auth}`},
		{"half-surrogate-name", "Half a surrogate pair in a member's name is refused.", `{"\ud800":1,"uid":"bob","channel":"$channel"$auth}`},
	}
}

// silence is how long a client that is neither let in nor closed waits before the
// case takes it for refused. That refusals are said, and at once, is a case of its
// own, v2/close/hello-refused: mles 2.9.4 closes now and then only at its next ping.
const silence = 2 * time.Second

// ExpectNotIn wants the connection to end, or to be sent nothing for d.
func (c *WSConn) ExpectNotIn(d time.Duration) {
	if _, ok := c.in.peek(min(d, c.t.remaining())); !ok {
		c.t.Logf("%s is neither in nor closed after %v", c.name.String(), d)
		return
	}
	c.ExpectRefused()
}

// KeepsOut shows that c, which has said its hello, is not in the room: what it
// sends does not reach the first member, and it gets nothing of that one.
func (r *Room) KeepsOut(c *V2Conn) {
	c.SendBinary("let me in")
	r.members[0].knock("for members")
	c.ExpectNotIn(silence)
	if a, ok := r.members[0].inboxOf().peek(0); ok {
		r.t.Fatalf("%s got %s; want nothing of one who was refused", r.members[0].who(), r.members[0].meaning(a))
	}
}

// refusedBy shows that bob is not let in by this hello.
func refusedBy(t *T, text string) {
	room := t.Room()
	room.V2("alice")
	bob := t.DialV2()
	bob.HelloAs("bob", room.Channel, text)
	room.KeepsOut(bob)
}

// noChannel shows that nobody meets in the channel.
func noChannel(t *T, channel string) {
	alice, bob := t.DialV2(), t.DialV2()
	alice.Hello(t.UID("alice"), channel)
	bob.Hello(t.UID("bob"), channel)
	alice.SendBinary("is here anybody?")
	bob.SendBinary("is here anybody?")
	alice.ExpectNotIn(silence)
	bob.ExpectNotIn(silence)
}

func v2RefusedCases() []Case {
	const section = "v2/spec.md#hello"
	cases := []Case{{
		ID: "v2/hello/uid-empty", Section: section, Needs: V2,
		Says: "A hello with an empty uid is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			nobody := t.DialV2()
			nobody.Hello("", room.Channel)
			room.KeepsOut(nobody)
		},
	}, {
		ID: "v2/hello/channel-empty", Section: section, Needs: V2,
		Says: "A hello with an empty channel is refused.",
		Run:  func(t *T) { noChannel(t, "") },
	}, {
		ID: "v2/hello/uid-too-long", Section: section, Needs: V2, Level: Should,
		Says: "A uid of 1,025 bytes is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			long := t.DialV2()
			long.Hello(strings.Repeat("u", 1025), room.Channel)
			long.name.set("uuuu…")
			room.KeepsOut(long)
		},
	}, {
		ID: "v2/hello/channel-too-long", Section: section, Needs: V2, Level: Should,
		Says: "A channel whose name has 1,025 bytes is refused.",
		Run: func(t *T) {
			channel := t.Channel()
			noChannel(t, channel+strings.Repeat("c", 1025-len(channel)))
		},
	}, {
		ID: "v2/hello/too-big", Section: section, Needs: V2, Level: Should,
		Says: "A hello of 8,193 bytes is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			hello := bob.filled(`{"uid":"bob","channel":"$channel"$auth}`)
			bob.SendText(hello + strings.Repeat(" ", 8193-len(hello)))
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/hello/half-surrogate-uid", Section: section, Needs: V2,
		Says: "Half a surrogate pair in the uid is refused; it does not become U+FFFD.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.HelloAs("bob\ufffd", room.Channel, `{"uid":"bob\udc00","channel":"$channel"$auth}`)
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/hello/array-of-three", Section: section, Needs: V2, Level: Should,
		Says: "An array of uid, channel and auth is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(`["bob","` + room.Channel + `","` + AuthOf("bob", room.Channel, t.Key()) + `"]`)
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/hello/binary", Section: section, Needs: V2,
		Says: "A hello in a binary message is refused, though its text is right.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendBinary(bob.filled(`{"uid":"bob","channel":"$channel"$auth}`))
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/hello/not-utf8", Section: section, Needs: V2,
		Says: "A hello with a byte that is no UTF-8, in an unknown member, is refused.",
		Run:  func(t *T) { refusedBy(t, "{\"x\":\"\xff\",\"uid\":\"bob\",\"channel\":\"$channel\"$auth}") },
	}, {
		ID: "v2/hello/refused-leaves-nothing", Section: section, Needs: V2,
		Says: "Of a refused client nothing reaches the channel that it named: no notice, no message, neither live nor in the history.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			eve := t.DialV2()
			eve.named("eve", room.Channel)
			hello := HelloText("eve", room.Channel, AuthOf("eve", room.Channel, t.Key()+"?"))
			eve.Send(ClientFrame(Fin|OpText, hello), ClientFrame(Fin|OpBinary, "let me in"))
			eve.ExpectNotIn(silence)
			room.Quiet()
			room.Leave(bob)
			bob.Close()
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			alice.SendBinary("the end")
			carol.ExpectNothingOf("eve", "let me in", "the end")
		},
	}}
	for _, bad := range badHellos() {
		cases = append(cases, Case{
			ID: "v2/hello/" + bad.what, Section: section, Needs: V2, Says: bad.says,
			Run: func(t *T) { refusedBy(t, bad.text) },
		})
	}
	return cases
}
