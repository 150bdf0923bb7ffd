package conformance

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Opcodes of WebSocket frames (RFC 6455, section 5.2).
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xa
)

// Fin marks the last fragment of a message, in the first byte of a frame.
const Fin = 0x80

// ClientFrame is a WebSocket frame as a client sends it, masked: its first byte
// (Fin|OpText …), the length in its shortest form, the mask, the payload under it.
func ClientFrame(first byte, payload string) []byte {
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	b := frameHead(first, 0x80, len(payload))
	b = append(b, mask[:]...)
	at := len(b)
	b = append(b, payload...)
	for i := range b[at:] {
		b[at+i] ^= mask[i%4]
	}
	return b
}

// UnmaskedFrame is a frame as a server sends it; from a client it is a fault.
func UnmaskedFrame(first byte, payload string) []byte {
	return append(frameHead(first, 0, len(payload)), payload...)
}

func frameHead(first, masked byte, n int) []byte {
	switch {
	case n < 126:
		return []byte{first, masked | byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{first, masked | 126}, uint16(n))
	}
	return binary.BigEndian.AppendUint64([]byte{first, masked | 127}, uint64(n))
}

// ClosePayload is the payload of a close frame.
func ClosePayload(code int, reason string) string {
	return string([]byte{byte(code >> 8), byte(code)}) + reason
}

// HelloText is the first message of a v2 connection, without auth if that is
// empty.
func HelloText(uid, channel, auth string) string {
	s := `{"uid":` + quote(uid) + `,"channel":` + quote(channel)
	if auth != "" {
		s += `,"auth":"` + auth + `"`
	}
	return s + `}`
}

// AuthOf is the auth over the bytes of uid, channel and key (v2/spec.md, "Auth"),
// as 16 hex digits.
func AuthOf(uid, channel, key string) string {
	return fmt.Sprintf("%016x", SipHash([]byte(uid+channel+key)))
}

// quote writes s as a JSON string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < 0x20:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
