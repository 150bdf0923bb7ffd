package bridge

import (
	"encoding/binary"

	"mles/v2"
)

// frames follows the frames that the other side sends, below gorilla, for what gorilla
// does not tell in time: whether one is begun, what the first message is, and a close
// frame with half a code, which it takes for one without (RFC 6455 section 5.5.1).
type frames struct {
	head     [14]byte // of the frame under way, as far as it has come
	n        int
	left     uint64 // bytes of its payload to come
	first    byte   // opcode of the first message; 0 until it has begun
	messages int    // that have come to their end
	halfCode bool   // a close frame with a payload of one byte was seen
}

// pass takes what the other side has sent.
func (f *frames) pass(p []byte) {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(f.left, uint64(len(p)))
			f.left -= n
			p = p[n:]
			f.whole()
			continue
		}
		f.head[f.n] = p[0]
		f.n++
		p = p[1:]
		if size, ok := payloadSize(f.head[:f.n]); ok {
			f.halfCode = f.halfCode || f.head[0]&0x0f == v2.OpClose && size == 1
			if op := f.head[0] & 0x0f; f.first == 0 && op < v2.OpClose {
				f.first = op
			}
			f.left, f.n = size, 0
			f.whole()
		}
	}
}

// whole counts a message whose last frame has come.
func (f *frames) whole() {
	if f.left == 0 && f.head[0]&0x80 != 0 && f.head[0]&0x0f < v2.OpClose {
		f.messages++
	}
}

// begun says that a frame has begun and not come to its end.
func (f *frames) begun() bool { return f.n > 0 || f.left > 0 }

// payloadSize reads a frame's header (RFC 6455 section 5.2); ok is false while it
// is incomplete.
func payloadSize(head []byte) (size uint64, ok bool) {
	if len(head) < 2 {
		return 0, false
	}
	need := 2
	switch size = uint64(head[1] & 0x7f); size {
	case 126:
		need += 2
	case 127:
		need += 8
	}
	if head[1]&0x80 != 0 {
		need += 4 // the mask
	}
	if len(head) < need {
		return 0, false
	}
	switch size {
	case 126:
		size = uint64(binary.BigEndian.Uint16(head[2:]))
	case 127:
		size = binary.BigEndian.Uint64(head[2:])
	}
	return size, true
}
