package v2

import (
	"encoding/binary"
	"unicode/utf8"
)

// Opcodes of RFC 6455 section 5.2. Continuation frames never leave this
// package: fragments are joined before anything is forwarded.
const (
	OpText   = 1
	OpBinary = 2
	OpClose  = 8 // payload: nothing, or a code of two bytes and a reason in UTF-8
	OpPing   = 9
	OpPong   = 10 // payload: the ping's
)

// maxControl is the largest payload of a close, ping or pong frame.
const maxControl = 125

// final marks a frame that is a whole message.
const final = 0x80

// FrameSize is the size in bytes of the frame that AppendFrame makes of a
// payload of n bytes.
func FrameSize(n int) int {
	switch {
	case n <= maxControl:
		return 2 + n
	case n <= 0xffff:
		return 4 + n
	}
	return 10 + n
}

// AppendFrame appends one frame as a server sends it, final and unmasked, to
// dst (RFC 6455 section 5.2). Control frames (OpClose, OpPing, OpPong) carry at
// most 125 bytes; that is the caller's to hold.
func AppendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = AppendFrameHeader(dst, op, len(payload))
	return append(dst, payload...)
}

// AppendFrameHeader appends what stands before a payload of n bytes in the frame
// that AppendFrame makes, for whoever writes the payload behind it.
func AppendFrameHeader(dst []byte, op byte, n int) []byte {
	return appendFrameHeader(dst, op, n, 0)
}

// appendFrameHeader appends a final frame's first bytes; mask is 0, or 0x80
// where a masking key follows.
func appendFrameHeader(dst []byte, op byte, n int, mask byte) []byte {
	dst = append(dst, final|op)
	switch {
	case n <= maxControl:
		return append(dst, mask|byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(n))
}

// AppendClose appends a server's close frame to dst. The reason is cut to the
// 123 bytes there is room for, at a rune boundary. With CloseNoStatus the frame
// is empty, as that code stands for one.
func AppendClose(dst []byte, code int, reason string) []byte {
	var payload [maxControl]byte
	return AppendFrame(dst, OpClose, appendClosePayload(payload[:0], code, reason))
}

func appendClosePayload(dst []byte, code int, reason string) []byte {
	if code == CloseNoStatus {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, cutText(reason, maxControl-2)...)
}

// cutText shortens s to at most n bytes without splitting a rune.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
