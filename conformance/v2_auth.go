package conformance

import (
	"fmt"
	"strconv"
	"strings"
)

// authJoins shows that bob joins with auth as spell writes the right one.
func authJoins(t *T, spell func(auth string) string) {
	room := t.Room()
	room.V2("alice")
	bob := t.DialV2()
	bob.named("bob", room.Channel)
	bob.SendText(HelloText("bob", room.Channel, spell(AuthOf("bob", room.Channel, t.Key()))))
	room.Meet(bob)
}

// authRefused shows that bob is not let in with auth as spell writes the right
// one; it stands in the hello as it is.
func authRefused(t *T, spell func(auth string) string) {
	room := t.Room()
	room.V2("alice")
	bob := t.DialV2()
	bob.named("bob", room.Channel)
	auth := spell(AuthOf("bob", room.Channel, t.Key()))
	bob.SendText(`{"uid":"bob","channel":"` + room.Channel + `","auth":` + auth + `}`)
	room.KeepsOut(bob)
}

func v2AuthCases() []Case {
	const section = "v2/spec.md#auth"
	return []Case{{
		ID: "v2/hello/auth-wrong", Section: section, Needs: V2,
		Says: "A hello whose auth is not the hash is refused, also by a server without a key.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(HelloText("bob", room.Channel, AuthOf("bob", room.Channel, t.Key()+"?")))
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/auth/not-needed", Section: section, Needs: V2 | NoKey,
		Says: "Without a shared key no auth is needed.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(`{"uid":"bob","channel":"` + room.Channel + `"}`)
			room.Meet(bob)
		},
	}, {
		ID: "v2/auth/right", Section: section, Needs: V2,
		Says: "The hash over uid, channel and the shared key, or without one over uid and channel, is accepted.",
		Run:  func(t *T) { authJoins(t, func(auth string) string { return auth }) },
	}, {
		ID: "v2/auth/no-separators", Section: section, Needs: V2,
		Says: "Nothing separates uid, channel and key: the auth is the hash of their bytes, one behind the other.",
		Run: func(t *T) {
			room := t.RoomNamed("b" + t.Channel())
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bo", room.Channel)
			auth := fmt.Sprintf("%016x", SipHash([]byte("bob"+room.Channel[1:]+t.Key())))
			bob.SendText(HelloText("bo", room.Channel, auth))
			room.Meet(bob)
		},
	}, {
		ID: "v2/auth/upper-case", Section: section, Needs: V2,
		Says: "The digits may be upper case.",
		Run:  func(t *T) { authJoins(t, strings.ToUpper) },
	}, {
		ID: "v2/auth/zeros-left-out", Section: section, Needs: V2,
		Says: "Leading zeros may be left out.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			uid := "bob"
			for AuthOf(uid, room.Channel, t.Key())[0] != '0' {
				uid += "!"
			}
			bob := t.DialV2()
			bob.named(uid, room.Channel)
			bob.SendText(HelloText(uid, room.Channel, strings.TrimLeft(AuthOf(uid, room.Channel, t.Key()), "0")))
			room.Meet(bob)
		},
	}, {
		ID: "v2/auth/zeros-many", Section: section, Needs: V2,
		Says: "More than 16 digits are accepted if those before the last 16 are zeros.",
		Run: func(t *T) {
			authJoins(t, func(auth string) string { return strings.Repeat("0", 100) + auth })
		},
	}, {
		ID: "v2/auth/plus", Section: section, Needs: V2,
		Says: "One plus sign before the number is accepted.",
		Run:  func(t *T) { authJoins(t, func(auth string) string { return "+" + auth }) },
	}, {
		ID: "v2/auth/names-decoded", Section: section, Needs: V2,
		Says: "The auth is over the names that the JSON means, not over its bytes.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(`{"uid":"\u0062o\u0062","channel":"` + room.Channel + `","auth":"` + AuthOf("bob", room.Channel, t.Key()) + `"}`)
			room.Meet(bob)
		},
	}, {
		ID: "v2/auth/not-ascii", Section: section, Needs: V2, Level: Should,
		Says: "The auth of names outside of ASCII is over their UTF-8.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bjørn-🐻", room.Channel)
			bob.SendText(HelloText("bjørn-🐻", room.Channel, AuthOf("bjørn-🐻", room.Channel, t.Key())))
			room.Meet(bob)
		},
	}, {
		ID: "v2/auth/null", Section: section, Needs: V2 | NoKey,
		Says: "Without a shared key an auth that is null is as if it were not there.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(`{"uid":"bob","channel":"` + room.Channel + `","auth":null}`)
			room.Meet(bob)
		},
	}, {
		ID: "v2/auth/null-with-key", Section: section, Needs: V2 | Key,
		Says: "With a shared key an auth that is null is refused.",
		Run:  func(t *T) { authRefused(t, func(string) string { return `null` }) },
	}, {
		ID: "v2/auth/absent-with-key", Section: section, Needs: V2 | Key,
		Says: "With a shared key a hello without auth is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(`{"uid":"bob","channel":"` + room.Channel + `"}`)
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/auth/keyless-with-key", Section: section, Needs: V2 | Key,
		Says: "With a shared key the hash over uid and channel alone is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(HelloText("bob", room.Channel, AuthOf("bob", room.Channel, "")))
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/auth/of-another-uid", Section: section, Needs: V2,
		Says: "The auth of another uid of the channel is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(HelloText("bob", room.Channel, AuthOf("alice", room.Channel, t.Key())))
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/auth/of-another-channel", Section: section, Needs: V2,
		Says: "The auth of the same uid in another channel is refused.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			bob := t.DialV2()
			bob.named("bob", room.Channel)
			bob.SendText(HelloText("bob", room.Channel, AuthOf("bob", t.Channel(), t.Key())))
			room.KeepsOut(bob)
		},
	}, {
		ID: "v2/auth/last-bit", Section: section, Needs: V2,
		Says: "All 64 bits count: an auth with its first digit's highest bit turned is refused, one with its last digit's lowest bit turned too.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			auth := SipHash([]byte("bob" + room.Channel + t.Key()))
			for _, wrong := range []uint64{auth ^ 1<<63, auth ^ 1} {
				bob := t.DialV2()
				bob.named("bob", room.Channel)
				bob.SendText(HelloText("bob", room.Channel, fmt.Sprintf("%016x", wrong)))
				room.KeepsOut(bob)
				bob.Close()
			}
		},
	}, {
		ID: "v2/auth/too-many-digits", Section: section, Needs: V2,
		Says: "A number of more than 64 bits is refused though its last 64 are right.",
		Run: func(t *T) {
			authRefused(t, func(auth string) string { return `"1` + auth + `"` })
		},
	}, {
		ID: "v2/auth/prefix", Section: section, Needs: V2,
		Says: "0x before the digits is refused.",
		Run:  func(t *T) { authRefused(t, func(auth string) string { return `"0x` + auth + `"` }) },
	}, {
		ID: "v2/auth/space-before", Section: section, Needs: V2,
		Says: "A space before the digits is refused.",
		Run:  func(t *T) { authRefused(t, func(auth string) string { return `" ` + auth + `"` }) },
	}, {
		ID: "v2/auth/line-feed-after", Section: section, Needs: V2,
		Says: "A line feed after the digits is refused.",
		Run:  func(t *T) { authRefused(t, func(auth string) string { return `"` + auth + `\n"` }) },
	}, {
		ID: "v2/auth/underscore", Section: section, Needs: V2,
		Says: "An underscore between the digits is refused.",
		Run: func(t *T) {
			authRefused(t, func(auth string) string { return `"` + auth[:8] + `_` + auth[8:] + `"` })
		},
	}, {
		ID: "v2/auth/empty", Section: section, Needs: V2,
		Says: "An empty auth is refused; it is not the absence of one.",
		Run:  func(t *T) { authRefused(t, func(string) string { return `""` }) },
	}, {
		ID: "v2/auth/number", Section: section, Needs: V2,
		Says: "An auth that is a JSON number is refused though it has the right value.",
		Run: func(t *T) {
			authRefused(t, func(auth string) string {
				n, _ := strconv.ParseUint(auth, 16, 64)
				return strconv.FormatUint(n, 10)
			})
		},
	}, {
		ID: "v2/auth/twice", Section: section, Needs: V2,
		Says: "An auth that stands twice is refused though both are right.",
		Run: func(t *T) {
			authRefused(t, func(auth string) string { return `"` + auth + `","auth":"` + auth + `"` })
		},
	}, {
		ID: "v2/auth/null-then-right", Section: section, Needs: V2,
		Says: "An auth that is null counts as one: a right one after it is the second and is refused.",
		Run: func(t *T) {
			authRefused(t, func(auth string) string { return `null,"auth":"` + auth + `"` })
		},
	}}
}
