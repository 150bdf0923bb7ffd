package conformance

import (
	"net/netip"
	"strings"
)

func v1KeyVectors() []Vector {
	k := vectorKind{kind: "v1-key", section: "v1/spec.md#key"}
	add := func(name, says string, in fields, parts ...string) {
		key := KeyOf(parts...)
		k.valid(name, says, in, fields{"hashed": parts, "key": hex64(key), "cid": hex64(key)[8:]})
	}
	add("shared", "A shared key, uid and channel are hashed, each followed by 0xff.",
		fields{"shared_key": "swordfish", "uid": "alice", "channel": "chan"}, "swordfish", "alice", "chan")
	add("shared-empty-names", "Empty names count with their 0xff.",
		fields{"shared_key": "swordfish", "uid": "", "channel": ""}, "swordfish", "", "")
	add("shared-not-ascii", "What is hashed is UTF-8.",
		fields{"shared_key": "Schlüssel", "uid": "åsa", "channel": "世界"}, "Schlüssel", "åsa", "世界")
	add("shared-long", "Names longer than a block of the hash.",
		fields{"shared_key": "k", "uid": strings.Repeat("u", 100), "channel": strings.Repeat("c", 1024)}, "k", strings.Repeat("u", 100), strings.Repeat("c", 1024))
	add("shared-with-address-key", "Beside a shared key an address key does not count, nor does the address.",
		fields{"shared_key": "swordfish", "address_key": "pepper", "address": "192.0.2.7", "port": 40000, "uid": "alice", "channel": "chan"}, "swordfish", "alice", "chan")
	for _, a := range []struct{ name, says, ip string }{
		{"address-ipv4", "Without a shared key the client's address is hashed, IPv4 dotted.", "192.0.2.7"},
		{"address-ipv6", "IPv6 stands in eight groups, never shortened.", "2001:db8::a:1"},
		{"address-ipv6-loopback", "Also where seven groups are zero.", "::1"},
	} {
		spelled := Dotted(netip.AddrPortFrom(netip.MustParseAddr(a.ip), 40000))
		add(a.name, a.says, fields{"address": a.ip, "port": 40000, "uid": "alice", "channel": "chan"}, spelled, "alice", "chan")
	}
	mapped := Groups(netip.MustParseAddrPort("192.0.2.7:40000"))
	add("address-ipv4-mapped", "A server on a socket of IPv6 sees an IPv4 client in eight groups.",
		fields{"address": "::ffff:192.0.2.7", "port": 40000, "spelling": "groups", "uid": "alice", "channel": "chan"}, mapped, "alice", "chan")
	add("address-with-address-key", "An address key stands behind the address.",
		fields{"address": "192.0.2.7", "port": 40000, "address_key": "pepper", "uid": "alice", "channel": "chan"}, "192.0.2.7:40000", "pepper", "alice", "chan")
	return k.made
}

func v1FrameVectors() []Vector {
	k := vectorKind{kind: "v1-frame", section: "v1/spec.md#frame"}
	body := Map3("alice", "chan", "hi")
	key := KeyOf("swordfish", "alice", "chan")
	good := Frame(uint32(key), key, body)
	add := func(name, says string, cid uint32, key uint64, body []byte) {
		k.valid(name, says, fields{"bytes": hexOf(Frame(cid, key, body))},
			fields{"length": len(body), "cid": hex64(uint64(cid))[8:], "key": hex64(key), "body": hexOf(body)})
	}
	add("message", "A frame as a client sends it under the shared key swordfish.", uint32(key), key, body)
	add("cid-of-its-own", "The CID need not be the key's low half.", 0x01020304, key, body)
	add("one-byte-body", "The shortest body has one byte; whether it decodes is another matter.", 1, 2, []byte{0xf6})
	long := Map3("alice", "chan", strings.Repeat("m", 300))
	add("long", "The length takes more than one byte.", uint32(key), key, long)
	for _, bad := range []struct {
		name, says string
		bytes      []byte
	}{
		{"magic", "The first byte is not M: the connection is closed.", Cat([]byte{'m'}, good[1:])},
		{"length-zero", "The length is 0: the connection is closed.", HeaderAndBody(0, uint32(key), key, nil)},
		{"header-cut", "The connection ends inside the header.", good[:15]},
		{"header-alone", "The connection ends after the header.", good[:16]},
		{"body-cut", "The connection ends inside the body.", good[:len(good)-1]},
	} {
		k.invalid(bad.name, bad.says, fields{"bytes": hexOf(bad.bytes)})
	}
	return k.made
}

func v1ResyncVectors() []Vector {
	k := vectorKind{kind: "v1-resync", section: "v1/spec.md#resync"}
	frame := func(uid, message string) []byte {
		key := KeyOf("swordfish", uid, "chan")
		return Frame(uint32(key), key, Map3(uid, "chan", message))
	}
	a, b := frame("alice", ""), frame("bob", "hi")
	add := func(name, says string, body []byte, frames ...[]byte) {
		var out []string
		for _, f := range frames {
			out = append(out, hexOf(f))
		}
		k.valid(name, says, fields{"body": hexOf(body)}, fields{"frames": out})
	}
	add("two", "A ResyncMsg of two frames.", Resync(a, b), a, b)
	add("one", "A ResyncMsg of one frame.", Resync(a), a)
	add("array-form", "Arrays of one stand for both maps.",
		Cat([]byte{0x81, 0x82, 0x81}, Bytes(string(a)), []byte{0x81}, Bytes(string(b))), a, b)
	add("indefinite", "The list may be of indefinite length.",
		Cat([]byte{0xa1}, Text("resync_message"), []byte{0x9f, 0xa1}, Text("encoded_msg"), Bytes(string(a)), []byte{0xff}), a)
	for _, bad := range []struct {
		name, says string
		body       []byte
	}{
		{"empty", "The list is empty.", Resync()},
		{"short-first", "The first contained frame is shorter than a header: this ends mles 1.1.7, before any key is checked.", Resync(a[:15])},
		{"short-second", "The second contained frame is shorter than a header.", Resync(a, b[:15])},
		{"trailing", "A contained frame has a byte more than its length says.", Resync(Cat(a, []byte{0}), b)},
		{"cut", "A contained frame has a byte less than its length says.", Resync(a[:len(a)-1], b)},
		{"magic", "A contained frame does not begin with M.", Resync(a, Cat([]byte{'m'}, b[1:]))},
		{"not-a-list", "What should be a list is a byte string.", Cat([]byte{0xa1}, Text("resync_message"), Bytes(string(a)))},
	} {
		k.invalid(bad.name, bad.says, fields{"body": hexOf(bad.body)})
	}
	return k.made
}
