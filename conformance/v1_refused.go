package conformance

import "strings"

// v1Refused are bodies with which nobody joins.
func v1Refused() []v1Body {
	return append(v1RefusedMaps(), v1RefusedStrings()...)
}

// v1RefusedMaps have a fault in the map, its keys, or what is beside the three.
func v1RefusedMaps() []v1Body {
	further := func(entry string) func(string) string {
		return func(c string) string { return "\xa4" + uidAlice + inChannel(c) + messageHi + entry }
	}
	return []v1Body{
		{name: "no-uid", says: "has no uid", noUID: true, body: func(c string) string { return "\xa2" + inChannel(c) + messageHi }},
		{name: "no-channel", says: "has no channel", noChannel: true, body: func(c string) string { return "\xa2" + uidAlice + messageHi }},
		{name: "no-message", says: "has no message", body: func(c string) string { return "\xa2" + uidAlice + inChannel(c) }},
		{name: "uid-twice", says: "has the uid twice, alike", body: further(uidAlice)},
		{name: "channel-twice", says: "has the channel twice, alike", body: func(c string) string { return "\xa4" + uidAlice + inChannel(c) + inChannel(c) + messageHi }},
		{name: "message-twice", says: "has the message twice, alike", body: further(messageHi)},
		{name: "twice-in-two-spellings", says: "has the uid under its name and under 0", body: further("\x00\x65alice")},
		{name: "other-case", says: "has Uid for uid", body: func(c string) string { return "\xa3" + "\x63Uid\x65alice" + inChannel(c) + messageHi }},
		{name: "count-too-large", says: "announces four entries and has three", body: further("")},
		{name: "count-huge", says: "announces 2^62 entries and has three",
			body: func(c string) string {
				return "\xbb\x40\x00\x00\x00\x00\x00\x00\x00" + uidAlice + inChannel(c) + messageHi
			}},
		{name: "count-wraps", says: "announces 2^32+3 entries and has three",
			body: func(c string) string {
				return "\xbb\x00\x00\x00\x01\x00\x00\x00\x03" + uidAlice + inChannel(c) + messageHi
			}},
		{name: "count-too-small", says: "announces two entries and has three", body: func(c string) string { return "\xa2" + uidAlice + inChannel(c) + messageHi }},
		{name: "no-break", says: "is a map of indefinite length without its end", body: func(c string) string { return "\xbf" + uidAlice + inChannel(c) + messageHi }},
		{name: "byte-after", says: "has a byte after the map", body: func(c string) string { return "\xa3" + uidAlice + inChannel(c) + messageHi + "\x00" }},
		{name: "map-after", says: "has the same map again after the map", body: func(c string) string { return strings.Repeat("\xa3"+uidAlice+inChannel(c)+messageHi, 2) }},
		{name: "only-break", says: "is a break alone", noUID: true, noChannel: true, body: func(string) string { return "\xff" }},
		{name: "only-text", says: "is text alone", noUID: true, noChannel: true, body: func(string) string { return "\x65alice" }},
		{name: "only-number", says: "is a number alone", noUID: true, noChannel: true, body: func(string) string { return "\x00" }},
		{name: "empty-map", says: "is an empty map", noUID: true, noChannel: true, body: func(string) string { return "\xa0" }},
		{name: "array-of-two", says: "is an array of uid and channel", body: func(c string) string { return "\x82\x65alice" + string(Text(c)) }},
		{name: "array-of-four", says: "is an array of four",
			body: func(c string) string { return "\x84\x65alice" + string(Text(c)) + "\x42hi\x00" }},
		{name: "array-of-four-indefinite", says: "is an array of four of indefinite length",
			body: func(c string) string { return "\x9f\x65alice" + string(Text(c)) + "\x42hi\x00\xff" }},
		{name: "array-around", says: "has an array around the map", body: func(c string) string { return "\x81\xa3" + uidAlice + inChannel(c) + messageHi }},
		{name: "further-key-negative", says: "has a further entry whose key is -1", body: further("\x20\x00")},
		{name: "further-key-float", says: "has a further entry whose key is a float", body: further("\xf9\x3c\x00\x00")},
		{name: "further-key-null", says: "has a further entry whose key is null", body: further("\xf6\x00")},
		{name: "further-key-true", says: "has a further entry whose key is true", body: further("\xf5\x00")},
		{name: "further-key-array", says: "has a further entry whose key is an array", body: further("\x80\x00")},
		{name: "further-key-map", says: "has a further entry whose key is a map", body: further("\xa0\x00")},
		{name: "further-key-not-utf8", says: "has a further entry whose key is text that is not UTF-8", body: further("\x61\xff\x00")},
		{name: "further-value-not-utf8", says: "has a further value of text that is not UTF-8", body: further("\x61x\x61\xff")},
		{name: "further-value-chunks-not-utf8", says: "has a further value of text in chunks that are not UTF-8 together", body: further("\x61x\x7f\x61\xc3\xff")},
		{name: "further-value-simple-0", says: "has a further value of the unassigned simple value 0", body: further("\x61x\xe0")},
		{name: "further-value-simple-32", says: "has a further value of the unassigned simple value 32", body: further("\x61x\xf8\x20")},
		{name: "further-value-width-28", says: "has a further value of a reserved width", body: further("\x61x\x1c")},
		{name: "further-value-indefinite-number", says: "has a further value of a number of indefinite length", body: further("\x61x\x1f")},
		{name: "further-value-break", says: "has a break for a further value", body: further("\x61x\xff")},
		{name: "further-value-odd-map", says: "has a further value of an indefinite map of one key without a value", body: further("\x61x\xbf\x01\xff")},
		{name: "tag-indefinite", says: "stands behind a tag of indefinite length", body: func(c string) string { return "\xdf\xa3" + uidAlice + inChannel(c) + messageHi }},
		{name: "nesting-128", says: "has a further value at level 128 of arrays in each other", body: further("\x61x" + strings.Repeat("\x81", 127) + "\x00")},
		{name: "tags-127", says: "stands behind 127 tags", body: func(c string) string {
			return strings.Repeat("\xc1", 127) + "\xa3" + uidAlice + inChannel(c) + messageHi
		}},
	}
}

