package conformance

import (
	"fmt"
	"strings"
)

func v2MessageCases() []Case {
	const section = "v2/spec.md#messages"
	return []Case{{
		ID: "v2/message/opcode-kept", Section: section, Needs: V2,
		Says: "Text and binary messages reach the other members with the opcode and bytes that they came with, and not their sender.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendText("text")
			alice.SendBinary("\x00\xff binary")
			bob.ExpectFrame(Fin|OpText, "text")
			bob.ExpectFrame(Fin|OpBinary, "\x00\xff binary")
			room.Quiet()
		},
	}, {
		ID: "v2/message/to-all-others", Section: section, Needs: V2,
		Says: "A message reaches each other member of the channel once.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol, dave := room.V2("alice"), room.V2("bob"), room.V2("carol"), room.V2("dave")
			bob.SendBinary("from bob")
			for _, c := range []*V2Conn{alice, carol, dave} {
				c.ExpectFrame(Fin|OpBinary, "from bob")
			}
			room.Quiet()
		},
	}, {
		ID: "v2/message/twice", Section: section, Needs: V2,
		Says: "Messages of the same bytes are different messages: each is forwarded and stored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			for range 3 {
				alice.SendBinary("again")
			}
			for range 3 {
				bob.ExpectFrame(Fin|OpBinary, "again")
			}
			room.Quiet()
			alice.SendBinary("the end")
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			carol.ExpectTimes(3, "again", "the end")
		},
	}, {
		ID: "v2/message/empty", Section: section, Needs: V2,
		Says: "Empty messages, text and binary, are forwarded.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendBinary("")
			alice.SendText("")
			alice.SendBinary("")
			bob.ExpectFrame(Fin|OpBinary, "")
			bob.ExpectFrame(Fin|OpText, "")
			bob.ExpectFrame(Fin|OpBinary, "")
			room.Quiet()
		},
	}, {
		ID: "v2/message/all-bytes", Section: section, Needs: V2,
		Says: "A binary message with each of the 256 bytes in it is forwarded as it is.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			all := make([]byte, 256)
			for i := range all {
				all[i] = byte(i)
			}
			alice.SendBinary(string(all))
			bob.ExpectFrame(Fin|OpBinary, string(all))
		},
	}, {
		ID: "v2/message/text-kept", Section: section, Needs: V2,
		Says: "Text is forwarded byte for byte: NUL, line feeds, characters of one to four bytes, U+FFFF, a byte order mark, what is not normalized.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			text := "\ufeff a\x00b\r\n\u00e4 e\u0301 \u20ac \U0001f41f \uffff \U0010ffff \u2028 \x7f "
			alice.SendText(text)
			bob.ExpectFrame(Fin|OpText, text)
		},
	}, {
		ID: "v2/message/text-like-hello", Section: section, Needs: V2,
		Says: "Text that looks like a hello is forwarded with all its members: only hellos are the server's business.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			text := ` {"uid":"alice", "channel":"` + room.Channel + `","auth":"0123456789abcdef","more":[1]} `
			alice.SendText(text)
			bob.ExpectFrame(Fin|OpText, text)
			room.Quiet()
		},
	}, {
		ID: "v2/message/lengths", Section: section, Needs: V2,
		Says: "Messages of the lengths at which frame headers change come in one unmasked frame, whose length is in its shortest form.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			for _, n := range []int{1, 125, 126, 127, 65535, 65536} {
				alice.SendBinary(strings.Repeat("n", n))
				bob.ExpectBytes(UnmaskedFrame(Fin|OpBinary, strings.Repeat("n", n)))
			}
		},
	}, {
		ID: "v2/message/masks", Section: section, Needs: V2,
		Says: "Each frame has a mask of its own; one of four zeros is a mask too.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.Send(
				[]byte{Fin | OpBinary, 0x80 | 5, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o'},
				[]byte{Fin | OpBinary, 0x80 | 5, 0xff, 0, 0x20, 0, 'h' ^ 0xff, 'e', 'l' ^ 0x20, 'l', 'o' ^ 0xff},
				ClientFrame(Fin|OpBinary, "hello"),
			)
			for range 3 {
				bob.ExpectFrame(Fin|OpBinary, "hello")
			}
		},
	}, {
		ID: "v2/message/large", Section: section, Needs: V2,
		Says: "A message of 1 MiB is forwarded.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			large := strings.Repeat("0123456789abcdef", 1<<16)
			alice.SendBinary(large)
			bob.ExpectFrame(Fin|OpBinary, large)
			room.Quiet()
		},
	}, {
		ID: "v2/message/fragments-joined", Section: section, Needs: V2,
		Says: "A message in three fragments, one of them empty and with a ping between, is forwarded as one frame.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendFrame(OpBinary, "one ")
			alice.SendFrame(OpContinuation, "")
			alice.SendPing("between")
			alice.SendFrame(Fin|OpContinuation, "message")
			alice.ExpectPong("between")
			bob.ExpectFrame(Fin|OpBinary, "one message")
			room.Quiet()
		},
	}, {
		ID: "v2/message/fragments-opcode", Section: section, Needs: V2,
		Says: "The first fragment has the message's opcode: text in fragments arrives as text.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendFrame(OpText, "")
			alice.SendFrame(OpContinuation, "te")
			alice.SendFrame(Fin|OpContinuation, "xt")
			bob.ExpectFrame(Fin|OpText, "text")
		},
	}, {
		ID: "v2/message/fragments-many", Section: section, Needs: V2,
		Says: "A message in 2,000 fragments of one byte is forwarded as one frame.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			frames := [][]byte{ClientFrame(OpBinary, "b")}
			for range 1998 {
				frames = append(frames, ClientFrame(OpContinuation, "m"))
			}
			alice.Send(append(frames, ClientFrame(Fin|OpContinuation, "e"))...)
			bob.ExpectFrame(Fin|OpBinary, "b"+strings.Repeat("m", 1998)+"e")
		},
	}, {
		ID: "v2/message/fragments-long", Section: section, Needs: V2,
		Says: "A message in two fragments of 100 KB is forwarded as one frame.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendFrame(OpBinary, strings.Repeat("1", 100_000))
			alice.SendFrame(Fin|OpContinuation, strings.Repeat("2", 100_000))
			bob.ExpectFrame(Fin|OpBinary, strings.Repeat("1", 100_000)+strings.Repeat("2", 100_000))
		},
	}, {
		ID: "v2/message/fragments-of-two", Section: section, Needs: V2,
		Says: "Fragments of two senders at the same time do not mix.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.SendFrame(OpBinary, "alice's ")
			bob.SendFrame(OpText, "bob's ")
			alice.SendFrame(Fin|OpContinuation, "message")
			carol.ExpectFrame(Fin|OpBinary, "alice's message")
			bob.SendFrame(Fin|OpContinuation, "message")
			carol.ExpectFrame(Fin|OpText, "bob's message")
		},
	}, {
		ID: "v2/message/fragments-in-time", Section: section, Needs: V2,
		Says: "Nothing of a message is forwarded before its last fragment, and what others send meanwhile goes first.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob, carol := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.SendFrame(OpBinary, "begun early, ")
			alice.SendPing("begun")
			alice.ExpectPong("begun")
			bob.SendBinary("meanwhile")
			carol.ExpectFrame(Fin|OpBinary, "meanwhile")
			alice.ExpectFrame(Fin|OpBinary, "meanwhile")
			alice.SendFrame(Fin|OpContinuation, "done late")
			carol.ExpectFrame(Fin|OpBinary, "begun early, done late")
			bob.ExpectFrame(Fin|OpBinary, "begun early, done late")
			room.Quiet()
		},
	}, {
		ID: "v2/message/byte-by-byte", Section: section, Needs: V2,
		Says: "A message whose bytes come one by one is forwarded as one frame.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendEach(ClientFrame(Fin|OpBinary, strings.Repeat("slow but sure ", 10)))
			bob.ExpectFrame(Fin|OpBinary, strings.Repeat("slow but sure ", 10))
			room.Quiet()
		},
	}, {
		ID: "v2/message/in-one-segment", Section: section, Needs: V2,
		Says: "500 messages, text and binary by turns, that come at once arrive in order, each with its opcode.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			var frames [][]byte
			for i := range 250 {
				frames = append(frames, ClientFrame(Fin|OpText, fmt.Sprintf("text %d", i)), ClientFrame(Fin|OpBinary, fmt.Sprintf("binary %d", i)))
			}
			alice.Send(frames...)
			for i := range 250 {
				bob.ExpectFrame(Fin|OpText, fmt.Sprintf("text %d", i))
				bob.ExpectFrame(Fin|OpBinary, fmt.Sprintf("binary %d", i))
			}
			room.Quiet()
		},
	}, {
		ID: "v2/message/segments-anyhow", Section: section, Needs: V2,
		Says: "Where segments end does not matter: frames that are cut anywhere, two and a half at a time, arrive as they were sent.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			one, two, three := ClientFrame(Fin|OpBinary, "one"), ClientFrame(Fin|OpBinary, strings.Repeat("two", 50)), ClientFrame(Fin|OpText, "three")
			alice.Send(one, two[:3])
			bob.ExpectFrame(Fin|OpBinary, "one")
			alice.Send(two[3:20])
			alice.Send(two[20:], three[:1])
			bob.ExpectFrame(Fin|OpBinary, strings.Repeat("two", 50))
			alice.Send(three[1:], one)
			bob.ExpectFrame(Fin|OpText, "three")
			bob.ExpectFrame(Fin|OpBinary, "one")
		},
	}, {
		ID: "v2/message/both-ways", Section: section, Needs: V2,
		Says: "Two members that send 200 messages each at the same time get each other's in order and none of their own.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			for i := range 200 {
				alice.SendBinary(fmt.Sprintf("alice %d", i))
				bob.SendBinary(fmt.Sprintf("bob %d", i))
			}
			for i := range 200 {
				alice.ExpectFrame(Fin|OpBinary, fmt.Sprintf("bob %d", i))
				bob.ExpectFrame(Fin|OpBinary, fmt.Sprintf("alice %d", i))
			}
			room.Quiet()
		},
	}, {
		ID: "v2/channel/isolated", Section: section, Needs: V2,
		Says: "Messages stay in their channel: the same uid in another one, whose name differs by its last byte's case, gets none of them, live or from its history.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			other := t.RoomNamed(room.Channel[:len(room.Channel)-1] + "X")
			elsewhere := other.V2("alice")
			alice.SendBinary("of this channel")
			bob.ExpectFrame(Fin|OpBinary, "of this channel")
			late := t.DialV2()
			late.Hello("carol", other.Channel)
			elsewhere.SendBinary("elsewhere")
			late.ExpectNothingOf("bob", "of this channel", "elsewhere")
			other.Meet(late)
			other.Quiet()
		},
	}}
}
