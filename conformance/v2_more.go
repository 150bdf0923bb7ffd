package conformance

import (
	"fmt"
	"strings"
	"time"
)

// v2MoreCases are what broken servers got past the other cases with.
func v2MoreCases() []Case {
	const closes = "v2/spec.md#closes-the-connection"
	name := strings.Repeat("n", 1000)
	return []Case{{
		ID: "v2/auth/escaped", Section: "v2/spec.md#auth", Needs: V2,
		Says: "An auth whose digits are written in escapes of JSON is what these stand for.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			var escaped strings.Builder
			for _, digit := range AuthOf("bob", room.Channel, t.Key()) {
				fmt.Fprintf(&escaped, `\u%04x`, digit)
			}
			bob.SendText(`{"uid":"bob","channel":"` + room.Channel + `","auth":"` + escaped.String() + `"}`)
			room.Meet(bob)
		},
	}, {
		ID: "v2/hello/half-surrogate-channel", Section: "v2/spec.md#hello", Needs: V2,
		Says: "Half a surrogate pair in the channel is refused; it does not become U+FFFD.",
		Run: func(t *T) {
			room := t.RoomNamed(t.Channel() + "\ufffd")
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			auth := AuthOf("bob", room.Channel, t.Key())
			bob.SendText(`{"uid":"bob","channel":"` + strings.TrimSuffix(room.Channel, "\ufffd") + `\udc00","auth":"` + auth + `"}`)
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/utf8/long", Section: "v2/spec.md#messages", Needs: V2,
		Says: "A text message of 300,000 bytes in characters of three, which no block of the server's can divide evenly, is forwarded.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			long := strings.Repeat("世", 100_000)
			alice.SendText(long)
			bob.ExpectFrame(Fin|OpText, long)
			room.Quiet()
		},
	}, {
		ID: "v2/message/ends-kept", Section: "v2/spec.md#messages", Needs: V2,
		Says: "White space and NUL at either end of a message belong to it, in text and in binary, live and from the history.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			ends := []string{"\n", "line\n", "line\r\n", " spaced ", "\ttabbed\t", "\x00NUL\x00", "\ufeffmark\ufeff"}
			for _, m := range ends {
				alice.SendText(m)
				alice.SendBinary(m)
				bob.ExpectFrame(Fin|OpText, m)
				bob.ExpectFrame(Fin|OpBinary, m)
			}
			room.Quiet()
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			// What brought alice and bob together comes first.
			for {
				a := carol.next("the first message")
				if string(a.payload) == ends[0] {
					break
				}
			}
			carol.ExpectFrame(Fin|OpBinary, ends[0])
			for _, m := range ends[1:] {
				carol.ExpectFrame(Fin|OpText, m)
				carol.ExpectFrame(Fin|OpBinary, m)
			}
		},
	}, {
		ID: "v2/message/cut-off", Section: "v2/spec.md#messages", Needs: V2,
		Says: "While a frame has come only in part, its sender gets what others send, and they get the message once the rest has come.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V2("alice"), room.V2("bob"), room.V2("carol")
			frame := ClientFrame(Fin|OpBinary, "in two pieces")
			alice.Send(frame[:9])
			// Several times, as the first may be quicker than the piece of a frame.
			for range 5 {
				bob.SendBinary("meanwhile")
				alice.ExpectFrame(Fin|OpBinary, "meanwhile")
				carol.ExpectFrame(Fin|OpBinary, "meanwhile")
			}
			alice.Send(frame[9:])
			bob.ExpectFrame(Fin|OpBinary, "in two pieces")
			carol.ExpectFrame(Fin|OpBinary, "in two pieces")
			room.Quiet()
		},
	},
		v2LengthWraps("32", 1<<32+5),
		v2LengthWraps("31", 1<<31+5),
		{
			ID: "v2/close/inside-message", Section: "v2/spec.md#closing", Needs: V2, Level: Should, Conns: 1,
			Says: "A close frame between the fragments of a message is answered, and ends the connection.",
			Run: func(t *T) {
				c := t.DialV2()
				c.Hello("alice", t.Channel())
				c.SendFrame(OpBinary, "begun")
				c.SendClose(1001)
				c.ExpectAnswer(1001)
			},
		},
		v2Differ("nul", "by what is behind a NUL", "alice\x00", "alice\x00\x00"),
		v2Differ("long", "by the last of 1,000 bytes", name+"1", name+"2"),
		v2Differ("space", "by a space at the end", "alice", "alice "),
		v2Differ("composition", "by having é as one character or as two", "\u00e9", "e\u0301"),
		v2Apart("nul", "NUL behind its name", "", "\x00"),
		v2Apart("prefix", "a name that goes on", "", "2"),
		v2Apart("long", "the last of 1,018 bytes otherwise", name+"1", name+"2"),
		v2Apart("composition", "é as one character instead of e and an accent", "-e\u0301", "-\u00e9"),
		{
			ID: "v2/duplicate/refused-again", Section: closes, Needs: V2,
			Says: "A refused second member does not free the uid: a third one is refused, too, while the first answers.",
			Run: func(t *T) {
				room := t.Room()
				room.V2("alice")
				room.V2("bob")
				for range 2 {
					twin := t.DialV2()
					twin.Hello("alice", room.Channel)
					twin.SendBinary("me too")
					twin.ExpectNotIn(gatewayProbe)
					twin.Close()
				}
				room.Quiet()
			},
		}, {
			ID: "v2/duplicate/elsewhere-leaves", Section: closes, Needs: V2,
			Says: "When a member of the same uid leaves another channel, the uid stays taken in this one.",
			Run: func(t *T) {
				room, other := t.Room(), t.Room()
				room.V2("alice")
				room.V2("bob")
				other.VisitV2("alice", "bye")
				twin := t.DialV2()
				twin.Hello("alice", room.Channel)
				twin.SendBinary("me too")
				twin.ExpectNotIn(gatewayProbe)
				room.Quiet()
			},
		}, {
			ID: "v2/duplicate/at-once", Section: closes, Needs: V2, Conns: 8, Deadline: 20 * time.Second,
			Says: "Of five members of the same uid that come at the same moment one is in; the others are refused.",
			Run: func(t *T) {
				room := t.Room()
				bob := room.V2("bob")
				var all []*V2Conn
				for range 5 {
					c := t.DialV2()
					c.named("alice", room.Channel)
					all = append(all, c)
				}
				hello := HelloText("alice", room.Channel, t.Auth("alice", room.Channel))
				for i, c := range all {
					c.Send(ClientFrame(Fin|OpText, hello), ClientFrame(Fin|OpBinary, fmt.Sprintf("alice %d", i)))
				}
				// Who is in is heard, and nobody else, now or until the others are out.
				a := bob.next("a message of alice")
				for bob.isNotice(a) {
					a = bob.next("a message of alice")
				}
				in := -1
				for i := range all {
					if string(a.payload) == fmt.Sprintf("alice %d", i) {
						in = i
					}
				}
				if in < 0 {
					t.Fatalf("bob got %s; want a message of alice", meaningV2(a))
				}
				for i, c := range all {
					if i != in {
						c.ExpectNotIn(gatewayProbe)
					}
				}
				all[in].SendBinary("the end")
				bob.ExpectNothingOf("alice", "alice ", "the end")
			},
		}}
}

