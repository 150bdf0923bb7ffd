package conformance

import "slices"

// v1ResyncBodyCases are about the bodies of ResyncMsgs: forms and faults.
func v1ResyncBodyCases() []Case {
	const resyncMessage, encodedMsg = "\x6eresync_message", "\x6bencoded_msg"
	entry := func(frame []byte) string { return "\xa1" + encodedMsg + string(Bytes(string(frame))) }
	var cases []Case
	for _, form := range []struct {
		name, says string
		body       func(a, b []byte) string
	}{
		{"arrays", "has an array of one for each of its maps",
			func(a, b []byte) string {
				return "\x81\x82" + "\x81" + string(Bytes(string(a))) + "\x81" + string(Bytes(string(b)))
			}},
		{"indices", "has the key 0 in each of its maps",
			func(a, b []byte) string {
				return "\xa1\x00\x82" + "\xa1\x00" + string(Bytes(string(a))) + "\xa1\x00" + string(Bytes(string(b)))
			}},
		{"indefinite", "has everything in indefinite length",
			func(a, b []byte) string {
				chunks := func(f []byte) string {
					return "\x5f" + string(Bytes(string(f[:9]))) + string(Bytes(string(f[9:]))) + "\xff"
				}
				return "\xbf" + resyncMessage + "\x9f" + "\xbf" + encodedMsg + chunks(a) + "\xff" + "\xbf" + encodedMsg + chunks(b) + "\xff" + "\xff\xff"
			}},
		{"further-entries", "has further entries in each of its maps",
			func(a, b []byte) string {
				return "\xa2\x61x\x00" + resyncMessage + "\x82" + "\xa2\x61x\x00" + entry(a)[1:] + "\xa2" + entry(b)[1:] + "\x61x\x00"
			}},
		{"tags", "has tags before everything",
			func(a, b []byte) string {
				return "\xc1\xa1" + resyncMessage + "\xc1\x82" + "\xc1\xa1" + encodedMsg + "\xc1" + string(Bytes(string(a))) + entry(b)
			}},
		{"beside-message", "has uid, channel and message beside its list, which names other ones",
			func(a, b []byte) string {
				return "\xa4" + uidAlice + inChannel("elsewhere") + messageHi + resyncMessage + "\x82" + entry(a) + entry(b)
			}},
	} {
		cases = append(cases, Case{
			ID: "v1/resync/form-" + form.name, Section: "v1/spec.md#resync", Needs: V1,
			Says: "A ResyncMsg that " + form.says + " joins by the first frame in it, and those are forwarded.",
			Run: func(t *T) {
				room := t.Room()
				bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
				memory := peer.memory()[:2]
				peer.Send(Frame(1, 2, []byte(form.body(memory[0], memory[1]))))
				bob.ExpectFrame(memory...)
				room.Meet(peer.V1Conn)
			},
		})
	}
	return slices.Concat(cases, []Case{{
		ID: "v1/resync/form-empty-beside-message", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A body of uid, channel, message and an empty list of a ResyncMsg is a message: it joins and is forwarded byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinWith("alice", room.Channel, []byte("\xa4"+uidAlice+inChannel(room.Channel)+messageHi+resyncMessage+"\x80")))
			room.Meet(alice)
		},
	}, {
		ID: "v1/resync/form-bad-beside-message", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A body of uid, channel, message and a number for the list of a ResyncMsg is a message: it joins and is forwarded byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinWith("alice", room.Channel, []byte("\xa4"+uidAlice+inChannel(room.Channel)+messageHi+resyncMessage+"\x05")))
			room.Meet(alice)
		},
	}, {
		ID: "v1/resync/form-bad-entry-beside-message", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A body of uid, channel, message and a ResyncMsg's list with a number for a frame is a message: it joins and is forwarded byte for byte.",
		Run: func(t *T) {
			room := t.Room()
			bob, alice := room.Host("bob"), t.DialV1()
			bob.ExpectFrame(alice.JoinWith("alice", room.Channel, []byte("\xa4"+uidAlice+inChannel(room.Channel)+messageHi+resyncMessage+"\x81\xa1"+encodedMsg+"\x00")))
			room.Meet(alice)
		},
	}, {
		ID: "v1/resync/empty-list", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg with an empty list closes the connection without a word.",
		Run: func(t *T) {
			v1BadResync(t, func(v1Peer) [][]byte { return nil })
		},
	}, {
		ID: "v1/resync/not-bytes", Section: "v1/spec.md#errors", Needs: V1,
		Says: "A ResyncMsg with a number for a frame closes the connection without a word.",
		Run: func(t *T) {
			room := t.Room()
			bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
			key := peer.Key("anna", room.Channel)
			peer.Send(Frame(uint32(key), key, []byte("\xa1"+resyncMessage+"\x82"+entry(peer.Msg(""))+"\xa1"+encodedMsg+"\x00")))
			peer.ExpectClosed()
			room.heardNothing(bob)
		},
	}, {
		ID: "v1/resync/first-undecodable", Section: "v1/spec.md#errors", Needs: V1,
		Says: "A ResyncMsg whose first frame does not decode closes the connection without a word and reaches nobody.",
		Run: func(t *T) {
			v1BadResync(t, func(p v1Peer) [][]byte {
				key := p.Key("anna", p.Channel)
				return [][]byte{Frame(uint32(key), key, []byte("\xa2"+uidAlice+inChannel(p.Channel))), p.Msg("one")}
			})
		},
	}, {
		ID: "v1/resync/in-resync", Section: "v1/spec.md#resync", Needs: V1,
		Says: "A ResyncMsg whose first frame is a ResyncMsg joins nobody: it closes the connection without a word.",
		Run: func(t *T) {
			v1BadResync(t, func(p v1Peer) [][]byte {
				key := p.Key("anna", p.Channel)
				return [][]byte{Frame(uint32(key), key, Resync(p.memory()...))}
			})
		},
	},
		v1NoFrame("first-magic", "whose first frame does not begin with M", 0, func(f []byte) []byte { f[0] = 'N'; return f }),
		v1NoFrame("second-magic", "whose second frame does not begin with M", 1, func(f []byte) []byte { f[0] = 'N'; return f }),
		v1NoFrame("second-short", "whose second frame is shorter than a header", 1, func(f []byte) []byte { return f[:15] }),
		v1NoFrame("second-cut", "whose second frame lacks its last byte", 1, func(f []byte) []byte { return f[:len(f)-1] }),
		v1NoFrame("second-two", "whose second frame has another one behind it", 1, func(f []byte) []byte { return Cat(f, f) }),
	})
}

// v1BadResync has a peer send frames in a ResyncMsg that must not join. bob, who
// is there, gets nothing of it; seen are messages that reach him before.
func v1BadResync(t *T, frames func(v1Peer) [][]byte, seen ...string) {
	room := t.Room()
	bob, peer := room.Host("bob"), t.v1Peer(room.Channel)
	peer.resync(frames(peer)...)
	peer.ExpectClosed()
	for _, m := range seen {
		bob.ExpectMessage("bertha", room.Channel, m)
	}
	room.heardNothing(bob)
}

// v1NoFrame spoils one of the frames in a ResyncMsg.
func v1NoFrame(name, which string, at int, spoil func(frame []byte) []byte) Case {
	return Case{
		ID: "v1/resync/" + name, Section: "v1/spec.md#resync", Level: Should, Needs: V1,
		Says: "A ResyncMsg " + which + " closes the connection without a word and reaches nobody.",
		Run: func(t *T) {
			v1BadResync(t, func(p v1Peer) [][]byte {
				memory := p.memory()
				memory[at] = spoil(memory[at])
				return memory
			})
		},
	}
}
