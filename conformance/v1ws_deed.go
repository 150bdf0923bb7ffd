package conformance

// A deedWS is what alice does on v1 over WebSocket: one row of bridge/mapping.md,
// "What each side gets". It is tried six times, before members of each dialect and
// from the history to each.
type deedWS struct {
	name, says string
	// run does it and returns what others are told of it. Alice has joined before,
	// with an empty message, unless the deed is her first body.
	run   func(alice *V1WSSeat) told
	first bool
	// notice: v2 members get a join notice.
	notice bool
	// onV1, onWS and onV2 say what members of each dialect must get.
	onV1, onWS, onV2 string
}

// v1wsDeedCases make six cases of each row of v1 over WebSocket, and two of each
// row of the other dialects: what v1 WebSocket members get of those.
func v1wsDeedCases() []Case {
	var cases []Case
	for _, d := range deedsV1WS() {
		cases = append(cases, d.cases()...)
	}
	for _, d := range append(deedsV1(), deedsV2()...) {
		needs := V1WS | V1
		if d.v2 != nil {
			needs = V1WS | V2
		}
		onWS := "the body byte for byte, without a header"
		switch d.name {
		case "v1-other-channel", "v1-empty-other-channel":
			onWS = "nothing, as they tell channels apart by the body"
		case "v1-undecodable", "v1-long-uid", "v1-resync-later":
			onWS = "the body of the message, and nothing of the other"
		case "v2-join":
			onWS = "a body with its uid, the channel and an empty message"
		case "v2-empty":
			onWS = "two bodies with its uid, the channel and an empty message"
		case "v2-text", "v2-binary", "v2-fragments", "v2-like-a-frame", "v2-like-a-hello":
			onWS = "a body with its uid, the channel and the payload, in a binary frame"
		}
		cases = append(cases, Case{
			ID: "v1ws/live/" + d.name + "-to-v1ws", Section: deedSection, Needs: needs,
			Says: d.says + ": v1 WebSocket members get " + onWS + ".",
			Run:  d.liveToWS,
		}, Case{
			ID: "v1ws/replay/" + d.name + "-to-v1ws", Section: deedSection, Needs: needs,
			Says: d.says + ": from the history v1 WebSocket members get " + onWS + ".",
			Run:  func(t *T) { room := t.Room(); room.hasWS(d.past(t, room)) },
		})
	}
	return cases
}

func (d deedWS) cases() []Case {
	return []Case{{
		ID: "v1ws/live/" + d.name + "-to-v1", Section: deedSection, Needs: V1WS | V1,
		Says: d.says + ": v1 members over TCP get " + d.onV1 + ".",
		Run:  d.liveToV1,
	}, {
		ID: "v1ws/live/" + d.name + "-to-v2", Section: deedSection, Needs: V1WS | V2,
		Says: d.says + ": v2 members get " + d.onV2 + ".",
		Run:  d.liveToV2,
	}, {
		ID: "v1ws/live/" + d.name + "-to-v1ws", Section: deedSection, Needs: V1WS,
		Says: d.says + ": other v1 WebSocket members get " + d.onWS + ".",
		Run:  d.liveToWS,
	}, {
		ID: "v1ws/replay/" + d.name + "-to-v1", Section: deedSection, Needs: V1WS | V1,
		Says: d.says + ": from the history v1 members over TCP get " + d.onV1 + ".",
		Run:  d.replayToV1,
	}, {
		ID: "v1ws/replay/" + d.name + "-to-v2", Section: deedSection, Needs: V1WS | V1 | V2,
		Says: d.says + ": from the history v2 members get " + d.onV2 + ".",
		Run:  d.replayToV2,
	}, {
		ID: "v1ws/replay/" + d.name + "-to-v1ws", Section: deedSection, Needs: V1WS,
		Says: d.says + ": from the history v1 WebSocket members get " + d.onWS + ".",
		Run:  func(t *T) { room := t.Room(); room.hasWS(d.past(t, room)) },
	}}
}

// now does it before those in the room, who know alice unless it is her first body.
func (d deedWS) now(t *T, room *Room) told {
	if d.first {
		return d.run(t.DialV1WS().as("alice", room.Channel))
	}
	return d.run(room.V1WS("alice"))
}

// past does it and leaves, and returns the history.
func (d deedWS) past(t *T, room *Room) told {
	alice := t.DialV1WS().as("alice", room.Channel)
	var history told
	if !d.first {
		history = alice.tells("")
	}
	history = history.and(d.run(alice))
	alice.SeeOff()
	return history
}

// liveToV1 looks at bodies only: headers are other cases' matter.
func (d deedWS) liveToV1(t *T) {
	room := t.Room()
	bob, carol := room.HostWS("bob"), room.V1("carol")
	said := d.now(t, room)
	bob.ExpectBody(said.bodies(room.Channel)...)
	carol.expectBodies(said)
	room.Quiet()
}

// liveToV2 has bob on v2 watch. Carol gets something in any case, and so knows when
// to say what must be the next thing to bob.
func (d deedWS) liveToV2(t *T) {
	room := t.Room()
	bob, carol := room.V2("bob"), room.V1WS("carol")
	said := d.now(t, room)
	carol.ExpectBody(said.bodies(room.Channel)...)
	bob.hears(said.and(carol.tells("afterwards")).v2...)
}

func (d deedWS) liveToWS(t *T) {
	room := t.Room()
	bob, carol := room.HostWS("bob"), room.V1WS("carol")
	said := d.now(t, room)
	bob.ExpectBody(said.bodies(room.Channel)...)
	carol.ExpectBody(said.bodies(room.Channel)...)
	room.Quiet()
}

func (d deedWS) replayToV1(t *T) {
	room := t.Room()
	history := d.past(t, room)
	reader := t.DialV1()
	reader.Join("reader", room.Channel, "")
	reader.expectBodies(history)
	reader.expectBodies(room.visitV1WS("zoe"))
}

// replayToV2 insists on join notices only where they are what the row is about.
func (d deedWS) replayToV2(t *T) {
	room := t.Room()
	if history := d.past(t, room); d.notice {
		room.hasAllV2(history)
	} else {
		room.hasV2(history)
	}
}

// expectBodies wants the frames of what was told next, whatever CID and key they
// have.
func (c *V1Conn) expectBodies(said told) {
	for _, want := range said.v1 {
		if got := c.Next(); string(got[16:]) != string(want[16:]) {
			c.t.Fatalf("%s got %s; want %s (body %x)", c.name.String(), meaningV1(got), meaningV1(want), want[16:min(len(want), 16+maxHex)])
		}
	}
}

// liveToWS has bob on v1 over WebSocket watch what somebody on v1 or v2 does. One
// who gets it in any case proves that bob has had the time to get it.
func (d deed) liveToWS(t *T) {
	room := t.Room()
	bob := room.HostWS("bob")
	if d.v2 != nil {
		carol := room.V2("carol")
		said := d.now(t, room)
		bob.ExpectBody(said.bodies(room.Channel)...)
		carol.hears(said.and(bob.tells("afterwards")).v2...)
		return
	}
	carol := room.V1("carol")
	said := d.now(t, room)
	carol.ExpectFrame(said.v1...)
	bob.ExpectBody(said.bodies(room.Channel)...)
	room.Quiet()
}
