package bridge_test

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/bits"
	"testing"
)

// The bytes of v1, written down once more and not taken from the package under
// test: what is wrong in one is not wrong in the other in the same way.

// sip is SipHash-2-4 with the zero key.
func sip(data []byte) uint64 {
	a, b, c, d := uint64(0x736f6d6570736575), uint64(0x646f72616e646f6d), uint64(0x6c7967656e657261), uint64(0x7465646279746573)
	round := func() {
		a += b
		b = bits.RotateLeft64(b, 13) ^ a
		a = bits.RotateLeft64(a, 32)
		c += d
		d = bits.RotateLeft64(d, 16) ^ c
		a += d
		d = bits.RotateLeft64(d, 21) ^ a
		c += b
		b = bits.RotateLeft64(b, 17) ^ c
		c = bits.RotateLeft64(c, 32)
	}
	block := func(m uint64) {
		d ^= m
		round()
		round()
		a ^= m
	}
	length := len(data)
	for ; len(data) >= 8; data = data[8:] {
		block(binary.LittleEndian.Uint64(data))
	}
	var last [8]byte
	copy(last[:], data)
	last[7] = byte(length)
	block(binary.LittleEndian.Uint64(last[:]))
	c ^= 0xff
	for range 4 {
		round()
	}
	return a ^ b ^ c ^ d
}

// v1Key hashes parts, each followed by 0xff.
func v1Key(parts ...string) uint64 {
	var b []byte
	for _, p := range parts {
		b = append(append(b, p...), 0xff)
	}
	return sip(b)
}

// v2Auth is the auth of a hello.
func v2Auth(uid, channel, key string) string {
	return fmt.Sprintf("%016x", sip([]byte(uid+channel+key)))
}

// cborHead writes a CBOR head of the major type.
func cborHead(major byte, n int) []byte {
	major <<= 5
	switch {
	case n < 24:
		return []byte{major | byte(n)}
	case n < 1<<8:
		return []byte{major | 24, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	}
	return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
}

func cborText(s string) []byte  { return append(cborHead(3, len(s)), s...) }
func cborBytes(b []byte) []byte { return append(cborHead(2, len(b)), b...) }

// msgBody is the body as the reference writes it.
func msgBody(uid, channel, message string) []byte {
	b := append(make([]byte, 0, len(uid)+len(channel)+len(message)+40), 0xa3)
	b = append(append(b, cborText("uid")...), cborText(uid)...)
	b = append(append(b, cborText("channel")...), cborText(channel)...)
	b = append(append(b, cborText("message")...), cborHead(2, len(message))...)
	return append(b, message...)
}

// resyncBody is the body of a ResyncMsg.
func resyncBody(frames ...[]byte) []byte {
	b := append([]byte{0xa1}, cborText("resync_message")...)
	b = append(b, cborHead(4, len(frames))...)
	for _, f := range frames {
		b = append(append(append(b, 0xa1), cborText("encoded_msg")...), cborBytes(f)...)
	}
	return b
}

// v1Frame puts a header before a body.
func v1Frame(cid uint32, key uint64, body []byte) []byte {
	b := append(make([]byte, 0, 16+len(body)), 'M', byte(len(body)>>16), byte(len(body)>>8), byte(len(body)))
	b = binary.BigEndian.AppendUint32(b, cid)
	b = binary.BigEndian.AppendUint64(b, key)
	return append(b, body...)
}

// keyed is a frame whose CID is the low half of its key.
func keyed(key uint64, body []byte) []byte { return v1Frame(uint32(key), key, body) }

// readV1Frame reads one whole frame.
func readV1Frame(r io.Reader) ([]byte, error) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	if head[0] != 'M' {
		return nil, fmt.Errorf("frame begins with %x", head)
	}
	frame := make([]byte, 16+(int(head[1])<<16|int(head[2])<<8|int(head[3])))
	copy(frame, head)
	_, err := io.ReadFull(r, frame[16:])
	return frame, err
}

// A few of the vectors that an independent encoder made, so that the expectations
// of all other tests stand on something.
func TestTestBytes(t *testing.T) {
	if got := fmt.Sprintf("%016x", v1Key("schlüssel", "ä", "频道")); got != "fe7c7247b5d19724" {
		t.Error("key:", got)
	}
	if got := fmt.Sprintf("%016x", v1Key("[0:0:0:0:0:0:0:1]:37004", "addrkey", "u", "c")); got != "95ab8bc6b794bcbd" {
		t.Error("address key:", got)
	}
	if got := v2Auth("alice", "chan", "swordfish"); got != "b678b79a693e130f" {
		t.Error("auth:", got)
	}
	if got := v2Auth("alice", "chan", ""); got != "30eaa73873f27ef9" {
		t.Error("auth without key:", got)
	}
	frame := keyed(v1Key("swordfish", "bob", "chan"), msgBody("bob", "chan", "hello"))
	if got := hex.EncodeToString(frame); got != "4d000024f2d835af9db20c0ef2d835afa36375696463626f62676368616e6e656c646368616e676d6573736167654568656c6c6f" {
		t.Error("frame:", got)
	}
	one := keyed(0xa43134dc94dd5ebf, nil) // not a frame anybody sends, but bytes
	if got := hex.EncodeToString(resyncBody(one)); got != "a16e726573796e635f6d65737361676581a16b656e636f6465645f6d7367504d00000094dd5ebfa43134dc94dd5ebf" {
		t.Error("resync:", got)
	}
}
