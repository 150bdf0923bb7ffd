package conformance

// aPeersMemory is what a peer remembers and sends in a ResyncMsg: the frame that
// joins, by anna, and what came after it; and what that is to the others.
func aPeersMemory(peer *V1Conn) told {
	return told{
		[][]byte{
			peer.Frame("anna", peer.Channel, ""),
			peer.Frame("ben", peer.Channel, "one"),
			Frame(1, 2, []byte{0xff}),
			peer.Frame("anna", peer.Channel, "two"),
			peer.Frame("carl", peer.Channel, ""),
		},
		[]heard{heardJoin("anna", peer.Channel), heardBinary("one"), heardBinary("two"), heardJoin("carl", peer.Channel)},
	}
}

// resyncs connects a peer and sends frames in a ResyncMsg, under a header of no
// meaning.
func (r *Room) resyncs(memory func(peer *V1Conn) told) (*V1Conn, told) {
	peer := r.t.aliceV1(r)
	peer.UID = "anna"
	peer.name.set("peer/v1")
	said := memory(peer)
	peer.Send(Frame(0, 0, Resync(said.v1...)))
	return peer, said
}

func bridgeResyncCases() []Case {
	const section = "bridge/mapping.md#peers-that-use-the-gateway-as-their-root"
	return []Case{{
		ID: "bridge/resync/live", Section: section, Needs: V1 | V2,
		Says: "The frames in a peer's ResyncMsg reach v2 members one by one and in order, each as what it would be by itself, one that does not decode as nothing.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol := room.V2("bob"), room.V1("carol")
			_, said := room.resyncs(aPeersMemory)
			carol.ExpectFrame(said.v1...)
			bob.hears(said.and(carol.tells("afterwards")).v2...)
			room.Quiet()
		},
	}, {
		ID: "bridge/resync/stored", Section: section, Needs: V1 | V2,
		Says: "In a channel without history they are stored, and a joiner of either dialect finds them in order.",
		Run: func(t *T) {
			room := t.Room()
			peer, said := room.resyncs(aPeersMemory)
			peer.SeeOff()
			room.hasAllV2(room.hasV1(said))
		},
	}, {
		ID: "bridge/resync/first-with-message", Section: section, Needs: V1 | V2,
		Says: "A ResyncMsg whose first frame has a message is a join notice and that message to v2 members.",
		Run: func(t *T) {
			room := t.Room()
			peer, said := room.resyncs(func(peer *V1Conn) told {
				return told{[][]byte{peer.Msg("we are back"), peer.Msg("and well")},
					[]heard{heardJoin("anna", room.Channel), heardBinary("we are back"), heardBinary("and well")}}
			})
			peer.SeeOff()
			room.hasV1(room.hasAllV2(said))
		},
	}, {
		ID: "bridge/resync/beside-v2-message", Section: section, Needs: V1 | V2,
		Says: "In a channel whose history holds a v2 message only the first frame of a ResyncMsg is stored, and v2 members who are present get all.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV2("bob", heardText("we talked on"))
			carol := t.DialV2()
			entered := carol.enters("carol", room.Channel)
			carol.hears(history.v2...)
			peer, said := room.resyncs(aPeersMemory)
			peer.SeeOff()
			live := room.visitV1("dave", "afterwards")
			carol.hears(said.and(live).v2...)
			stored := told{said.v1[:1], said.v2[:1]}
			room.hasV2(room.hasV1(history.and(entered).and(stored).and(live)))
		},
	}, {
		ID: "bridge/resync/beside-v2-joins", Section: section, Level: Should, Needs: V1 | V2,
		Says: "In a channel whose history holds nothing but a v2 join all frames of a ResyncMsg are stored, and the join follows them.",
		Run: func(t *T) {
			room := t.Room()
			joined := room.visitV2("bob")
			peer, said := room.resyncs(aPeersMemory)
			peer.SeeOff()
			room.hasAllV2(room.hasV1(said.and(joined)))
		},
	}, {
		ID: "bridge/resync/wrong-key", Section: section, Needs: V1 | V2,
		Says: "A ResyncMsg whose first frame has a wrong key reaches no v2 member, live or from the history.",
		Run: func(t *T) {
			room := t.Room()
			history := room.visitV2("bob", heardText("hello"))
			carol := t.DialV2()
			history = history.and(carol.enters("carol", room.Channel))
			carol.hears(history.v2[:2]...)
			peer, _ := room.resyncs(func(peer *V1Conn) told {
				key := peer.Key("anna", peer.Channel)
				return told{v1: [][]byte{Frame(uint32(key), key^1, Map3("anna", peer.Channel, "")), peer.Msg("two")}}
			})
			peer.ExpectClosed()
			peer.Close()
			after := room.visitV1("dave", "afterwards")
			carol.hears(after.v2...)
			room.hasV2(history.and(after))
		},
	}}
}
