package conformance

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// ExpectCloseReason wants a close frame with the code next, and a reason in it
// for people to read, and returns that.
func (c *WSConn) ExpectCloseReason(code int) string {
	a := c.next("a close frame")
	got, reason := closeOf(a.payload)
	if a.first != Fin|OpClose || got != code || reason == "" || !utf8.ValidString(reason) {
		c.t.Fatalf("%s got %s; want a close frame with %d and a reason", c.name.String(), c.means(a), code)
	}
	return reason
}

func v2CloseCases() []Case {
	const section = "v2/spec.md#closing"
	const codes = "v2/spec.md#closes-the-connection"
	return []Case{{
		ID: "v2/close/ends", Section: section, Needs: V2,
		Says: "A close frame ends the connection, and nothing of it reaches others.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.SendClose(1000)
			alice.ExpectRefused()
			room.Leave(alice)
			room.Quiet()
		},
	}, {
		ID: "v2/close/data-after", Section: section, Needs: V2,
		Says: "Messages behind a close frame are ignored.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.Send(ClientFrame(Fin|OpBinary, "before"), ClientFrame(Fin|OpClose, ClosePayload(1000, "")), ClientFrame(Fin|OpBinary, "after"))
			alice.ExpectRefused()
			bob.ExpectFrame(Fin|OpBinary, "before")
			room.VisitV2("carol", "the end")
			bob.ExpectNothingOf("nobody", "after", "the end")
		},
	}, {
		ID: "v2/close/answered", Section: section, Needs: V2, Level: Should, Conns: 1,
		Says: "A close frame with code and reason is answered with one of the same code.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			c.SendFrame(Fin|OpClose, ClosePayload(4001, "bye"))
			c.ExpectAnswer(4001)
		},
	}, {
		ID: "v2/close/answered-empty", Section: section, Needs: V2, Level: Should, Conns: 1,
		Says: "A close frame without code is answered with one without code, or with 1000.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			c.SendFrame(Fin|OpClose, "")
			c.ExpectAnswer(1005, 1000)
		},
	}, {
		ID: "v2/close/before-hello", Section: section, Needs: V2, Conns: 1,
		Says: "A client may close before it has said hello.",
		Run: func(t *T) {
			c := t.DialV2()
			c.SendClose(1000)
			c.ExpectRefused()
		},
	}, {
		ID: "v2/close/code-forbidden", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "A close frame with 1005, which stands for none and must not be sent, ends the connection with 1002.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			c.SendClose(1005)
			c.ExpectClose(1002)
		},
	}, {
		ID: "v2/close/reason-not-utf8", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "A close frame whose reason is not UTF-8 ends the connection with 1002 or 1007.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			c.SendFrame(Fin|OpClose, ClosePayload(1000, "\xff"))
			c.ExpectClose(1002, 1007)
		},
	}, {
		ID: "v2/close/hello-refused", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "A refused hello ends the connection with 1008.",
		Run: func(t *T) {
			c := t.DialV2()
			c.SendText(`{"uid":"alice"}`)
			c.ExpectClose(1008)
		},
	}, {
		ID: "v2/close/hello-refused-forms", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "Every form of hello that is refused ends the connection with 1008, at once.",
		Run: func(t *T) {
			for _, bad := range badHellos() {
				c := t.DialV2()
				c.UID, c.Channel = "bob", t.Channel()
				c.name.set("the sender of %s", bad.what)
				c.SendText(c.filled(bad.text))
				c.ExpectClose(1008)
				c.Close()
			}
		},
	}, {
		ID: "v2/close/hello-binary", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "A binary first message ends the connection with 1008, or where v1 is spoken over WebSocket, too, with 1007, as it is no body.",
		Run: func(t *T) {
			c := t.DialV2()
			c.SendBinary(`{"uid":"alice"}`)
			c.ExpectClose(1008, 1007)
		},
	}, {
		ID: "v2/close/hello-too-big", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "A hello of 8,193 bytes ends the connection with 1009.",
		Run: func(t *T) {
			c := t.DialV2()
			c.SendText(`{"uid":"alice"}` + strings.Repeat(" ", 8193-15))
			c.ExpectClose(1009)
		},
	}, {
		ID: "v2/close/auth-wrong", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "A wrong auth ends the connection with 1008.",
		Run: func(t *T) {
			c, channel := t.DialV2(), t.Channel()
			c.SendText(HelloText("alice", channel, AuthOf("alice", channel, t.Key()+"?")))
			c.ExpectClose(1008)
		},
	}, {
		ID: "v2/close/reason", Section: codes, Needs: V2, Level: Should, Conns: 2,
		Says: "A refusal has a reason, which tells a hello that is wrong in form from one whose auth is wrong.",
		Run: func(t *T) {
			form, key, channel := t.DialV2(), t.DialV2(), t.Channel()
			form.SendText(`{"uid":"alice"}`)
			key.SendText(HelloText("alice", channel, AuthOf("alice", channel, t.Key()+"?")))
			if a, b := form.ExpectCloseReason(1008), key.ExpectCloseReason(1008); a == b {
				t.Fatalf("both reasons are %q", a)
			}
		},
	}, {
		ID: "v2/close/duplicate", Section: codes, Needs: V2, Level: Should,
		Says: "A second member of the same uid is closed with 1008.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			room.V2("bob")
			twin := t.DialV2()
			twin.Hello("alice", room.Channel)
			t.SetPatience(t.Patience() + gatewayProbe)
			twin.ExpectClose(1008)
		},
	}, {
		ID: "v2/close/too-big-announced", Section: codes, Needs: V2, Level: Should, Conns: 1,
		Says: "A message that announces 16,777,216 bytes ends the connection with 1009, before they have come.",
		Run: func(t *T) {
			c := t.DialV2()
			c.Hello("alice", t.Channel())
			c.Send([]byte{Fin | OpBinary, 0x80 | 127, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'x'})
			c.ExpectClose(1009)
		},
	}}
}

// ExpectAnswer wants the answer to the case's close frame, with one of the codes,
// and then the end of the connection without another frame.
func (c *WSConn) ExpectAnswer(codes ...int) {
	a := c.next("a close frame")
	code, _ := closeOf(a.payload)
	if a.first != Fin|OpClose || !slices.Contains(codes, code) {
		c.t.Fatalf("%s got %s; want a close frame with %v", c.name.String(), c.means(a), codes)
	}
	c.ExpectRefused()
}
