package conformance

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
)

// Cat joins pieces of bytes into new ones.
func Cat(pieces ...[]byte) []byte { return slices.Concat(pieces...) }

// Frame is a v1 frame (v1/spec.md, "Frame"): M, the body's length in three bytes,
// the CID, the key, the body. It does not check that the length fits.
func Frame(cid uint32, key uint64, body []byte) []byte {
	return HeaderAndBody(len(body), cid, key, body)
}

// HeaderAndBody is a frame whose length field says n, whatever the body's length.
func HeaderAndBody(n int, cid uint32, key uint64, body []byte) []byte {
	b := []byte{'M', byte(n >> 16), byte(n >> 8), byte(n)}
	b = binary.BigEndian.AppendUint32(b, cid)
	b = binary.BigEndian.AppendUint64(b, key)
	return append(b, body...)
}

// Major types of CBOR (RFC 8949), for Head.
const (
	MajorUint  = 0
	MajorInt   = 1
	MajorBytes = 2
	MajorText  = 3
	MajorArray = 4
	MajorMap   = 5
	MajorTag   = 6
)

// Head is the head of a CBOR item in its shortest form: major type and argument.
func Head(major byte, n uint64) []byte {
	m := major << 5
	switch {
	case n < 24:
		return []byte{m | byte(n)}
	case n < 1<<8:
		return []byte{m | 24, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{m | 25}, uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32([]byte{m | 26}, uint32(n))
	}
	return binary.BigEndian.AppendUint64([]byte{m | 27}, n)
}

// Text and Bytes are CBOR strings of the two kinds.
func Text(s string) []byte  { return append(Head(MajorText, uint64(len(s))), s...) }
func Bytes(s string) []byte { return append(Head(MajorBytes, uint64(len(s))), s...) }

// Map3 is the body as every sender writes it (v1/spec.md, "Body"): a map of uid,
// channel, message, in this order.
func Map3(uid, channel, message string) []byte {
	return Cat([]byte{0xa3},
		[]byte("\x63uid"), Text(uid),
		[]byte("\x67channel"), Text(channel),
		[]byte("\x67message"), Bytes(message))
}

// Resync is the body of a ResyncMsg that contains the frames (v1/spec.md,
// "Resync").
func Resync(frames ...[]byte) []byte {
	b := Cat([]byte{0xa1}, []byte("\x6eresync_message"), Head(MajorArray, uint64(len(frames))))
	for _, f := range frames {
		b = append(b, "\xa1\x6bencoded_msg"...)
		b = append(b, Bytes(string(f))...)
	}
	return b
}

// KeyOf is the v1 key over parts (v1/spec.md, "Key"): each followed by 0xff.
func KeyOf(parts ...string) uint64 {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
		b = append(b, 0xff)
	}
	return SipHash(b)
}

// Dotted is how v1 spells an address: a.b.c.d:port for IPv4, the eight groups of
// Groups for IPv6.
func Dotted(a netip.AddrPort) string {
	if ip := a.Addr().Unmap(); ip.Is4() {
		return netip.AddrPortFrom(ip, a.Port()).String()
	}
	return Groups(a)
}

// Groups spells an address in eight groups, [0:0:0:0:0:ffff:7f00:1]:8077, as a
// server on a socket of IPv6 sees it; also an IPv4 one.
func Groups(a netip.AddrPort) string {
	g := a.Addr().As16()
	s := "["
	for i := 0; i < 16; i += 2 {
		if i > 0 {
			s += ":"
		}
		s += fmt.Sprintf("%x", binary.BigEndian.Uint16(g[i:]))
	}
	return fmt.Sprintf("%s]:%d", s, a.Port())
}