// v2LengthWraps has a message announce so many bytes and send five.
func v2LengthWraps(bits string, n uint64) Case {
	return Case{
		ID: "v2/limit/length-of-" + bits + "-bits", Section: "v2/spec.md#limits", Needs: V2,
		Says: fmt.Sprintf("A message that announces %d bytes and has 5 is not one of 5: it ends the connection and reaches nobody.", n),
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
			head := []byte{Fin | OpBinary, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
			for i := range 8 {
				head[2+i] = byte(n >> (56 - 8*i))
			}
			alice.Send(head, []byte("wraps"))
			alice.ExpectRefused()
			room.Leave(alice)
			room.Quiet()
		},
	}
}

// v2Differ has two members whose uids are alike in one channel.
func v2Differ(name, how, uid, other string) Case {
	return Case{
		ID: "v2/duplicate/differs-" + name, Section: "v2/spec.md#hello", Needs: V2, Level: Should,
		Says: "Uids that differ " + how + " are two: both may be in a channel.",
		Run: func(t *T) {
			room := t.Room()
			room.V2(uid)
			room.V2(other)
			room.Quiet()
		},
	}
}

// v2Apart holds two channels apart, whose names are alike but for their ends.
func v2Apart(name, what, end, otherEnd string) Case {
	return Case{
		ID: "v2/channel/isolated-" + name, Section: "v2/spec.md#hello", Needs: V2, Level: Should,
		Says: "A channel and another that has " + what + " are two: nothing sent in one is heard in the other, now or from the history.",
		Run: func(t *T) {
			base := t.Channel()
			room, other := t.RoomNamed(base+end), t.RoomNamed(base+otherEnd)
			alice, bob := room.V2("alice"), room.V2("bob")
			elsewhere := other.V2("carol")
			alice.SendBinary("of this channel")
			bob.ExpectFrame(Fin|OpBinary, "of this channel")
			late := t.DialV2()
			late.Hello("dave", other.Channel)
			elsewhere.SendBinary("elsewhere")
			late.ExpectNothingOf("alice", "of this channel", "elsewhere")
			other.Meet(late)
			other.Quiet()
		},
	}
}
