package conformance

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"

	"golang.org/x/crypto/blake2s"
)

// v1MaskVectors are what mles-webproxy makes of its clients' frames.
func v1MaskVectors() []Vector {
	k := vectorKind{kind: "v1-mask", section: "vectors/README.md#v1-mask"}
	for _, m := range []struct{ name, says, uid, channel, message string }{
		{"message", "The first 16 bytes of a message are the counter with which the rest is masked.",
			"web1", "room", "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0fhello"},
		{"counter-alone", "Of a message of 16 bytes nothing is masked.", "web1", "room", "0123456789abcdef"},
		{"counter-carries", "The counter carries over all 16 bytes.", "web2", "room", string(bytes.Repeat([]byte{0xff}, 16)) + "0123456789abcdef0123456789abcdef"},
		{"name-of-a-block", "A name of 16 bytes is padded with 16 more.", "0123456789abcdef", "room", "0123456789abcdefx"},
		{"empty-name", "An empty name is padded to a block.", "", "room", "0123456789abcdefx"},
		{"not-ascii", "Names are masked as UTF-8.", "åsa", "世界", "0123456789abcdefx"},
	} {
		h1 := blake2s.Sum256([]byte(m.channel))
		h2 := blake2s.Sum256(h1[:])
		k.valid(m.name, m.says,
			fields{"uid": m.uid, "channel": m.channel, "message": hexOfText(m.message)},
			fields{
				"key1": hexOf(h1[:16]), "key2": hexOf(h2[:16]),
				"uid": maskName(h2[:16], m.uid), "channel": maskName(h2[:16], m.channel),
				"message": hexOf(maskMessage(h1[:16], m.message)),
			})
	}
	k.invalid("message-too-short", "A message shorter than a counter cannot be masked.",
		fields{"uid": "web1", "channel": "room", "message": hexOfText("0123456789abcde")})
	return k.made
}

// maskName is base64 over AES-128-ECB with PKCS#7 padding.
func maskName(key []byte, name string) string {
	block, _ := aes.NewCipher(key)
	pad := 16 - len(name)%16
	b := append([]byte(name), bytes.Repeat([]byte{byte(pad)}, pad)...)
	for i := 0; i < len(b); i += 16 {
		block.Encrypt(b[i:], b[i:])
	}
	return base64.StdEncoding.EncodeToString(b)
}

// maskMessage is AES-128-CTR over what follows the counter.
func maskMessage(key []byte, message string) []byte {
	block, _ := aes.NewCipher(key)
	b := []byte(message)
	cipher.NewCTR(block, b[:16]).XORKeyStream(b[16:], b[16:])
	return b
}
