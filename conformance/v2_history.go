package conformance

import (
	"fmt"
	"strings"
)

// inOrder returns n messages that differ: "message 0" …
func inOrder(n int) []string {
	var messages []string
	for i := range n {
		messages = append(messages, fmt.Sprintf("message %d", i))
	}
	return messages
}

func v2HistoryCases() []Case {
	const section = "v2/spec.md#messages"
	const notices = "v2/spec.md#join-notices"
	return []Case{{
		ID: "v2/history/before-live", Section: section, Needs: V2,
		Says: "A joiner gets the history, oldest first and each message once, then what is new.",
		Run: func(t *T) {
			room := t.Room()
			room.VisitV2("alice", "one", "two", "three")
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			for _, m := range []string{"one", "two", "three"} {
				bob.ExpectBinary(m)
			}
			room.VisitV2("carol", "four")
			bob.ExpectBinary("four")
			room.VisitV2("dave", "five")
			bob.ExpectBinary("five")
		},
	}, {
		ID: "v2/history/opcodes", Section: section, Needs: V2,
		Says: "The history has text as text and binary as binary, in the order in which they came, empty ones too.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.SendText("text 1")
			alice.SendBinary("binary 1")
			alice.SendBinary("")
			alice.SendText("")
			alice.SendText("text 2")
			alice.SendBinary("binary 2")
			alice.SeeOff()
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.ExpectText("text 1")
			bob.ExpectBinary("binary 1")
			bob.ExpectBinary("")
			bob.ExpectText("")
			bob.ExpectText("text 2")
			bob.ExpectBinary("binary 2")
		},
	}, {
		ID: "v2/history/frames", Section: section, Needs: V2,
		Says: "In the history a message is one unmasked frame, also one of 70,000 bytes and one that came in fragments.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.SendBinary(strings.Repeat("l", 70_000))
			alice.SendFrame(OpText, "in ")
			alice.SendFrame(Fin|OpContinuation, "two")
			alice.SeeOff()
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.ExpectNotice("alice")
			bob.ExpectBytes(UnmaskedFrame(Fin|OpBinary, strings.Repeat("l", 70_000)))
			bob.ExpectBytes(UnmaskedFrame(Fin|OpText, "in two"))
		},
	}, {
		ID: "v2/history/own", Section: section, Needs: V2,
		Says: "Who comes back gets its own earlier messages too.",
		Run: func(t *T) {
			room := t.Room()
			room.VisitV2("alice", "mine")
			room.VisitV2("bob", "his")
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.ExpectBinary("mine")
			alice.ExpectBinary("his")
		},
	}, {
		ID: "v2/history/newest-kept", Section: "v2/spec.md#hello", Needs: V2,
		Says: "Of 300 messages a joiner gets the newest, however many are kept, without a gap and in order.",
		Run: func(t *T) {
			room := t.Room()
			sent := inOrder(300)
			room.VisitV2("alice", sent...)
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			room.VisitV2("carol", "the end")
			got := bob.UpTo("the end")
			if len(got) == 0 || len(got) > len(sent) {
				t.Fatalf("bob got %d messages of %d", len(got), len(sent))
			}
			expectEqual(t, "bob", got, sent[len(sent)-len(got):])
		},
	}, {
		ID: "v2/history/limit", Section: "v2/spec.md#hello", Needs: V2, Level: Should,
		Says: "A channel keeps its last 200 messages unless the operator says otherwise.",
		Run: func(t *T) {
			room := t.Room()
			sent := inOrder(203)
			room.VisitV2("alice", sent...)
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			for _, m := range sent[3:] {
				bob.ExpectFrame(Fin|OpBinary, m)
			}
		},
	}, {
		ID: "v2/history/seam", Section: section, Needs: V2,
		Says: "Who joins while another sends 150 messages gets each once and in order, whether from the history or live.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := t.DialV2(), t.DialV2()
			alice.Hello("alice", room.Channel)
			for i, m := range inOrder(150) {
				alice.SendBinary(m)
				if i == 75 {
					bob.Hello("bob", room.Channel)
				}
			}
			alice.SendBinary("the end")
			expectEqual(t, "bob", bob.UpTo("the end"), inOrder(150))
		},
	}, {
		ID: "v2/history/of-all-senders", Section: section, Needs: V2,
		Says: "The messages of one sender after another stand in the history in the order of their visits.",
		Run: func(t *T) {
			room := t.Room()
			room.VisitV2("alice", "a1", "a2")
			room.VisitV2("bob", "b1")
			room.VisitV2("alice", "a3")
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			for _, m := range []string{"a1", "a2", "b1", "a3"} {
				carol.ExpectBinary(m)
			}
		},
	}, {
		ID: "v2/history/same-for-all", Section: section, Needs: V2,
		Says: "Messages of two who send at the same time have one order in the history: two joiners get the same.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := t.DialV2(), t.DialV2()
			alice.Hello("alice", room.Channel)
			bob.Hello("bob", room.Channel)
			for i := range 60 {
				alice.SendBinary(fmt.Sprintf("alice %d", i))
				bob.SendBinary(fmt.Sprintf("bob %d", i))
			}
			alice.SeeOff()
			bob.SeeOff()
			carol, dave := t.DialV2(), t.DialV2()
			carol.Hello("carol", room.Channel)
			dave.Hello("dave", room.Channel)
			room.VisitV2("eve", "the end")
			got := carol.UpTo("the end")
			if len(got) != 120 {
				t.Fatalf("carol got %d messages; want 120", len(got))
			}
			expectEqual(t, "dave", dave.UpTo("the end"), got)
		},
	}, {
		ID: "v2/history/notice-of-join", Section: notices, Needs: V2,
		Says: "Where a member joined the history has its join notice, in text: before its messages and behind those that were there.",
		Run: func(t *T) {
			room := t.Room()
			room.VisitV2("alice", "a1")
			room.VisitV2("bob", "b1")
			carol := t.DialV2()
			carol.Hello("carol", room.Channel)
			carol.ExpectNotice("alice")
			carol.ExpectFrame(Fin|OpBinary, "a1")
			carol.ExpectNotice("bob")
			carol.ExpectFrame(Fin|OpBinary, "b1")
		},
	}, {
		ID: "v2/history/notice-without-auth", Section: notices, Needs: V2, Level: Should,
		Says: "The history holds a join notice where a member joined, and that has no auth in it, though the hello had.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.UID, alice.Channel = "alice", room.Channel
			alice.SendText(HelloText("alice", room.Channel, AuthOf("alice", room.Channel, t.Key())))
			alice.SendBinary("hello")
			alice.SeeOff()
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			if n := bob.ExpectNotice("alice"); n.HasAuth {
				t.Fatalf("the notice of alice holds her auth")
			}
			bob.ExpectFrame(Fin|OpBinary, "hello")
		},
	}, {
		ID: "v2/history/notice-members", Section: notices, Needs: V2, Level: Should,
		Says: "A join notice is uid and channel and nothing else of the hello: no unknown members, no white space.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.HelloAs("alice", room.Channel, `{ "secret" : "of alice", "channel":"$channel", "uid":"alice"$auth }`)
			alice.SeeOff()
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.ExpectFrame(Fin|OpText, `{"uid":"alice","channel":"`+room.Channel+`"}`)
		},
	}, {
		ID: "v2/history/live-without-auth", Section: notices, Needs: V2,
		Says: "Those present never get a joiner's auth, whether or not they get a join notice of it.",
		Run: func(t *T) {
			room := t.Room()
			alice := room.V2("alice")
			bob := t.DialV2()
			bob.UID, bob.Channel = "bob", room.Channel
			auth := AuthOf("bob", room.Channel, t.Key())
			bob.SendText(HelloText("bob", room.Channel, auth))
			bob.SendBinary("here I am")
			alice.ExpectNothingOf("nobody", auth, "here I am")
		},
	}, {
		ID: "v2/join/nothing-of-its-own", Section: "v2/spec.md#hello", Needs: V2,
		Says: "The first of a channel gets nothing when it joins: no answer to its hello, and its own join notice neither.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.SendPing("in")
			alice.ExpectFrame(Fin|OpPong, "in")
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.SendBinary("the first thing")
			alice.ExpectNothingOf("alice", "alice", "the first thing")
		},
	}}
}
