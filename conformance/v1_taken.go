package conformance

import "strings"

// v1Taken are the forms in which a first frame joins.
func v1Taken() []v1Body {
	return append(v1TakenMaps(), v1TakenStrings()...)
}

// v1TakenMaps vary the map, its keys and what is in it beside the three.
func v1TakenMaps() []v1Body {
	return []v1Body{
		{name: "canonical", says: "is a map of uid, channel and message in this order, all lengths shortest",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + messageHi }},
		{name: "other-order", says: "has message and channel before uid",
			body: func(c string) string { return "\xa3" + messageHi + inChannel(c) + uidAlice }},
		{name: "map-indefinite", says: "is a map of indefinite length",
			body: func(c string) string { return "\xbf" + uidAlice + inChannel(c) + messageHi + "\xff" }},
		{name: "map-wide-count", says: "is a map whose count takes eight bytes",
			body: func(c string) string {
				return "\xbb\x00\x00\x00\x00\x00\x00\x00\x03" + uidAlice + inChannel(c) + messageHi
			}},
		{name: "further-entry", says: "has a further entry at its end",
			body: func(c string) string { return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x61x\x82\x01\x02" }},
		{name: "further-entry-first", says: "has a further entry at its beginning",
			body: func(c string) string { return "\xa4" + "\x61x\x00" + uidAlice + inChannel(c) + messageHi }},
		{name: "further-entry-twice", says: "has the same further entry twice",
			body: func(c string) string { return "\xa5" + "\x61x\x01" + uidAlice + inChannel(c) + messageHi + "\x61x\x02" }},
		{name: "further-key-bytes", says: "has a further entry whose key is a byte string, and not UTF-8",
			body: func(c string) string { return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x42\xff\xfe\x00" }},
		{name: "further-key-number", says: "has further entries whose keys are 3 and 2^40",
			body: func(c string) string {
				return "\xa5" + uidAlice + inChannel(c) + messageHi + "\x03\x00" + "\x1b\x00\x00\x01\x00\x00\x00\x00\x00\x00"
			}},
		{name: "further-value-simple", says: "has further values false, true, null and undefined",
			body: func(c string) string {
				return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x61x\x84\xf4\xf5\xf6\xf7"
			}},
		{name: "further-value-numbers", says: "has further values of the largest and the smallest integer, and floats of three widths",
			body: func(c string) string {
				return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x61x\x85" + "\x1b\xff\xff\xff\xff\xff\xff\xff\xff" + "\x3b\xff\xff\xff\xff\xff\xff\xff\xff" +
					"\xf9\x7e\x00" + "\xfa\x3f\x80\x00\x00" + "\xfb\x3f\xf0\x00\x00\x00\x00\x00\x00"
			}},
		{name: "further-value-maps", says: "has a further value of maps with null as key and with a key twice",
			body: func(c string) string {
				return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x61x\x82\xa1\xf6\xf6\xa2\x01\x01\x01\x01"
			}},
		{name: "further-value-indefinite", says: "has a further value of indefinite array, map and strings",
			body: func(c string) string {
				return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x61x\x9f\xbf\xff\x5f\x41a\xff\x7f\x61a\xff\xff"
			}},
		{name: "further-value-tagged", says: "has a further value of a tagged array, with a tag in it",
			body: func(c string) string {
				return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x61x\xc1\x81\xd8\x20\x61x"
			}},
		{name: "nesting-127", says: "has a further value at level 127 of arrays in each other",
			body: func(c string) string {
				return "\xa4" + uidAlice + inChannel(c) + messageHi + "\x61x" + strings.Repeat("\x81", 126) + "\x00"
			}},
		{name: "tag", says: "stands behind the tag of self-described CBOR",
			body: func(c string) string { return "\xd9\xd9\xf7\xa3" + uidAlice + inChannel(c) + messageHi }},
		{name: "tags-126", says: "stands behind 126 tags",
			body: func(c string) string {
				return strings.Repeat("\xc1", 126) + "\xa3" + uidAlice + inChannel(c) + messageHi
			}},
		{name: "array", says: "is an array of uid, channel and message",
			body: func(c string) string { return "\x83" + "\x65alice" + string(Text(c)) + "\x42hi" }},
		{name: "array-indefinite", says: "is an array of uid, channel and message of indefinite length",
			body: func(c string) string { return "\x9f" + "\x65alice" + string(Text(c)) + "\x42hi\xff" }},
		{name: "array-tagged", says: "is an array of the three behind a tag",
			body: func(c string) string { return "\xc1\x83" + "\x65alice" + string(Text(c)) + "\x42hi" }},
		{name: "keys-bytes", says: "has keys that are byte strings",
			body: func(c string) string {
				return "\xa3" + "\x43uid\x65alice" + "\x47channel" + string(Text(c)) + "\x47message\x42hi"
			}},
		{name: "keys-indices", says: "has the keys 0, 1 and 2",
			body: func(c string) string { return "\xa3" + "\x00\x65alice" + "\x01" + string(Text(c)) + "\x02\x42hi" }},
		{name: "keys-wide-indices", says: "has the keys 0, 1 and 2 in one, two and eight bytes",
			body: func(c string) string {
				return "\xa3" + "\x18\x00\x65alice" + "\x19\x00\x01" + string(Text(c)) + "\x1b\x00\x00\x00\x00\x00\x00\x00\x02\x42hi"
			}},
		{name: "keys-mixed", says: "has its keys as index, byte string and text",
			body: func(c string) string { return "\xa3" + "\x00\x65alice" + "\x47channel" + string(Text(c)) + messageHi }},
		{name: "keys-chunks", says: "has keys in chunks, of text and of bytes",
			body: func(c string) string {
				return "\xa3" + "\x7f\x61u\x62id\xff\x65alice" + "\x5f\x44chan\x43nel\xff" + string(Text(c)) + messageHi
			}},
		{name: "keys-tagged", says: "has a tag before a key",
			body: func(c string) string { return "\xa3" + "\xc1" + uidAlice + inChannel(c) + messageHi }},
	}
}

// v1TakenStrings vary the three values.
func v1TakenStrings() []v1Body {
	return []v1Body{
		{name: "uid-bytes", says: "has the uid as a byte string",
			body: func(c string) string { return "\xa3" + "\x63uid\x45alice" + inChannel(c) + messageHi }},
		{name: "uid-chunks", says: "has the uid in chunks",
			body: func(c string) string { return "\xa3" + "\x63uid\x7f\x62al\x63ice\xff" + inChannel(c) + messageHi }},
		{name: "uid-byte-chunks", says: "has the uid in chunks of bytes",
			body: func(c string) string { return "\xa3" + "\x63uid\x5f\x42al\x43ice\xff" + inChannel(c) + messageHi }},
		{name: "uid-cut-in-character", says: "has the uid in chunks that part a character", uid: "ä",
			body: func(c string) string { return "\xa3" + "\x63uid\x7f\x61\xc3\x61\xa4\xff" + inChannel(c) + messageHi }},
		{name: "uid-wide-length", says: "has the uid's length in eight bytes",
			body: func(c string) string {
				return "\xa3" + "\x63uid\x7b\x00\x00\x00\x00\x00\x00\x00\x05alice" + inChannel(c) + messageHi
			}},
		{name: "uid-tagged", says: "has a tag before the uid",
			body: func(c string) string { return "\xa3" + "\x63uid\xc1\x65alice" + inChannel(c) + messageHi }},
		{name: "channel-bytes", says: "has the channel as a byte string",
			body: func(c string) string { return "\xa3" + uidAlice + "\x67channel" + string(Bytes(c)) + messageHi }},
		{name: "channel-chunks", says: "has the channel in chunks",
			body: func(c string) string {
				return "\xa3" + uidAlice + "\x67channel\x7f" + string(Text(c[:5])) + "\x60" + string(Text(c[5:])) + "\xff" + messageHi
			}},
		{name: "channel-tagged", says: "has a tag before the channel",
			body: func(c string) string { return "\xa3" + uidAlice + "\x67channel\xc1" + string(Text(c)) + messageHi }},
		{name: "channel-wide-length", says: "has the channel's length in two bytes",
			body: func(c string) string {
				return "\xa3" + uidAlice + "\x67channel\x79\x00" + string(rune(len(c))) + c + messageHi
			}},
		{name: "message-text", says: "has the message as text",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x62hi" }},
		{name: "message-chunks", says: "has the message in chunks",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x5f\x41h\x41i\xff" }},
		{name: "message-no-chunks", says: "has an empty message of indefinite length",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x5f\xff" }},
		{name: "message-text-chunks", says: "has the message as text in chunks that part a character",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x7f\x61\xc3\x61\xa4\xff" }},
		{name: "message-numbers", says: "has the message as an array of small integers",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x83\x18\x68\x00\x18\xff" }},
		{name: "message-numbers-indefinite", says: "has the message as an array of small integers of indefinite length",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x9f\x18\x68\x18\x69\xff" }},
		{name: "message-numbers-wide", says: "has the message as an array of integers in two and eight bytes",
			body: func(c string) string {
				return "\xa3" + uidAlice + inChannel(c) + "\x67message\x82\x19\x00\x68" + "\x1b\x00\x00\x00\x00\x00\x00\x00\x69"
			}},
		{name: "message-numbers-tagged", says: "has the message as a tagged array of integers, one of them tagged",
			body: func(c string) string {
				return "\xa3" + uidAlice + inChannel(c) + "\x67message\xc1\x82\x18\x68\xc1\x18\x69"
			}},
		{name: "message-no-numbers", says: "has the message as an empty array",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x80" }},
		{name: "message-wide-length", says: "has the message's length in four bytes",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\x5a\x00\x00\x00\x02hi" }},
		{name: "message-tagged", says: "has the tag of embedded CBOR before the message",
			body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message\xd8\x18\x42hi" }},
		{name: "message-tags-126", says: "has 126 tags before the message, which makes 127 levels",
			body: func(c string) string {
				return "\xa3" + uidAlice + inChannel(c) + "\x67message" + strings.Repeat("\xc1", 126) + "\x42hi"
			}},
	}
}
