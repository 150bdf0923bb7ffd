package conformance

import "time"

// pingIntervalWS is how often a server pings a v1 WebSocket.
const pingIntervalWS = 12 * time.Second

func v1wsSlowCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/slow/no-body", Section: "v1/spec.md#limits", Needs: V1WS | Slow, Level: Should, Conns: 1, Deadline: 30 * time.Second,
		Says: "Who sends no first body is closed with 1008 within 10 s, and not at once.",
		Run: func(t *T) {
			c := t.DialV1WS()
			t.SetPatience(15 * time.Second)
			start := time.Now()
			for a := c.next("a close frame"); a.first != Fin|OpClose; a = c.next("a close frame") {
			}
			if took := time.Since(start); took < 5*time.Second {
				t.Fatalf("closed after %v; want about 10 s", took)
			}
		},
	}, {
		ID: "v1ws/slow/frame-stops", Section: "v1/spec.md#limits", Needs: V1WS | Slow, Level: Should, Deadline: 40 * time.Second,
		Says: "A body that was begun and does not go on ends its sender's connection with 1008 after 10 s, and others hear nothing of it.",
		Run: func(t *T) {
			room := t.Room()
			alice, _, _ := room.V1WS("alice"), room.V1WS("bob"), room.V1WS("carol")
			alice.Send(ClientFrame(Fin|OpBinary, alice.Body("the half of one"))[:30])
			room.Leave(alice)
			patience := t.Patience()
			t.SetPatience(20 * time.Second)
			alice.ExpectClose(1008)
			t.SetPatience(patience)
			room.Quiet()
		},
	}, {
		ID: "v1ws/slow/ping", Section: section, Needs: V1WS | Slow, Conns: 1, Deadline: 45 * time.Second,
		Says: "A member that sends nothing is pinged every 12 s, as long as it answers.",
		Run: func(t *T) {
			c := t.DialV1WS()
			c.ManualPongs()
			c.Join("alice", t.Channel(), "")
			t.SetPatience(pingIntervalWS + 3*time.Second)
			for n := range 3 {
				start := time.Now()
				first, payload := c.Next()
				if first != Fin|OpPing {
					t.Fatalf("alice got %s; want a ping", meaningWS(first, []byte(payload)))
				}
				if took := time.Since(start); n > 0 && took < pingIntervalWS-3*time.Second {
					t.Fatalf("pinged again after %v; want 12 s", took)
				}
				c.SendFrame(Fin|OpPong, payload)
			}
		},
	}, {
		ID: "v1ws/slow/pings-missed", Section: section, Needs: V1WS | Slow, Deadline: 90 * time.Second,
		Says: "Who answers no ping is closed, after two or three of them; who answers them stays.",
		Run: func(t *T) {
			room := t.Room()
			alice, bob := room.V1WS("alice"), room.V1WS("bob")
			bob.ManualPongs()
			room.Leave(bob)
			patience := t.Patience()
			t.SetPatience(6 * pingIntervalWS)
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
			if took := time.Since(start); pings < 2 || pings > 4 || took < 2*pingIntervalWS-3*time.Second {
				t.Fatalf("bob was closed after %v and %d pings; want two or three and some 48 s", took, pings)
			}
			t.SetPatience(patience)
			carol := room.V1WS("carol")
			carol.ExpectBody(alice.Say("still here"))
			room.Quiet()
		},
	}}
}
