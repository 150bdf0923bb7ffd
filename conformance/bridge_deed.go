package conformance

import "strings"

// A deed is what alice does: one row of bridge/mapping.md, "What each side gets".
// It is tried four times, before members of each dialect and from the history to
// each.
type deed struct {
	name, says string
	// v1 or v2 does it and returns what others are told of it. Alice has joined
	// before, with an empty message, unless the deed is her first frame.
	v1    func(alice *V1Conn) told
	v2    func(alice *V2Conn) told
	first bool
	// notice: v2 members get a join notice.
	notice bool
	// onV1 and onV2 say what v1 members and v2 members must get.
	onV1, onV2 string
}

const deedSection = "bridge/mapping.md#what-each-side-gets"

// bridgeDeedCases make four cases of each row.
func bridgeDeedCases() []Case {
	var cases []Case
	for _, d := range append(deedsV1(), deedsV2()...) {
		cases = append(cases, Case{
			ID: "bridge/live/" + d.name + "-to-v1", Section: deedSection, Needs: V1 | V2,
			Says: d.says + ": v1 members get " + d.onV1 + ".",
			Run:  d.liveToV1,
		}, Case{
			ID: "bridge/live/" + d.name + "-to-v2", Section: deedSection, Needs: V1 | V2,
			Says: d.says + ": v2 members get " + strings.ReplaceAll(d.onV2, "a join notice", "perhaps a join notice") + ".",
			Run:  d.liveToV2,
		}, Case{
			ID: "bridge/replay/" + d.name + "-to-v1", Section: deedSection, Needs: V1 | V2,
			Says: d.says + ": from the history v1 members get " + d.onV1 + ".",
			Run:  func(t *T) { room := t.Room(); room.hasV1(d.past(t, room)) },
		}, Case{
			ID: "bridge/replay/" + d.name + "-to-v2", Section: deedSection, Needs: V1 | V2,
			Says: d.says + ": from the history v2 members get " + d.onV2 + ".",
			Run:  d.replayToV2,
		})
	}
	return cases
}

// liveToV1 has carol on v1 watch, and bob on v2 say something afterwards.
func (d deed) liveToV1(t *T) {
	room := t.Room()
	bob, carol := room.V2("bob"), room.V1("carol")
	carol.ExpectFrame(d.now(t, room).v1...)
	bob.SendBinary("afterwards")
	carol.ExpectFrame(bob.made("afterwards"))
}

// liveToV2 has bob on v2 watch. Carol, on v1, gets something in any case, and so
// knows when to say what must be the next thing to bob.
func (d deed) liveToV2(t *T) {
	room := t.Room()
	bob, carol := room.V2("bob"), room.V1("carol")
	said := d.now(t, room)
	for range said.v1 {
		carol.Next()
	}
	bob.hears(said.and(carol.tells("afterwards")).v2...)
}

// replayToV2 insists on join notices only where they are what the row is about.
func (d deed) replayToV2(t *T) {
	room := t.Room()
	if history := d.past(t, room); d.notice {
		room.hasAllV2(history)
	} else {
		room.hasV2(history)
	}
}

// now does it before those in the room, who know alice unless it is her first frame.
func (d deed) now(t *T, room *Room) told {
	switch {
	case d.v1 != nil && d.first:
		return d.v1(t.aliceV1(room))
	case d.v1 != nil:
		return d.v1(room.V1("alice"))
	case d.first:
		return d.v2(t.aliceV2(room))
	}
	return d.v2(room.V2("alice"))
}

// past does it and leaves, and returns the history.
func (d deed) past(t *T, room *Room) (history told) {
	if d.v1 != nil {
		alice := t.aliceV1(room)
		if !d.first {
			history = alice.enters("alice", room.Channel)
		}
		history = history.and(d.v1(alice))
		alice.SeeOff()
		return history
	}
	alice := t.aliceV2(room)
	if !d.first {
		history = alice.enters("alice", room.Channel)
	}
	history = history.and(d.v2(alice))
	alice.SeeOff()
	return history
}

// aliceV1 and aliceV2 connect and send nothing yet.
func (t *T) aliceV1(room *Room) *V1Conn {
	c := t.DialV1()
	c.UID, c.Channel = "alice", room.Channel
	c.name.set("alice/v1")
	return c
}

func (t *T) aliceV2(room *Room) *V2Conn {
	c := t.DialV2()
	c.UID, c.Channel = "alice", room.Channel
	c.name.set("alice/v2")
	return c
}