// v1RefusedStrings have a fault in one of the three values.
func v1RefusedStrings() []v1Body {
	uid := func(value string) func(string) string {
		return func(c string) string { return "\xa3" + "\x63uid" + value + inChannel(c) + messageHi }
	}
	message := func(value string) func(string) string {
		return func(c string) string { return "\xa3" + uidAlice + inChannel(c) + "\x67message" + value }
	}
	return []v1Body{
		{name: "uid-null", says: "has null for the uid", noUID: true, body: uid("\xf6")},
		{name: "uid-number", says: "has a number for the uid", uid: "1", body: uid("\x01")},
		{name: "uid-array", says: "has an array of text for the uid", body: uid("\x81\x65alice")},
		{name: "uid-numbers", says: "has an array of small integers for the uid", body: uid("\x85\x18\x61\x18\x6c\x18\x69\x18\x63\x18\x65")},
		{name: "uid-not-utf8", says: "has a uid that is not UTF-8", uid: "\xff", body: uid("\x61\xff")},
		{name: "uid-bytes-not-utf8", says: "has a uid as a byte string that is not UTF-8", uid: "\xff", body: uid("\x41\xff")},
		{name: "uid-surrogate", says: "has a surrogate in the uid", uid: "\xed\xa0\x80", body: uid("\x63\xed\xa0\x80")},
		{name: "uid-overlong", says: "has an overlong character in the uid", uid: "\xc0\x80", body: uid("\x62\xc0\x80")},
		{name: "channel-null", says: "has null for the channel", noChannel: true, body: func(string) string { return "\xa3" + uidAlice + "\x67channel\xf6" + messageHi }},
		{name: "channel-not-utf8", says: "has a channel that is not UTF-8", tail: "\xff", body: func(c string) string { return "\xa3" + uidAlice + inChannel(c+"\xff") + messageHi }},
		{name: "message-null", says: "has null for the message", body: message("\xf6")},
		{name: "message-undefined", says: "has undefined for the message", body: message("\xf7")},
		{name: "message-false", says: "has false for the message", body: message("\xf4")},
		{name: "message-number", says: "has a number for the message", body: message("\x05")},
		{name: "message-map", says: "has a map for the message", body: message("\xa0")},
		{name: "message-text-not-utf8", says: "has a message of text that is not UTF-8", body: message("\x61\xff")},
		{name: "message-number-256", says: "has 256 in a message of integers", body: message("\x81\x19\x01\x00")},
		{name: "message-number-negative", says: "has -1 in a message of integers", body: message("\x81\x20")},
		{name: "message-number-float", says: "has a float in a message of integers", body: message("\x81\xf9\x3c\x00")},
		{name: "message-number-null", says: "has null in a message of integers", body: message("\x81\xf6")},
		{name: "message-number-true", says: "has true in a message of integers", body: message("\x81\xf5")},
		{name: "message-number-text", says: "has text in a message of integers", body: message("\x81\x61a")},
		{name: "message-number-bignum", says: "has a bignum in a message of integers", body: message("\x81\xc2\x41\x05")},
		{name: "message-chunk-text", says: "has a chunk of text in a message of bytes", body: message("\x5f\x61h\xff")},
		{name: "message-chunk-indefinite", says: "has a chunk of indefinite length in the message", body: message("\x5f\x5f\x41h\xff\xff")},
		{name: "message-chunk-tagged", says: "has a tag before a chunk of the message", body: message("\x5f\xc1\x41h\xff")},
		{name: "message-cut", says: "ends a byte before the end of the message", body: message("\x43hi")},
		{name: "message-huge", says: "announces a message of 2^63 bytes and has two", body: message("\x5b\x80\x00\x00\x00\x00\x00\x00\x00hi")},
		{name: "message-wraps", says: "announces a message of 2^32+2 bytes and has two", body: message("\x5b\x00\x00\x00\x01\x00\x00\x00\x02hi")},
		{name: "message-tags-127", says: "has 127 tags before the message, which makes 128 levels", body: message(strings.Repeat("\xc1", 127) + "\x42hi")},
	}
}
