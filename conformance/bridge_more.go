package conformance

import "strings"

// bridgeMoreCases are what broken servers got past the other cases with.
func bridgeMoreCases() []Case {
	long := strings.Repeat("n", 1000)
	return []Case{
		bridgeApart("nul", "by NUL at its end", "", "\x00"),
		bridgeApart("long", "in the last of 1,019 bytes", long+"1", long+"2"),
		bridgeApart("case", "in upper and lower case", "-room", "-Room"),
		bridgeApart("space", "by a space at its end", "", " "),
	}
}

// bridgeApart has members of both dialects in two channels whose names are alike
// but for their ends.
func bridgeApart(name, how, end, otherEnd string) Case {
	return Case{
		ID: "bridge/name/channels-" + name, Section: "bridge/mapping.md#between-the-dialects", Needs: V1 | V2,
		Says: "Channels whose names differ " + how + " are two, and each is one in both dialects.",
		Run: func(t *T) {
			base := t.Channel()
			one, two := t.RoomNamed(base+end), t.RoomNamed(base+otherEnd)
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
	}
}
