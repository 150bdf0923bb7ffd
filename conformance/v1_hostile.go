package conformance

import (
	"strings"
	"time"
)

// v1HostileCases end or stall servers that take what they are told. In each of
// them bob and carol are there before, and must be there after.
func v1HostileCases() []Case {
	return []Case{{
		ID: "v1/hostile/nested-arrays", Section: "v1/spec.md#limits", Needs: V1 | Hostile,
		Says: "First frames of a million arrays, maps or tags in each other close their connections, and others notice nothing.",
		Run: func(t *T) {
			v1Survives(t, func(c string) [][]byte {
				var bodies [][]byte
				for _, level := range []string{"\x81", "\x9f", "\xa1\x00", "\xbf\x00", "\xc1"} {
					bodies = append(bodies, []byte("\xa4"+uidAlice+inChannel(c)+messageHi+"\x61x"+strings.Repeat(level, 1_000_000)+"\x00"))
				}
				return bodies
			})
		},
	}, {
		ID: "v1/hostile/nested-later", Section: "v1/spec.md#errors", Needs: V1 | Hostile,
		Says: "A later frame of a million arrays in each other is forwarded byte for byte, and all stay.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			frame := Frame(1, 2, []byte("\xa4"+uidAlice+inChannel(room.Channel)+messageHi+"\x61x"+strings.Repeat("\x81", 1_000_000)+"\x00"))
			alice.Send(frame)
			bob.ExpectFrame(frame)
			room.Quiet()
		},
	}, {
		ID: "v1/hostile/huge-counts", Section: "v1/spec.md#decoding", Needs: V1 | Hostile,
		Says: "First frames that announce maps, arrays and strings of 2^31 to 2^63 entries and end there close their connections, and others notice nothing.",
		Run: func(t *T) {
			v1Survives(t, func(c string) [][]byte {
				var bodies [][]byte
				for _, count := range []string{"\x1a\x7f\xff\xff\xff", "\x1b\x00\x00\x00\xff\xff\xff\xff\xff", "\x1b\x7f\xff\xff\xff\xff\xff\xff\xff", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff"} {
					for _, major := range []byte{MajorBytes, MajorText, MajorArray, MajorMap} {
						item := append([]byte{major<<5 | count[0]}, count[1:]...)
						bodies = append(bodies, item, []byte("\xa3"+uidAlice+inChannel(c)+"\x67message"+string(item)))
					}
				}
				return bodies
			})
		},
	}, {
		ID: "v1/hostile/announced-by-many", Section: "v1/spec.md#frame", Needs: V1 | Hostile, Conns: 24,
		Says: "Twenty connections that announce 16 MiB each and send ten bytes cost others nothing, before and after they close.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol := room.V1("bob"), room.V1("carol")
			var many []*V1Conn
			for range 20 {
				c := t.DialV1()
				c.Send(HeaderAndBody(0xffffff, 1, 2, []byte("ten bytes.")))
				many = append(many, c)
			}
			carol.ExpectFrame(bob.Say("meanwhile"))
			for _, c := range many {
				c.Close()
			}
			room.Quiet()
		},
	}, {
		ID: "v1/hostile/connections-come-and-go", Section: "v1/spec.md#errors", Needs: V1 | Hostile,
		Says: "Five hundred connections that end at once, with nothing, half a frame or a wrong one, by an end or a reset, cost others nothing.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol := room.V1("bob"), room.V1("carol")
			for i := range 500 {
				c := t.DialV1()
				first := c.Frame("mallory", room.Channel, "hello")
				switch i % 4 {
				case 1:
					c.Send(first[:i%40+1])
				case 2:
					c.Send([]byte("GET / HTTP/1.1\r\n\r\n"))
				case 3:
					c.Send(Frame(1, 2, Map3("mallory", room.Channel, "wrong key")))
				}
				if i%3 == 0 {
					c.Reset()
				} else {
					c.Close()
				}
			}
			carol.ExpectFrame(bob.Say("still here"))
			room.Quiet()
		},
	}, {
		ID: "v1/hostile/deaf-member", Section: "v1/spec.md#session", Needs: V1 | Hostile, Deadline: longDeadline,
		Says: "A member that reads nothing while another sends 32 MB stops nobody: a third gets it all, in order.",
		Run: func(t *T) {
			t.SetPatience(10 * time.Second)
			room := t.Room()
			bob, carol, deaf := room.V1("bob"), room.V1("carol"), t.DialV1Deaf()
			in := deaf.Join("deaf", room.Channel, "I do not listen")
			bob.ExpectFrame(in)
			carol.ExpectFrame(in)
			pad := strings.Repeat(".", 64_000)
			for _, batch := range [][]string{numbered(250, pad), numbered(250, pad+"!")} {
				for _, m := range batch {
					carol.ExpectFrame(bob.Say(m))
				}
			}
			said := deaf.Say("and still speak")
			bob.ExpectFrame(said)
			carol.ExpectFrame(said)
			room.Quiet()
		},
	}, {
		ID: "v1/hostile/flood", Section: "v1/spec.md#session", Needs: V1 | Hostile, Deadline: longDeadline,
		Says: "Fifty thousand messages, as fast as one member can send them, reach another whole and in order.",
		Run: func(t *T) {
			t.SetPatience(10 * time.Second)
			room := t.Room()
			alice, bob := room.V1("alice"), room.V1("bob")
			for _, end := range []string{"a", "b", "c", "d", "e"} {
				var frames [][]byte
				for _, m := range numbered(10_000, end) {
					frames = append(frames, alice.Msg(m))
				}
				alice.Send(frames...)
				bob.ExpectFrame(frames...)
			}
			room.Quiet()
		},
	}, {
		ID: "v1/hostile/history-bounded", Section: "v1/spec.md#session", Needs: V1 | Hostile,
		Says: "After 20,000 small frames, who joins is sent fewer of them: the history has a limit.",
		Run: func(t *T) {
			room := t.Room()
			sent := room.VisitV1("alice", numbered(20_000, "")...)
			bob := t.DialV1()
			bob.Join("bob", room.Channel, "")
			bob.in.peek(t.remaining()) // he is in, or there is no history at all
			if n := len(bob.Until(room.VisitV1("zoe")[0])); n >= len(sent) {
				t.Fatalf("bob was sent all %d frames", n)
			}
		},
	}, {
		ID: "v1/hostile/resync-of-many", Section: "v1/spec.md#resync", Needs: V1 | Hostile, Deadline: longDeadline,
		Says: "A ResyncMsg of 50,000 frames is forwarded whole and in order.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
			memory := [][]byte{peer.Msg("")}
			for _, m := range numbered(50_000, "") {
				memory = append(memory, peer.Msg(m))
			}
			peer.resync(memory...)
			bob.ExpectFrame(memory...)
			room.Meet(peer.V1Conn)
		},
	}, {
		ID: "v1/hostile/resync-short-frame", Section: "v1/spec.md#resync", Needs: V1 | Hostile,
		Says: "A ResyncMsg whose first frame has 15 bytes, less than a header, closes its connection, and others notice nothing.",
		Run: func(t *T) {
			v1Survives(t, func(c string) [][]byte {
				return [][]byte{Resync([]byte("M23456789012345"))}
			})
		},
	}}
}

// v1Survives sends first frames with these bodies, each on a connection of its own
// and under a right key. Each must be closed, and bob and carol must go on.
func v1Survives(t *T, bodies func(channel string) [][]byte) {
	room := t.Room()
	bob, carol := room.V1("bob"), room.V1("carol")
	for _, body := range bodies(room.Channel) {
		mallory := t.DialV1()
		mallory.JoinWith("alice", room.Channel, body)
		mallory.ExpectClosed()
		mallory.Close()
	}
	carol.ExpectFrame(bob.Say("still here"))
	room.Quiet()
}
