package conformance

import "strings"

// v1wsNameCases are about what uids and channels may be.
func v1wsNameCases() []Case {
	of := func(n int) string { return strings.Repeat("n", n) }
	const limits = "v1/spec.md#limits"
	return []Case{
		v1wsJoins("unicode", "A uid and a channel of two-, three- and four-byte characters join.", "сäule-世界-🐟", "-сäule-世界-🐟"),
		v1wsJoins("nul", "A uid and a channel that contain NUL join.", "al\x00ice", "-\x00-"),
		v1wsJoins("empty-uid", "An empty uid joins.", "", ""),
		v1wsJoins("json", "A uid and a channel of quotes, backslashes and controls join.", "\"al\\ice\"\n", "-\"\\\x01<&>"),
		v1wsJoins("uid-1024", "A uid of 1,024 bytes joins.", of(1024), ""),
		v1wsJoins("channel-1024", "A channel of 1,024 bytes is joined.", "alice", of(1024-18)),
		v1wsTooLong("uid-1025", "A uid of 1,025 bytes does not join: the connection ends, with 1007 or 1008.", of(1025), ""),
		v1wsTooLong("channel-1025", "A channel of 1,025 bytes is not joined: the connection ends, with 1007 or 1008.", "alice", of(1025-18)),
		{
			ID: "v1ws/names/later-uid-1025", Section: limits, Needs: V1WS, Level: Should,
			Says: "A later uid of 1,025 bytes counts as a body that does not decode: 1007, and it reaches nobody.",
			Run: func(t *T) {
				room := t.Room()
				alice, bob := room.V1WS("alice"), room.V1WS("bob")
				alice.SendBody(string(Map3(of(1025), room.Channel, "of whom?")))
				alice.ExpectClose(1007)
				room.heardNothingWS(bob)
			},
		},
		{
			ID: "v1ws/names/empty-channel", Section: "v1/spec.md#body", Needs: V1WS,
			Says: "The channel with the empty name is a channel, beside another on the same connection too.",
			Run: func(t *T) {
				// Other runs may be in it, too: only bodies of this case count.
				alice, bob := t.DialV1WS(), t.DialV1WS()
				uid := t.UID("bob")
				left := alice.Join(t.UID("alice"), "", "for "+uid).Body("for " + uid)
				alice.SeeOff()
				room := t.Room()
				room.HostWS("carol")
				inRoom := bob.Join(uid, room.Channel, "")
				room.Meet(inRoom)
				bob.Join(uid, "", "")
				bob.bodiesUntil(left)
			},
		},
		v1wsApart("prefix", "another that begins with its name", "", "2"),
		v1wsApart("case", "another that differs in upper and lower case", "-room", "-Room"),
		v1wsApart("composition", "another that has é as one character instead of e and an accent", "-e\u0301", "-\u00e9"),
	}
}

// v1wsJoins has uid join a channel whose name ends with end.
func v1wsJoins(name, says, uid, end string) Case {
	return Case{
		ID: "v1ws/names/" + name, Section: "v1/spec.md#limits", Needs: V1WS, Says: says,
		Run: func(t *T) {
			room := t.RoomNamed(t.Channel() + end)
			bob := room.HostWS("bob")
			alice := t.DialV1WS().Join(uid, room.Channel, "hello")
			bob.ExpectBody(alice.Body("hello"))
			room.Meet(alice)
		},
	}
}

// v1wsTooLong has uid not join such a channel.
func v1wsTooLong(name, says, uid, end string) Case {
	return Case{
		ID: "v1ws/names/" + name, Section: "v1/spec.md#limits", Level: Should, Needs: V1WS, Says: says, Conns: 1,
		Run: func(t *T) {
			t.DialV1WS().Join(uid, t.Channel()+end, "hello").ExpectClose(1007, 1008)
		},
	}
}

// v1wsApart holds two channels of one connection apart, whose names are alike but
// for their ends.
func v1wsApart(name, what, end, otherEnd string) Case {
	return Case{
		ID: "v1ws/isolation/" + name, Section: "v1/spec.md#websocket", Needs: V1WS,
		Says: "A channel and " + what + " are two, on one connection as well: nothing sent in one is heard in the other, now or from the history.",
		Run: func(t *T) {
			channel := t.Channel()
			room, other := t.RoomNamed(channel+end), t.RoomNamed(channel+otherEnd)
			history, otherHistory := room.visitV1WS("alice", "in the one"), other.visitV1WS("alice", "in the other")
			both := t.DialV1WS()
			one, entered := both.enters("bob", room.Channel)
			both.ExpectBody(history.bodies(room.Channel)...)
			two, otherEntered := both.enters("bob", other.Channel)
			both.ExpectBody(otherHistory.bodies(other.Channel)...)
			history = history.and(entered).and(one.tells("live in the one"))
			otherHistory = otherHistory.and(otherEntered).and(two.tells("live in the other"))
			both.SeeOff()
			room.hasWS(history)
			other.hasWS(otherHistory)
		},
	}
}
