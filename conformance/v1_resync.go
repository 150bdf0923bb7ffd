package conformance

import "strconv"

// A v1Peer is a connection that sends a ResyncMsg, as a peer that comes back to
// its root.
type v1Peer struct{ *V1Conn }

func (t *T) v1Peer(channel string) v1Peer {
	p := v1Peer{t.DialV1()}
	p.UID, p.Channel = "anna", channel
	p.name.set("peer/v1")
	return p
}

// memory is what the peer remembers: the frame that joins, empty, by anna, and
// messages of ben and of anna.
func (p v1Peer) memory() [][]byte {
	return [][]byte{p.Msg(""), p.Frame("ben", p.Channel, "one"), p.Msg("two"), p.Frame("ben", p.Channel, "")}
}

// resync sends frames in a ResyncMsg under the header of the first.
func (p v1Peer) resync(frames ...[]byte) {
	key := p.Key(p.UID, p.Channel)
	p.Send(Frame(uint32(key), key, Resync(frames...)))
}

func v1ResyncCases() []Case {
	return []Case{{
		ID: "v1/resync/joins", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg as first frame joins by the first frame in it, and each frame in it is forwarded to those present by itself, in order.",
		Run: func(t *T) {
			room := t.Room()
			bob, carol, peer := room.V1("bob"), room.V1("carol"), t.v1Peer(room.Channel)
			memory := peer.memory()
			peer.resync(memory...)
			bob.ExpectFrame(memory...)
			carol.ExpectFrame(memory...)
			room.Meet(peer.V1Conn)
			room.Quiet()
		},
	}, {
		ID: "v1/resync/one-frame", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg with one frame joins by it, and that frame is forwarded and stored.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("carol", "hello")
			bob, peer := t.DialV1(), t.v1Peer(room.Channel)
			history = append(history, bob.Join("bob", room.Channel, ""))
			bob.ExpectFrame(history[:2]...)
			join := peer.Msg("back")
			peer.resync(join)
			bob.ExpectFrame(join)
			v1HasHistory(room, append(history, join))
		},
	}, {
		ID: "v1/resync/stored-where-empty", Section: "v1/spec.md#resync", Needs: V1,
		Says: "In a channel without history all frames of a ResyncMsg are stored, in order.",
		Run: func(t *T) {
			room := t.Room()
			peer := t.v1Peer(room.Channel)
			memory := peer.memory()[:3]
			peer.resync(memory...)
			peer.SeeOff()
			v1HasHistory(room, memory)
		},
	}, {
		ID: "v1/resync/not-stored-beside-messages", Section: "v1/spec.md#resync", Needs: V1,
		Says: "In a channel whose history holds a message, only the first frame of a ResyncMsg is stored, as any join.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("carol", "hello")
			peer := t.v1Peer(room.Channel)
			memory := peer.memory()
			peer.resync(memory...)
			peer.SeeOff()
			v1HasHistory(room, append(history, memory[0]))
		},
	}, {
		ID: "v1/resync/stored-beside-joins", Section: "v1/spec.md#resync", Level: Should, Needs: V1,
		Says: "In a channel whose history holds nothing but empty joins, all frames of a ResyncMsg are stored, before those: a client that was quicker than its peer does not cost the peer's memory.",
		Run: func(t *T) {
			room := t.Room()
			joins := room.VisitV1("carol")
			peer := t.v1Peer(room.Channel)
			memory := peer.memory()[:3]
			peer.resync(memory...)
			peer.SeeOff()
			v1HasHistory(room, append(memory, joins...))
		},
	}, {
		ID: "v1/resync/gets-history", Section: "v1/spec.md#session", Needs: V1,
		Says: "Who joins by a ResyncMsg is sent the history as it was before, then what is new, and none of its own frames.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("carol", "hello")
			peer := t.v1Peer(room.Channel)
			peer.resync(peer.memory()...)
			peer.ExpectFrame(history...)
			room.heardNothing(peer.V1Conn)
		},
	}, {
		ID: "v1/resync/outer-header", Section: "v1/spec.md#resync", Needs: V1,
		Says: "CID and key in the header of a ResyncMsg are not looked at: it joins under any.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
			memory := peer.memory()
			peer.Send(Frame(uint32(bob.Key("bob", room.Channel)), 0, Resync(memory...)))
			bob.ExpectFrame(memory...)
			room.Meet(peer.V1Conn)
		},
	}, {
		ID: "v1/resync/wrong-key", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg whose first frame has a wrong key closes the connection without a word and reaches nobody, though its own header has the right one.",
		Run: func(t *T) {
			v1BadResync(t, func(p v1Peer) [][]byte {
				key := p.Key("anna", p.Channel)
				return append([][]byte{Frame(uint32(key), key^1, Map3("anna", p.Channel, ""))}, p.memory()...)
			})
		},
	}, {
		ID: "v1/resync/other-keys-free", Section: "v1/spec.md#resync", Needs: V1,
		Says: "CID and key of the frames in a ResyncMsg after the first are not looked at: all are forwarded byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
			memory := [][]byte{peer.Msg(""), Frame(uint32(bob.Key("bob", room.Channel)), 0, Map3("ben", room.Channel, "one")), Frame(0, 1, Map3("ben", room.Channel, "two"))}
			peer.resync(memory...)
			bob.ExpectFrame(memory...)
			room.Meet(peer.V1Conn)
		},
	}, {
		ID: "v1/resync/other-bodies-free", Section: "v1/spec.md#resync", Needs: V1,
		Says: "The frames in a ResyncMsg after the first are forwarded byte for byte, also those that do not decode or name another channel.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
			memory := [][]byte{peer.Msg(""), Frame(1, 2, []byte("\xa2"+uidAlice+messageHi)), peer.Frame("ben", "elsewhere", "hi"), Frame(1, 2, []byte("\xff"))}
			peer.resync(memory...)
			bob.ExpectFrame(memory...)
			room.Meet(peer.V1Conn)
		},
	}, {
		ID: "v1/resync/cid", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg whose first frame has a CID that is active on the channel closes the connection, and nobody gets anything of it.",
		Run: func(t *T) {
			t.SetPatience(t.Patience() + gatewayProbe)
			v1BadResync(t, func(p v1Peer) [][]byte {
				bob := p.t.DialV1()
				cid := newCID()
				bob.JoinAs(cid, "bertha", p.Channel, "first")
				bob.Next() // it is in
				return [][]byte{Frame(cid, p.Key("anna", p.Channel), Map3("anna", p.Channel, ""))}
			}, "first")
		},
	}, {
		ID: "v1/resync/many", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg of 300 frames is forwarded whole and in order.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
			memory := [][]byte{peer.Msg("")}
			for i := range 299 {
				memory = append(memory, peer.Frame("ben", room.Channel, strconv.Itoa(i)))
			}
			peer.resync(memory...)
			bob.ExpectFrame(memory...)
			room.Meet(peer.V1Conn)
		},
	}, {
		ID: "v1/resync/later", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg that is not the first frame is forwarded and stored byte for byte as the one frame that it is.",
		Run: func(t *T) {
			room := t.Room()
			history := room.VisitV1("carol", "hello")
			bob, peer := t.DialV1(), t.v1Peer(room.Channel)
			history = append(history, bob.Join("bob", room.Channel, ""))
			bob.ExpectFrame(history[:2]...)
			live := [][]byte{peer.Msg(""), Frame(1, 2, Resync(peer.memory()...)), Frame(1, 2, Resync())}
			peer.Send(live...)
			bob.ExpectFrame(live...)
			v1HasHistory(room, append(history, live...))
		},
	}}
}
