package v1

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// Msg is the body of a frame: who says what in which channel.
type Msg struct {
	UID     string // UTF-8, may be empty
	Channel string // UTF-8, may be empty
	Message []byte // any bytes; none in a first frame that only joins
}

// View is a Msg whose fields are slices of the body it was decoded from, where the body allows it.
type View struct {
	UID, Channel, Message []byte
}

// The canonical body up to each value: a map of three, then the keys.
const (
	mapOfThree = "\xa3"
	keyUID     = "\x63uid"
	keyChannel = "\x67channel"
	keyMessage = "\x67message"
)

// Major types of CBOR (RFC 8949, section 3.1), in the place they have in an item's first byte.
const (
	majorUint  = 0 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
	majorMap   = 5 << 5
	majorTag   = 6 << 5

	breakCode = 0xff // ends an item of indefinite length
)

// Size returns the length in bytes of the canonical body of m.
func (m Msg) Size() int {
	return bodySize(len(m.UID), len(m.Channel)) + headSize(len(m.Message)) + len(m.Message)
}

// bodySize is the size of a body with names of these lengths, less its message and the message's head.
func bodySize(uid, channel int) int {
	return len(mapOfThree+keyUID+keyChannel+keyMessage) + headSize(uid) + uid + headSize(channel) + channel
}

// MaxMessage returns the size in bytes of the largest message that fits a frame with these names. It is
// negative if the names alone are too long.
func MaxMessage(uid, channel string) int {
	room := MaxBody - bodySize(len(uid), len(channel))
	n := room - 1
	for n >= 0 && headSize(n)+n > room {
		n--
	}
	return n
}

// Append adds the canonical body of m to dst: a map of uid, channel, message in this order, definite
// lengths in their shortest form, byte for byte what the reference programs write.
func (m Msg) Append(dst []byte) []byte {
	dst = append(dst, mapOfThree+keyUID...)
	dst = appendHead(dst, majorText, len(m.UID))
	dst = append(dst, m.UID...)
	dst = append(dst, keyChannel...)
	dst = appendHead(dst, majorText, len(m.Channel))
	dst = append(dst, m.Channel...)
	dst = append(dst, keyMessage...)
	dst = appendHead(dst, majorBytes, len(m.Message))
	return append(dst, m.Message...)
}

// DecodeMsg decodes a body in any of the forms that the reference takes (spec.md, "Decoding"). Message
// may be a part of body. It fails with ErrBody, wrapped with what is wrong. Names are not held against
// MaxName here.
func DecodeMsg(body []byte) (Msg, error) {
	var v View
	if err := v.Decode(body); err != nil {
		return Msg{}, err
	}
	return Msg{UID: string(v.UID), Channel: string(v.Channel), Message: v.Message}, nil
}

// Decode does as DecodeMsg. It does not allocate if the body is laid out as Append does it (a length may
// be longer than its shortest form), and then all fields of v are parts of body. After an error v is
// empty.
func (v *View) Decode(body []byte) error {
	if v.scan(body) {
		return nil
	}
	*v = View{}
	m, err := decodeLenient(body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrBody, err)
	}
	*v = m
	return nil
}

// scan takes the layout that nearly every body has and says no to anything else, also to what is merely
// unusual. It is the server's hot path.
func (v *View) scan(body []byte) bool {
	rest, ok := cutPrefix(body, mapOfThree+keyUID)
	if !ok {
		return false
	}
	if v.UID, rest, ok = cutString(rest, majorText); !ok {
		return false
	}
	if rest, ok = cutPrefix(rest, keyChannel); !ok {
		return false
	}
	if v.Channel, rest, ok = cutString(rest, majorText); !ok {
		return false
	}
	if rest, ok = cutPrefix(rest, keyMessage); !ok {
		return false
	}
	if v.Message, rest, ok = cutString(rest, majorBytes); !ok {
		return false
	}
	return len(rest) == 0 && utf8.Valid(v.UID) && utf8.Valid(v.Channel)
}

func cutPrefix(b []byte, prefix string) (rest []byte, ok bool) {
	if len(b) < len(prefix) || string(b[:len(prefix)]) != prefix {
		return nil, false
	}
	return b[len(prefix):], true
}

// cutString cuts the definite string of the given major type from the front of b.
func cutString(b []byte, major byte) (s, rest []byte, ok bool) {
	h, ok := parseHead(b)
	if !ok || h.major != major || h.indefinite || h.arg > uint64(len(b)-h.size) {
		return nil, nil, false
	}
	end := h.size + int(h.arg)
	return b[h.size:end:end], b[end:], true
}

// head is the first byte of a CBOR item and the argument that belongs to it.
type head struct {
	major      byte // one of the major constants
	indefinite bool // no argument: the item ends at a break
	arg        uint64
	size       int // bytes of head, 1 … 9
}

// parseHead reads the head at the front of b. It is not ok if b ends inside it or its form is reserved.
func parseHead(b []byte) (h head, ok bool) {
	if len(b) == 0 {
		return head{}, false
	}
	h = head{major: b[0] & 0xe0, size: 1}
	info := b[0] & 0x1f
	if info < 24 {
		h.arg = uint64(info)
		return h, true
	}
	if info == 31 {
		h.indefinite = true
		return h, true
	}
	if info > 27 {
		return head{}, false
	}
	h.size = 1 + 1<<(info-24)
	if len(b) < h.size {
		return head{}, false
	}
	for _, c := range b[1:h.size] {
		h.arg = h.arg<<8 | uint64(c)
	}
	return h, true
}

func headSize(n int) int {
	switch {
	case n < 24:
		return 1
	case n <= 0xff:
		return 2
	case n <= 0xffff:
		return 3
	}
	return 5
}

// appendHead adds the shortest head for a string of n bytes or an array of n items.
func appendHead(dst []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= 0xff:
		return append(dst, major|24, byte(n))
	case n <= 0xffff:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
}
