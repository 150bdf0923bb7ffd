package conformance

func bridgeJoinsCases() []Case {
	const section = "bridge/mapping.md#history"
	return []Case{{
		ID: "bridge/joins/replaced", Section: section, Needs: V1 | V2,
		Says: "A stored empty join is replaced by a later one of the same uid in the same dialect: the history has the last, at its place, for joiners of both.",
		Run: func(t *T) {
			room := t.Room()
			room.visitV1("alice")
			history := room.visitV1("yan", "one")
			room.visitV2("bob")
			history = history.and(room.visitV2("zed", heardText("two")))
			history = history.and(room.visitV1("alice")).and(room.visitV2("bob"))
			room.hasAllV2(room.hasV1(history))
		},
	}, {
		ID: "bridge/joins/other-dialect", Section: section, Needs: V1 | V2,
		Says: "An empty join of the same uid in the other dialect replaces nothing: the history has both.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice", "on v1").and(room.visitV2("alice", heardText("on v2")))
			history = history.and(room.visitV2("bob")).and(room.visitV1("bob"))
			room.hasAllV2(room.hasV1(history))
		},
	}, {
		ID: "bridge/joins/with-message-stays", Section: section, Needs: V1 | V2,
		Says: "A join with a message is not replaced by a later empty one.",
		Run: func(t *T) {
			room := t.Room()
			history := joinsSaying(t, room, "here I am").and(room.visitV1("alice"))
			room.hasAllV2(room.hasV1(history))
		},
	}, {
		ID: "bridge/joins/with-message-replaces-none", Section: section, Needs: V1 | V2,
		Says: "A join with a message does not replace an earlier empty one, nor one with a message.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV1("alice").and(joinsSaying(t, room, "here I am")).and(joinsSaying(t, room, "here I am again"))
			room.hasAllV2(room.hasV1(history))
		},
	}, {
		ID: "bridge/joins/empty-payload-is-none", Section: section, Needs: V1 | V2,
		Says: "An empty v2 message is no join: it neither replaces that of its sender nor is it replaced by a later one.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV2("bob", heardText("one"), heardBinary(""), heardText(""), heardText("two"))
			history = history.and(room.visitV1("bob"))
			room.hasAllV2(room.hasV1(history))
		},
	}, {
		ID: "bridge/joins/later-empty-replaces", Section: section, Level: Should, Needs: V1 | V2,
		Says: "A later empty v1 message is an arrival of the uid in the frame, and replaces that uid's empty join in the history.",
		Run: func(t *T) {
			room := t.Room()
			room.visitV1("ben")
			peer := t.DialV1()
			history := peer.enters("peer", room.Channel).and(peer.tells("hello"))
			frame := peer.Frame("ben", room.Channel, "")
			peer.Send(frame)
			peer.SeeOff()
			history = history.and(told{[][]byte{frame}, []heard{heardJoin("ben", room.Channel)}})
			room.hasAllV2(room.hasV1(history))
		},
	}}
}

// joinsSaying has alice join on v1 with a message, and leave.
func joinsSaying(t *T, room *Room, message string) told {
	alice := t.DialV1()
	first := alice.Join("alice", room.Channel, message)
	alice.SeeOff()
	return told{[][]byte{first}, []heard{heardJoin("alice", room.Channel), heardBinary(message)}}
}
