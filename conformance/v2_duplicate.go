package conformance

import (
	"strings"
	"time"
)

// rejoin has uid join the room anew until it is let in: a server may take a
// moment to see that an earlier connection has gone.
func (r *Room) rejoin(uid string) *V2Conn {
	give := time.Now().Add(r.t.remaining())
	for {
		c := r.t.DialV2()
		c.Hello(uid, r.Channel)
		c.SendPing("in?")
		for {
			a, ok := c.in.take(r.t.remaining())
			if !ok {
				r.t.Fatalf("%s, who has left, is neither let in again nor refused within %v", uid, r.t.Patience())
			}
			if a.first == Fin|OpPong {
				return c
			}
			if a.end != nil {
				break
			}
		}
		c.Close()
		if time.Now().After(give) {
			r.t.Fatalf("%s, who has left, is still refused after %v", uid, r.t.Patience())
		}
	}
}

func v2DuplicateCases() []Case {
	const section = "v2/spec.md#closes-the-connection"
	return []Case{{
		ID: "v2/duplicate/refused", Section: section, Needs: V2,
		Says: "A second member of the same uid is refused while the first answers; the first stays, and nobody gets anything of the second.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			twin := t.DialV2()
			twin.named("alice", room.Channel)
			twin.Send(ClientFrame(Fin|OpText, twin.filled(`{"uid":"alice","channel":"$channel"$auth}`)), ClientFrame(Fin|OpBinary, "me too"))
			twin.ExpectNotIn(gatewayProbe)
			alice.SendBinary("I was here first")
			bob.ExpectFrame(Fin|OpBinary, "I was here first")
			bob.SendBinary("you were")
			alice.ExpectFrame(Fin|OpBinary, "you were")
			room.Quiet()
		},
	}, {
		ID: "v2/duplicate/not-stored", Section: section, Needs: V2,
		Says: "A refused second member leaves neither a message nor a second join notice in the history.",
		Run: func(t *T) {
			room := t.Room()
			alice := t.DialV2()
			alice.Hello("alice", room.Channel)
			alice.SendBinary("first")
			alice.SendPing("in")
			alice.ExpectPong("in")
			twin := t.DialV2()
			twin.Hello("alice", room.Channel)
			twin.SendBinary("second")
			twin.ExpectNotIn(gatewayProbe)
			bob := t.DialV2()
			bob.Hello("bob", room.Channel)
			bob.ExpectBinary("first")
			alice.SendBinary("the end")
			bob.ExpectNothingOf("alice", "second", "the end")
		},
	}, {
		ID: "v2/duplicate/other-channel", Section: section, Needs: V2,
		Says: "The same uid may be in another channel at the same time.",
		Run: func(t *T) {
			one, two := t.Room(), t.Room()
			one.V2("alice")
			two.V2("alice")
			one.V2("bob")
			two.V2("bob")
			one.Quiet()
			two.Quiet()
		},
	}, {
		ID: "v2/duplicate/other-case", Section: section, Needs: V2,
		Says: "alice and Alice are two: both may be in a channel.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("alice")
			room.V2("Alice")
			room.Quiet()
		},
	}, {
		ID: "v2/duplicate/after-close", Section: section, Needs: V2,
		Says: "A uid is free again when its holder has closed.",
		Run: func(t *T) {
			room := t.Room()
			alice, _ := room.V2("alice"), room.V2("bob")
			room.Leave(alice)
			alice.SeeOff()
			room.Meet(room.rejoin("alice"))
			room.Quiet()
		},
	}, {
		ID: "v2/duplicate/after-disconnect", Section: section, Needs: V2,
		Says: "A uid is free again when its holder's connection has ended without a close frame.",
		Run: func(t *T) {
			room := t.Room()
			alice, _ := room.V2("alice"), room.V2("bob")
			room.Leave(alice)
			alice.Close()
			room.Meet(room.rejoin("alice"))
			room.Quiet()
		},
	}, {
		ID: "v2/duplicate/after-refusal", Section: section, Needs: V2,
		Says: "Who was refused for a wrong auth is let in with the right one: the refusal holds nothing of the uid.",
		Run: func(t *T) {
			room := t.Room()
			room.V2("bob")
			eve := t.DialV2()
			eve.SendText(HelloText("alice", room.Channel, AuthOf("alice", room.Channel, t.Key()+"?")))
			eve.ExpectNotIn(silence)
			room.V2("alice")
			room.Quiet()
		},
	}, {
		ID: "v2/duplicate/wrong-auth", Section: section, Needs: V2,
		Says: "A second member of the same uid whose auth is wrong is refused, and the first stays, even if it answers no ping.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.ManualPongs()
			eve := t.DialV2()
			eve.SendText(HelloText("alice", room.Channel, AuthOf("alice", room.Channel, t.Key()+"?")))
			eve.ExpectNotIn(silence)
			if _, asked := alice.in.peek(0); asked {
				t.SetPatience(t.Patience() + gatewayProbe)
				time.Sleep(gatewayProbe)
			}
			alice.SendBinary("still here")
			bob.UpTo("still here")
			bob.SendBinary("so you are")
			alice.UpTo("so you are")
		},
	}, {
		ID: "v2/duplicate/dead-holder-replaced", Section: section, Needs: V2, Level: Should,
		Says: "A holder that answers no ping is replaced by the second member of its uid within seconds, and is closed with 1008.",
		Run: func(t *T) {
			room := t.Room()
			alice, _ := room.V2("alice"), room.V2("bob")
			alice.ManualPongs()
			room.Leave(alice)
			t.SetPatience(t.Patience() + gatewayProbe)
			again := t.DialV2()
			again.Hello("alice", room.Channel)
			room.Meet(again)
			room.Quiet()
			if frames := alice.Drain(); !strings.HasPrefix(frames[len(frames)-1], "close 1008 ") {
				t.Fatalf("the last thing that the holder got is %s; want a close frame with 1008", frames[len(frames)-1])
			}
		},
	}, {
		ID: "v2/duplicate/holder-speaks", Section: section, Needs: V2,
		Says: "A holder that answers no ping but sends messages is there: the second member of its uid is refused.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			alice.ManualPongs()
			twin := t.DialV2()
			twin.Hello("alice", room.Channel)
			for give := time.Now().Add(gatewayProbe); time.Now().Before(give); {
				if _, answered := twin.in.peek(20 * time.Millisecond); answered {
					break
				}
				if a, ok := alice.in.take(0); ok && a.first == Fin|OpPing {
					alice.SendBinary("I am here")
				}
			}
			twin.ExpectNotIn(0)
			alice.SendBinary("still here")
			bob.UpTo("still here")
			bob.SendBinary("so you are")
			alice.UpTo("so you are")
		},
	}}
}
