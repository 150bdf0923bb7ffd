package conformance

import (
	"strings"
	"unicode/utf8"
)

func v2AuthVectors() []Vector {
	k := vectorKind{kind: "v2-auth", section: "v2/spec.md#auth"}
	const uid, channel, key = "alice", "chan", "swordfish"
	auth := AuthOf(uid, channel, key)
	joins := func(name, says, uid, channel, key, auth string) {
		k.valid(name, says, fields{"uid": uid, "channel": channel, "shared_key": key, "auth": auth},
			fields{"hashed": hexOfText(uid + channel + key), "auth": AuthOf(uid, channel, key)})
	}
	refused := func(name, says, auth string) {
		k.invalid(name, says, fields{"uid": uid, "channel": channel, "shared_key": key, "auth": auth})
	}
	joins("shared", "The bytes of uid, channel and key, without separators.", uid, channel, key, auth)
	joins("no-key", "Without a key, uid and channel.", uid, channel, "", AuthOf(uid, channel, ""))
	joins("not-ascii", "What is hashed is UTF-8.", "åsa", "世界", "Schlüssel", AuthOf("åsa", "世界", "Schlüssel"))
	joins("no-separators", "Where uid ends does not show: the same as ali and cechan.", "ali", "cechan", key, auth)
	joins("upper-case", "Digits in either case.", uid, channel, key, strings.ToUpper(auth))
	joins("leading-zeros", "More than 16 digits, if zeros lead.", uid, channel, key, strings.Repeat("0", 20)+auth)
	joins("plus", "One plus in front.", uid, channel, key, "+"+auth)
	small := smallAuth(channel, key)
	joins("zeros-left-out", "Leading zeros left out.", small, channel, key, strings.TrimLeft(AuthOf(small, channel, key), "0"))
	refused("empty", "No digit.", "")
	refused("wrong", "Another number.", AuthOf(uid, channel, key+"?"))
	refused("prefix", "0x in front.", "0x"+auth)
	refused("space", "White space in front.", " "+auth)
	refused("minus", "A minus in front.", "-"+auth)
	refused("two-plus", "Two plus in front.", "++"+auth)
	refused("underscore", "An underscore between digits.", auth[:8]+"_"+auth[8:])
	refused("too-large", "More than 64 bits.", "1"+auth)
	return k.made
}

// smallAuth finds a uid whose auth begins with a zero.
func smallAuth(channel, key string) string {
	for uid := "a"; ; uid += "a" {
		if AuthOf(uid, channel, key)[0] == '0' {
			return uid
		}
	}
}

// v2HelloVectors are the rows of v2/spec.md, "Hello", for a server without key.
func v2HelloVectors() []Vector {
	k := vectorKind{kind: "v2-hello", section: "v2/spec.md#hello"}
	input := func(text string) fields {
		in := fields{"bytes": hexOfText(text)}
		if utf8.ValidString(text) && len(text) < 1000 {
			in["text"] = text
		}
		return in
	}
	joins := func(name, says, text, uid, channel string) {
		k.valid(name, says, input(text), fields{"uid": uid, "channel": channel})
	}
	refused := func(name, says, text string) { k.invalid(name, says, input(text)) }

	joins("plain", "uid and channel.", `{"uid":"alice","channel":"room"}`, "alice", "room")
	joins("order", "In any order.", `{"channel":"room","uid":"alice"}`, "alice", "room")
	joins("white-space", "White space before, within and after.", " {\t\"uid\" : \"alice\",\r\n\"channel\":\"room\" }\n", "alice", "room")
	joins("further-member", "Unknown members are passed over, also twice.", `{"uid":"alice","x":{"y":[1,1e999]},"channel":"room","x":null}`, "alice", "room")
	joins("other-spelling-beside", "Uid is an unknown member.", `{"Uid":"bob","uid":"alice","channel":"room"}`, "alice", "room")
	joins("auth-null", "auth may be null where there is no key.", `{"uid":"alice","channel":"room","auth":null}`, "alice", "room")
	joins("escapes", "Escapes in names.", `{"uid":"al\u0069ce\/\n","channel":"ro\u006fm"}`, "alice/\n", "room")
	joins("escaped-member", "Names of members are compared after decoding.", `{"\u0075id":"alice","channel":"room"}`, "alice", "room")
	joins("nul", "A NUL in a name, escaped.", `{"uid":"al\u0000ice","channel":"room"}`, "al\x00ice", "room")
	joins("not-ascii", "Names outside of ASCII, raw and escaped (mles 2.9.4 refuses them).", `{"uid":"åsa","channel":"\u4e16\ud83d\udc1f"}`, "åsa", "世🐟")
	joins("names-longest", "Names of 1,024 bytes.", HelloText(strings.Repeat("u", 1024), strings.Repeat("c", 1024), ""), strings.Repeat("u", 1024), strings.Repeat("c", 1024))

	refused("array", "An array.", `["alice","room"]`)
	refused("missing-uid", "uid is missing.", `{"channel":"room"}`)
	refused("missing-channel", "channel is missing.", `{"uid":"alice"}`)
	refused("uid-null", "uid is null.", `{"uid":null,"channel":"room"}`)
	refused("channel-number", "channel is a number.", `{"uid":"alice","channel":1}`)
	refused("auth-number", "auth is a number.", `{"uid":"alice","channel":"room","auth":1}`)
	refused("uid-empty", "uid is empty.", `{"uid":"","channel":"room"}`)
	refused("channel-empty", "channel is empty.", `{"uid":"alice","channel":""}`)
	refused("case", "Uid in place of uid.", `{"Uid":"alice","channel":"room"}`)
	refused("twice", "uid stands twice.", `{"uid":"alice","uid":"alice","channel":"room"}`)
	refused("twice-escaped", "uid stands twice, once escaped.", `{"uid":"alice","\u0075id":"alice","channel":"room"}`)
	refused("auth-twice", "auth stands twice.", `{"uid":"alice","channel":"room","auth":null,"auth":null}`)
	refused("after", "A second object follows.", `{"uid":"alice","channel":"room"}{}`)
	refused("comma", "A comma before the brace.", `{"uid":"alice","channel":"room",}`)
	refused("single-quotes", "Single quotes.", `{'uid':'alice','channel':'room'}`)
	refused("control-character", "A raw control character in a name.", "{\"uid\":\"al\nice\",\"channel\":\"room\"}")
	refused("half-surrogate", "Half a surrogate pair in a name.", `{"uid":"al\ud83d","channel":"room"}`)
	refused("byte-order-mark", "A byte order mark.", "\ufeff"+`{"uid":"alice","channel":"room"}`)
	refused("not-utf8", "Bytes that are not UTF-8.", "{\"uid\":\"al\xff\",\"channel\":\"room\"}")
	refused("nothing", "Nothing at all.", "")
	refused("cut", "The brace is missing.", `{"uid":"alice","channel":"room"`)
	refused("uid-too-long", "uid of 1,025 bytes.", HelloText(strings.Repeat("u", 1025), "room", ""))
	refused("too-long", "8,193 bytes.", HelloText("alice", "room", "")+strings.Repeat(" ", 8193-len(HelloText("alice", "room", ""))))
	return k.made
}
