package bus

import (
	"encoding/binary"
	"fmt"
)

// A testCodec writes frames that describe themselves. Its three dialects differ
// as the real ones do: 0 and 1 get one frame for every event (0 and 1 pass on
// the Data of their own kind, and opaque data only of their own); 2 gets arrivals
// in the history only, an arrival with a message as two frames there, and
// nothing where there is no message.
//
//	offset  size  field
//	0       1     'F'
//	1       1     dialect it is written for
//	2       1     flags: 1 replay, 2 notice
//	3       1     dialect it came in
//	4       1     op
//	5       8     key: the test's number for the event
//	13      2     length of uid
//	15      4     length of payload
//	19            uid, payload
type testCodec struct{}

const (
	headLen    = 19
	flagReplay = 1
	flagNotice = 2
)

type testFrame struct {
	dialect, from Dialect
	flags, op     byte
	key           uint64
	uid           string
	payload       []byte
}

// shape says which frames e becomes: a notice, a frame with a payload.
func (testCodec) shape(d Dialect, e *Event, replay bool) (notice, message bool, payload []byte) {
	if e.Opaque {
		return false, e.From == d, e.Data
	}
	if d == 2 {
		return e.Join && replay, len(e.Message) > 0, e.Message
	}
	if e.From == d && len(e.Data) > 0 {
		return false, true, e.Data
	}
	return false, true, e.Message
}

func (c testCodec) Size(d Dialect, _ string, e *Event, replay bool) (n int) {
	notice, message, payload := c.shape(d, e, replay)
	if notice {
		n += headLen + len(e.UID)
	}
	if message {
		n += headLen + len(e.UID) + len(payload)
	}
	return n
}

func (c testCodec) Append(dst []byte, d Dialect, _ string, e *Event, replay bool) []byte {
	notice, message, payload := c.shape(d, e, replay)
	var flags byte
	if replay {
		flags = flagReplay
	}
	put := func(flags byte, payload []byte) {
		dst = append(dst, 'F', byte(d), flags, byte(e.From), e.Op)
		dst = binary.BigEndian.AppendUint64(dst, e.Key)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(e.UID)))
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
		dst = append(dst, e.UID...)
		dst = append(dst, payload...)
	}
	if notice {
		put(flags|flagNotice, nil)
	}
	if message {
		put(flags, payload)
	}
	return dst
}

// parseFrame takes the first frame off b; rest is nil and ok false where b holds
// no whole one.
func parseFrame(b []byte) (f testFrame, rest []byte, ok bool) {
	if len(b) < headLen {
		return f, nil, false
	}
	if b[0] != 'F' {
		panic(fmt.Sprintf("no frame starts here: % x", b[:headLen]))
	}
	f = testFrame{dialect: Dialect(b[1]), flags: b[2], from: Dialect(b[3]), op: b[4], key: binary.BigEndian.Uint64(b[5:])}
	ulen, plen := int(binary.BigEndian.Uint16(b[13:])), int(binary.BigEndian.Uint32(b[15:]))
	if len(b) < headLen+ulen+plen {
		return f, nil, false
	}
	f.uid = string(b[headLen : headLen+ulen])
	f.payload = b[headLen+ulen : headLen+ulen+plen]
	return f, b[headLen+ulen+plen:], true
}
