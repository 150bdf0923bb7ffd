package conformance

import "strings"

// v1NameCases are about what uids and channels may be.
func v1NameCases() []Case {
	of := func(n int) string { return strings.Repeat("n", n) }
	return []Case{
		v1Joins("unicode-uid", "A uid of two-, three- and four-byte characters joins.", "сäule-世界-🐟", ""),
		v1Joins("unicode-channel", "A channel of two-, three- and four-byte characters is joined.", "alice", "-сäule-世界-🐟"),
		v1Joins("nul", "A uid and a channel that contain NUL join.", "al\x00ice", "-\x00-"),
		v1Joins("empty-uid", "An empty uid joins.", "", ""),
		v1Joins("uid-1024", "A uid of 1,024 bytes joins.", of(1024), ""),
		v1Joins("channel-1024", "A channel of 1,024 bytes is joined.", "alice", of(1024-18)),
		v1Joins("json", "A uid and a channel of quotes, backslashes and controls join.", "\"al\\ice\"\n", "-\"\\\x01<&>"),
		v1TooLong("uid-1025", "A uid of 1,025 bytes does not join: the connection is closed without a word, and nobody gets anything.", of(1025), ""),
		v1TooLong("uid-1025-in-characters", "A uid of 1,026 bytes in 342 characters does not join: bytes count.", strings.Repeat("世", 342), ""),
		v1TooLong("channel-1025", "A channel of 1,025 bytes is not joined: the connection is closed without a word.", "alice", of(1025-18)),
		{
			ID: "v1/names/empty-channel", Section: "v1/spec.md#body", Needs: V1,
			Says: "The channel with the empty name is a channel: who joins it is sent what another one left there.",
			Run: func(t *T) {
				// Other runs may be in it, too: only frames of this case count.
				nameless := t.RoomNamed("")
				left := nameless.VisitV1(t.UID("alice"), "for "+t.UID("bob"))
				bob := t.DialV1()
				bob.Join(t.UID("bob"), "", "")
				bob.Until(left[1])
			},
		},
		v1Apart("prefix", "another that begins with its name", "", "2"),
		v1Apart("case", "another that differs in upper and lower case", "-room", "-Room"),
		v1Apart("space", "another with a space behind its name", "", " "),
		v1Apart("nul", "another with NUL behind its name", "", "\x00"),
		v1Apart("composition", "another that has é as one character instead of e and an accent", "-e\u0301", "-\u00e9"),
		v1Apart("long", "another that differs in the last of 1,024 bytes", of(1023-18)+"1", of(1023-18)+"2"),
	}
}

// v1Joins has uid join a channel whose name ends with end.
func v1Joins(name, says, uid, end string) Case {
	return Case{
		ID: "v1/names/" + name, Section: "v1/spec.md#limits", Needs: V1, Says: says,
		Run: func(t *T) {
			room := t.RoomNamed(t.Channel() + end)
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinWith(uid, room.Channel, Map3(uid, room.Channel, "hello")))
			room.Meet(alice)
		},
	}
}

// v1TooLong has uid not join such a channel.
func v1TooLong(name, says, uid, end string) Case {
	return Case{
		ID: "v1/names/" + name, Section: "v1/spec.md#limits", Level: Should, Needs: V1, Says: says,
		Run: func(t *T) {
			mallory := t.DialV1()
			mallory.Send(mallory.Frame(uid, t.Channel()+end, "hello"))
			mallory.ExpectClosed()
		},
	}
}

// v1Apart holds two channels apart, whose names are alike but for their ends.
func v1Apart(name, what, end, otherEnd string) Case {
	return Case{
		ID: "v1/isolation/" + name, Section: "v1/spec.md#session", Needs: V1,
		Says: "A channel and " + what + " are two: nothing sent in one is heard in the other, now or from the history.",
		Run: func(t *T) {
			channel := t.Channel()
			room, other := t.RoomNamed(channel+end), t.RoomNamed(channel+otherEnd)
			history := room.VisitV1("alice", "in the one")
			otherHistory := other.VisitV1("alice", "in the other")
			bob, carol := t.DialV1(), t.DialV1()
			history = append(history, bob.Join("bob", room.Channel, ""))
			bob.ExpectFrame(history[:2]...)
			otherHistory = append(otherHistory, carol.Join("carol", other.Channel, ""))
			carol.ExpectFrame(otherHistory[:2]...)
			v1HasHistory(room, append(history, bob.Say("live in the one")))
			v1HasHistory(other, append(otherHistory, carol.Say("live in the other")))
		},
	}
}
