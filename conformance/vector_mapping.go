package conformance

import "net/netip"

// mappingVectors are the rows of bridge/mapping.md, "What each side gets", for a
// gateway with its default of join notices: in the history only.
func mappingVectors() []Vector {
	const section = "bridge/mapping.md#what-each-side-gets"
	up := vectorKind{kind: "v1-to-v2", section: section}
	frame := func(uid, channel, message string) []byte {
		key := KeyOf("swordfish", uid, channel)
		return Frame(uint32(key), key, Map3(uid, channel, message))
	}
	notice := func(uid string) fields {
		return fields{"opcode": "text", "payload": hexOfText(HelloText(uid, "room", ""))}
	}
	binary := func(s string) fields { return fields{"opcode": "binary", "payload": hexOfText(s)} }
	add := func(name, says string, first bool, f []byte, live, history []fields) {
		up.valid(name, says,
			fields{"joined": fields{"uid": "alice", "channel": "room"}, "first": first, "frame": hexOf(f)},
			fields{"live": append([]fields{}, live...), "history": append([]fields{}, history...)})
	}
	hi := []fields{binary("hi")}
	add("join", "A first frame with an empty message is a join notice.", true, frame("alice", "room", ""), nil, []fields{notice("alice")})
	add("join-with-message", "With a message, it is the notice and then the message as binary.", true, frame("alice", "room", "hi"), hi, []fields{notice("alice"), binary("hi")})
	add("message", "A message is one binary frame of its bytes.", false, frame("alice", "room", "hi"), hi, hi)
	add("message-not-text", "Whatever the bytes are.", false, frame("alice", "room", "\x00\xff{"), []fields{binary("\x00\xff{")}, []fields{binary("\x00\xff{")})
	add("empty-later", "A later empty message is the arrival of the frame's own uid, as peers send it.", false, frame("bob", "room", ""), nil, []fields{notice("bob")})
	add("other-channel", "A later frame that names another channel stays in the one joined.", false, frame("alice", "elsewhere", "hi"), hi, hi)
	add("other-uid", "A later frame of another uid is its message.", false, frame("bob", "room", "hi"), hi, hi)
	add("other-key", "Key and CID of a later frame are not looked at.", false, Frame(1, 2, Map3("alice", "room", "hi")), hi, hi)
	add("undecodable-later", "A later body that does not decode reaches nobody on v2.", false, Frame(1, 2, []byte{0xff}), nil, nil)
	add("resync-later", "Nor does a later ResyncMsg.", false, Frame(1, 2, Resync(frame("alice", "room", "hi"))), nil, nil)

	return append(up.made, v2ToV1Vectors(section)...)
}

func v2ToV1Vectors(section string) []Vector {
	down := vectorKind{kind: "v2-to-v1", section: section}
	add := func(name, says string, in fields, key uint64, uid, message string) {
		in["uid"], in["channel"] = uid, "room"
		down.valid(name, says, in, fields{"frame": hexOf(Frame(uint32(key), key, Map3(uid, "room", message)))})
	}
	shared := KeyOf("swordfish", "alice", "room")
	message := func(opcode, payload string) fields {
		return fields{"event": "message", "opcode": opcode, "payload": hexOfText(payload), "shared_key": "swordfish"}
	}
	add("join", "A v2 client joins: a frame with an empty message.", fields{"event": "join", "shared_key": "swordfish"}, shared, "alice", "")
	add("binary", "A binary message.", message("binary", "\x00\xff"), shared, "alice", "\x00\xff")
	add("text", "A text message is a byte string too.", message("text", "hi"), shared, "alice", "hi")
	add("empty", "An empty message.", message("binary", ""), shared, "alice", "")
	add("not-ascii", "Names are UTF-8 in both.", message("text", "hi"), KeyOf("swordfish", "åsa", "room"), "åsa", "hi")
	for _, a := range []struct{ name, says, ip string }{
		{"address-ipv4", "Without a shared key the key is over the client's address, IPv4 dotted.", "192.0.2.7"},
		{"address-ipv4-mapped", "Also where it came to a socket of IPv6.", "::ffff:192.0.2.7"},
		{"address-ipv6", "IPv6 in eight groups.", "2001:db8::7"},
	} {
		spelled := Dotted(netip.AddrPortFrom(netip.MustParseAddr(a.ip), 40000))
		add(a.name, a.says, fields{"event": "message", "opcode": "text", "payload": hexOfText("hi"), "address": a.ip, "port": 40000},
			KeyOf(spelled, "alice", "room"), "alice", "hi")
	}
	return down.made
}
