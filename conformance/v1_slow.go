package conformance

import (
	"strings"
	"time"
)

// What a server that bounds its clients' time gives them (bridge/mapping.md,
// "Limits"), and twice that for it to act in.
const (
	slowPace     = 10 * time.Second
	slowPatience = 2 * slowPace
	slowDeadline = 50 * time.Second
)

// v1SlowCases are about clients that are slow, or silent.
func v1SlowCases() []Case {
	return []Case{
		v1Silent("nothing", "has sent nothing", func([]byte) []byte { return nil }),
		v1Silent("half-header", "has sent half of its first header", func(join []byte) []byte { return join[:8] }),
		v1Silent("header", "has sent its first header and nothing of the body", func(join []byte) []byte { return join[:16] }),
		{
			ID: "v1/slow/later-frame-stops", Section: "v1/spec.md#limits", Level: Should, Needs: V1 | Slow, Deadline: slowDeadline,
			Says: "A member that begins a frame and does not go on is closed within 20 s, and the frame reaches nobody.",
			Run: func(t *T) {
				room := t.Room()
				alice, bob := room.V1("alice"), room.V1("bob")
				alice.Send(HeaderAndBody(1000, 1, 2, []byte("ten bytes.")))
				t.SetPatience(slowPatience)
				alice.ExpectClosed()
				room.heardNothing(bob)
			},
		}, {
			ID: "v1/slow/byte-by-byte", Section: "v1/spec.md#limits", Level: Should, Needs: V1 | Slow, Deadline: slowDeadline,
			Says: "A member that sends a frame of 1 MB at two bytes a second is closed within 20 s.",
			Run: func(t *T) {
				alice := t.DialV1()
				alice.Join("alice", t.Channel(), "")
				alice.Send(HeaderAndBody(1_000_000, 1, 2, nil))
				for give := time.Now().Add(slowPatience); time.Now().Before(give); {
					alice.Send([]byte{'.'})
					if a, ok := alice.in.peek(500 * time.Millisecond); ok && a.end != nil {
						return
					}
				}
				t.Fatalf("alice was not closed within %v", slowPatience)
			},
		}, {
			ID: "v1/slow/steady", Section: "v1/spec.md#limits", Needs: V1 | Slow, Deadline: slowDeadline,
			Says: "A frame of 400 KB that comes in 24 s, in a steady flow, is forwarded whole.",
			Run: func(t *T) {
				room := t.Room()
				alice, bob := room.V1("alice"), room.V1("bob")
				frame := alice.Msg(strings.Repeat(".", 400_000))
				rest, piece := frame, len(frame)/48
				for ; len(rest) > piece; rest = rest[piece:] {
					alice.Send(rest[:piece])
					bob.ExpectSilence(500 * time.Millisecond)
				}
				alice.Send(rest)
				bob.ExpectFrame(frame)
				room.Quiet()
			},
		}, {
			ID: "v1/slow/idle-member", Section: "v1/spec.md#limits", Needs: V1 | Slow, Deadline: slowDeadline,
			Says: "A member that sends and gets nothing for 35 s after its first frame is still there, and is sent what comes then.",
			Run: func(t *T) {
				room := t.Room()
				alice, bob := room.V1("alice"), room.V1("bob")
				alice.ExpectSilence(35 * time.Second)
				alice.ExpectFrame(bob.Say("still there?"))
				bob.ExpectFrame(alice.Say("still here"))
			},
		}}
}

// v1Silent is a connection that sends part of a first frame and no more.
func v1Silent(name, what string, part func(join []byte) []byte) Case {
	return Case{
		ID: "v1/slow/" + name, Section: "v1/spec.md#limits", Level: Should, Needs: V1 | Slow, Deadline: slowDeadline,
		Says: "A connection that " + what + " is closed within 20 s, without a word.",
		Run: func(t *T) {
			mallory := t.DialV1()
			mallory.Send(part(mallory.Frame("mallory", t.Channel(), "")))
			t.SetPatience(slowPatience)
			mallory.ExpectClosed()
		},
	}
}
