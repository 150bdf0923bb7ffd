package conformance

import "bytes"

// v1BodyVectors are the rows of v1/spec.md, "Decoding".
func v1BodyVectors() []Vector {
	k := vectorKind{kind: "v1-body", section: "v1/spec.md#decoding"}
	taken := func(name, says string, b ...[]byte) {
		k.valid(name, says, fields{"body": hexOf(Cat(b...))}, fields{"uid": "u", "channel": "room", "message": "686921"})
	}
	said := func(name, says string, body []byte, b Body) {
		k.valid(name, says, fields{"body": hexOf(body)}, fields{"uid": b.UID, "channel": b.Channel, "message": hexOfText(b.Message)})
	}
	refused := func(name, says string, b ...[]byte) {
		k.invalid(name, says, fields{"body": hexOf(Cat(b...))})
	}
	canonical := Map3("u", "room", "hi!")
	var (
		map3, map2, map4 = []byte{0xa3}, []byte{0xa2}, []byte{0xa4}
		endless, end     = []byte{0xbf}, []byte{0xff}
		uid              = Cat(Text("uid"), Text("u"))
		channel          = Cat(Text("channel"), Text("room"))
		message          = Cat(Text("message"), Bytes("hi!"))
	)
	with := func(value []byte) []byte { return Cat(map3, uid, channel, Text("message"), value) }
	named := func(value []byte) []byte { return Cat(map3, Text("uid"), value, channel, message) }

	taken("canonical", "The map as every sender writes it.", canonical)
	taken("order", "The entries may stand in any order.", map3, message, channel, uid)
	taken("further-entry", "A further entry is passed over.", map4, uid, channel, message, Text("x"), []byte{0x82, 1, 2})
	taken("further-entry-twice", "Also if it stands twice.", []byte{0xa5}, uid, Text("x"), []byte{1}, channel, Text("x"), []byte{2}, message)
	taken("array", "An array of the three values.", []byte{0x83}, Text("u"), Text("room"), Bytes("hi!"))
	taken("array-indefinite", "The same of indefinite length.", []byte{0x9f}, Text("u"), Text("room"), Bytes("hi!"), end)
	taken("map-indefinite", "A map of indefinite length.", endless, uid, channel, message, end)
	taken("map-wide", "The map's count in two bytes.", []byte{0xb9, 0, 3}, uid, channel, message)
	taken("text-wide", "A length not in its shortest form.", map3, Text("uid"), []byte{0x78, 1, 'u'}, channel, message)
	taken("text-chunks", "Text in chunks.", map3, uid, Text("channel"), []byte{0x7f}, Text("ro"), Text("om"), end, message)
	taken("key-chunks", "A key in chunks.", map3, []byte{0x7f}, Text("ui"), Text("d"), end, Text("u"), channel, message)
	taken("key-bytes", "Keys as byte strings.", map3, Bytes("uid"), Text("u"), Bytes("channel"), Text("room"), Bytes("message"), Bytes("hi!"))
	taken("key-index", "Keys as indices.", map3, []byte{0}, Text("u"), []byte{1}, Text("room"), []byte{2}, Bytes("hi!"))
	taken("name-bytes", "A uid as byte string.", named(Bytes("u")))
	taken("message-text", "A message as text.", with(Text("hi!")))
	taken("message-array", "A message as array of integers.", with([]byte{0x83, 0x18, 'h', 0x18, 'i', 0x18, '!'}))
	taken("message-array-wide", "These integers in any width.", with([]byte{0x83, 0x19, 0, 'h', 0x1a, 0, 0, 0, 'i', 0x18, '!'}))
	taken("message-chunks", "A message in chunks.", with(Cat([]byte{0x5f}, Bytes("h"), Bytes(""), Bytes("i!"), end)))
	taken("tag-outside", "A tag around the map says nothing.", []byte{0xd9, 0xd9, 0xf7}, canonical)
	taken("tag-inside", "Nor does one in front of a name.", named(Cat([]byte{0xc1}, Text("u"))))
	said("empty", "All three may be empty.", Map3("", "", ""), Body{})
	said("not-ascii", "Names are UTF-8.", Map3("åsa", "世界", "\xff\x00"), Body{"åsa", "世界", "\xff\x00"})
	said("character-in-chunks", "Text may be cut inside a character.",
		named(Cat([]byte{0x7f}, Text("\xc3"), Text("\xa5"), end)), Body{"å", "room", "hi!"})
	said("name-with-nul", "A name may hold NUL.", Map3("a\x00b", "room", ""), Body{"a\x00b", "room", ""})

	refused("missing-uid", "uid is missing.", map2, channel, message)
	refused("missing-channel", "channel is missing.", map2, uid, message)
	refused("missing-message", "message is missing.", map2, uid, channel)
	refused("twice", "uid stands twice.", map4, uid, uid, channel, message)
	refused("twice-as-index", "uid stands twice, once as index.", map4, uid, []byte{0}, Text("u"), channel, message)
	refused("case", "A key is Uid.", map3, Text("Uid"), Text("u"), channel, message)
	refused("message-null", "message is null.", with([]byte{0xf6}))
	refused("message-number", "message is a number.", with([]byte{7}))
	refused("message-array-256", "An element is above 255.", with([]byte{0x81, 0x19, 1, 0}))
	refused("message-array-negative", "An element is negative.", with([]byte{0x81, 0x20}))
	refused("message-text-not-utf8", "message is text and not UTF-8.", with([]byte{0x61, 0xff}))
	refused("name-not-utf8", "uid is not UTF-8.", named(Text("\xff")))
	refused("name-surrogate", "uid holds a surrogate.", named(Text("\xed\xa0\x80")))
	refused("name-null", "uid is null.", named([]byte{0xf6}))
	refused("name-number", "uid is a number.", named([]byte{1}))
	refused("trailing", "A byte follows the map.", canonical, []byte{0})
	refused("cut", "The last byte is missing.", canonical[:len(canonical)-1])
	refused("count-too-large", "The map says four entries and has three.", map4, canonical[1:])
	refused("array-of-two", "An array of two.", []byte{0x82}, Text("u"), Text("room"))
	refused("array-of-four", "An array of four.", []byte{0x84}, Text("u"), Text("room"), Bytes("hi!"), []byte{0})
	refused("array-around", "An array around the map.", []byte{0x81}, canonical)
	refused("chunk-kind", "A chunk of text among bytes.", with(Cat([]byte{0x5f}, Text("hi!"), end)))
	refused("reserved-width", "A length in a reserved width.", map3, Text("uid"), []byte{0x7c, 'u'}, channel, message)
	refused("nesting", "128 arrays within each other in a further entry.",
		map4, uid, channel, message, Text("x"), bytes.Repeat([]byte{0x81}, 127), []byte{1})
	refused("number", "The body is a number.", []byte{0x18, 42})
	return k.made
}
