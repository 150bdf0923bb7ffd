package conformance

import "time"

// pingInterval is how often a server pings.
const pingInterval = 24 * time.Second

func v2SlowCases() []Case {
	return []Case{{
		ID: "v2/slow/no-hello", Section: "v2/spec.md#limits", Needs: V2 | Slow, Level: Should, Conns: 1, Deadline: 30 * time.Second,
		Says: "Who says no hello is closed with 1008 within 10 s, and not at once.",
		Run: func(t *T) {
			c := t.DialV2()
			t.SetPatience(15 * time.Second)
			start := time.Now()
			c.ExpectClose(1008)
			if took := time.Since(start); took < 5*time.Second {
				t.Fatalf("closed after %v; want about 10 s", took)
			}
		},
	}, {
		ID: "v2/slow/hello-in-drops", Section: "v2/spec.md#limits", Needs: V2 | Slow, Level: Should, Conns: 1, Deadline: 30 * time.Second,
		Says: "A hello that comes byte by byte, a second apart, is not waited for longer than 10 s.",
		Run: func(t *T) {
			c := t.DialV2()
			t.SetPatience(time.Second)
			start := time.Now()
			for _, b := range ClientFrame(Fin|OpText, `{"uid":"alice","channel":"never to be","x":"and on and on"}`) {
				c.Send([]byte{b})
				if a, ok := c.in.take(t.remaining()); ok && (a.end != nil || a.first == Fin|OpClose) {
					return
				}
				if time.Since(start) > 15*time.Second {
					t.Fatalf("still open after %v", time.Since(start))
				}
			}
		},
	}, {
		ID: "v2/slow/frame-stops", Section: "v2/spec.md#limits", Needs: V2 | Slow, Level: Should, Deadline: 40 * time.Second,
		Says: "A frame that was begun and does not go on ends its sender's connection with 1008 after 10 s, and others hear nothing of it.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V2("alice"), room.V2("bob"), room.V2("carol")
			alice.Send(ClientFrame(Fin|OpBinary, "the half of one")[:12])
			room.Leave(alice)
			patience := t.Patience()
			t.SetPatience(20 * time.Second)
			alice.ExpectClose(1008)
			t.SetPatience(patience)
			room.Quiet()
		},
	}, {
		ID: "v2/slow/ping", Section: "v2/spec.md#pings", Needs: V2 | Slow, Conns: 1, Deadline: 60 * time.Second,
		Says: "A member that sends nothing is pinged after 24 s, and after 24 more, if it answers.",
		Run: func(t *T) {
			c := t.DialV2()
			c.ManualPongs()
			c.Hello("alice", t.Channel())
			t.SetPatience(pingInterval + 3*time.Second)
			for range 2 {
				start := time.Now()
				first, payload := c.Next()
				if first != Fin|OpPing {
					t.Fatalf("alice got %s; want a ping", meaningWS(first, []byte(payload)))
				}
				if took := time.Since(start); took < pingInterval-4*time.Second {
					t.Fatalf("pinged after %v; want 24 s", took)
				}
				c.SendFrame(Fin|OpPong, payload)
			}
		},
	}, {
		ID: "v2/slow/pings-missed", Section: "v2/spec.md#pings", Needs: V2 | Slow, Deadline: 130 * time.Second,
		Says: "Who answers no ping is closed after three, when the next would be due; who answers them stays.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V2("alice"), room.V2("bob")
			bob.ManualPongs()
			room.Leave(bob)
			patience := t.Patience()
			t.SetPatience(5 * pingInterval)
			start, pings := time.Now(), 0
			for {
				a, ok := bob.in.take(t.remaining())
				if !ok {
					t.Fatalf("bob is still open after %v and %d pings", time.Since(start), pings)
				}
				if a.end != nil || a.first == Fin|OpClose {
					break
				}
				if a.first == Fin|OpPing {
					pings++
				}
			}
			if took := time.Since(start); pings < 3 || took < 3*pingInterval-4*time.Second {
				t.Fatalf("bob was closed after %v and %d pings; want three and some 96 s", took, pings)
			}
			t.SetPatience(patience)
			carol := room.V2("carol")
			alice.SendBinary("still here")
			carol.ExpectFrame(Fin|OpBinary, "still here")
			room.Quiet()
		},
	}}
}
