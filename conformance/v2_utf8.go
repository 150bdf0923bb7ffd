package conformance

// badTexts are what no text message may hold, one form each.
func badTexts() []struct{ what, says, text string } {
	return []struct{ what, says, text string }{
		{"byte", "A text message with the byte ff", "text \xff"},
		{"cut-off", "A text message that ends within a character", "text \xe2\x82"},
		{"overlong", "A text message with a slash in two bytes", "text \xc0\xaf"},
		{"surrogate", "A text message with half a surrogate pair", "text \xed\xa0\x80"},
		{"beyond-unicode", "A text message with a character beyond U+10FFFF", "text \xf4\x90\x80\x80"},
	}
}

func v2UTF8Cases() []Case {
	const section = "v2/spec.md#messages"
	cases := []Case{{
		ID: "v2/utf8/split-character", Section: section, Needs: V2,
		Says: "A character of text may be split between fragments.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.SendFrame(OpText, "f\xf0\x9f")
			alice.SendFrame(OpContinuation, "\x90")
			alice.SendFrame(Fin|OpContinuation, "\x9fsh")
			bob.ExpectFrame(Fin|OpText, "f🐟sh")
		},
	}, {
		ID: "v2/utf8/in-fragments", Section: section, Needs: V2,
		Says: "Text that is UTF-8 in each fragment but one ends its sender's connection, and nothing of it is forwarded.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.SendFrame(OpText, "good ")
			alice.SendFrame(Fin|OpContinuation, "\xc3(")
			alice.ExpectRefused()
			room.Leave(alice)
			room.Quiet()
		},
	}, {
		ID: "v2/utf8/not-stored", Section: section, Needs: V2,
		Says: "A text message that is not UTF-8 is not in the history, and the good one before it is.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.SendText("good")
			alice.SendText("bad \xff\xfe")
			alice.ExpectRefused()
			alice.Close()
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.ExpectText("good")
			room.VisitV2("carol", "the end")
			expectEqual(t, "bob", bob.UpTo("the end"), nil)
		},
	}, {
		ID: "v2/close/not-utf8", Section: "v2/spec.md#closes-the-connection", Needs: V2, Level: Should, Conns: 1,
		Says: "A text message that is not UTF-8 ends the connection with 1007.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			c.SendText("\xff")
			c.ExpectClose(1007)
		},
	}, {
		ID: "v2/close/hello-not-utf8", Section: "v2/spec.md#closes-the-connection", Needs: V2, Level: Should, Conns: 1,
		Says: "A hello that is not UTF-8 ends the connection with 1007.",
		Run: func(t *T) {
			c := t.DialV2()
			c.SendText("{\"uid\":\"\xff\"}")
			c.ExpectClose(1007)
		},
	}}
	for _, bad := range badTexts() {
		cases = append(cases, Case{
			ID: "v2/utf8/" + bad.what, Section: section, Needs: V2,
			Says: bad.says + " ends its sender's connection, and reaches nobody.",
			Run: func(t *T) {
				room := t.Room()
				alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
				alice.SendText(bad.text)
				alice.ExpectRefused()
				room.Leave(alice)
				room.Quiet()
			},
		})
	}
	return cases
}
