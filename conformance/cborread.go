package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// An item is a decoded CBOR item. The reader is tolerant: it serves to say what
// bytes mean, and never to say whether they are right.
type item struct {
	major byte // of the item itself, below its tags
	n     uint64
	bytes []byte   // strings of both kinds, chunks joined
	list  []item   // array: elements; map: key, value, key, value …
	tags  []uint64 // outermost first
}

var errCBOR = errors.New("not CBOR")

// cborDepth is deeper than any body that a server takes (127).
const cborDepth = 300

// readItem reads one item and returns what follows it.
func readItem(b []byte, depth int) (item, []byte, error) {
	if depth > cborDepth {
		return item{}, nil, errCBOR
	}
	major, n, indefinite, b, err := readHead(b)
	if err != nil {
		return item{}, nil, err
	}
	it := item{major: major, n: n}
	switch major {
	case MajorBytes, MajorText:
		it.bytes, b, err = readString(major, n, indefinite, b)
	case MajorArray, MajorMap:
		if major == MajorMap {
			n *= 2
		}
		it.list, b, err = readList(n, indefinite, b, depth)
	case MajorTag:
		tag := n
		it, b, err = readItem(b, depth+1)
		it.tags = append([]uint64{tag}, it.tags...)
	}
	return it, b, err
}

func readHead(b []byte) (major byte, n uint64, indefinite bool, rest []byte, err error) {
	if len(b) == 0 {
		return 0, 0, false, nil, errCBOR
	}
	major, low := b[0]>>5, b[0]&0x1f
	b = b[1:]
	if low < 24 {
		return major, uint64(low), false, b, nil
	}
	if low == 31 && major >= MajorBytes && major <= MajorMap {
		return major, 0, true, b, nil
	}
	if low > 27 || len(b) < 1<<(low-24) {
		return 0, 0, false, nil, errCBOR
	}
	var wide [8]byte
	width := 1 << (low - 24)
	copy(wide[8-width:], b)
	return major, binary.BigEndian.Uint64(wide[:]), false, b[width:], nil
}

func readString(major byte, n uint64, indefinite bool, b []byte) (s, rest []byte, err error) {
	if !indefinite {
		if n > uint64(len(b)) {
			return nil, nil, errCBOR
		}
		return b[:n], b[n:], nil
	}
	for {
		if len(b) > 0 && b[0] == 0xff {
			return s, b[1:], nil
		}
		m, n, again, after, err := readHead(b)
		if err != nil || m != major || again || n > uint64(len(after)) {
			return nil, nil, errCBOR
		}
		s, b = append(s, after[:n]...), after[n:]
	}
}

func readList(n uint64, indefinite bool, b []byte, depth int) (list []item, rest []byte, err error) {
	for i := uint64(0); indefinite || i < n; i++ {
		if indefinite && len(b) > 0 && b[0] == 0xff {
			return list, b[1:], nil
		}
		var it item
		if it, b, err = readItem(b, depth+1); err != nil {
			return nil, nil, err
		}
		list = append(list, it)
	}
	return list, b, nil
}

// A Body is what a v1 body says.
type Body struct{ UID, Channel, Message string }

// ReadBody says what a v1 body means, in any of the forms of v1/spec.md,
// "Decoding". It takes more than those.
func ReadBody(b []byte) (Body, bool) {
	it, rest, err := readItem(b, 0)
	if err != nil || len(rest) > 0 {
		return Body{}, false
	}
	var parts [3]*item
	switch {
	case it.major == MajorArray && len(it.list) == 3:
		for i := range parts {
			parts[i] = &it.list[i]
		}
	case it.major == MajorMap && len(it.list)%2 == 0:
		for i := 0; i < len(it.list); i += 2 {
			if at := entry(it.list[i]); at >= 0 {
				parts[at] = &it.list[i+1]
			}
		}
	default:
		return Body{}, false
	}
	var said [3]string
	for i, p := range parts {
		var ok bool
		if said[i], ok = stringOf(p); !ok {
			return Body{}, false
		}
	}
	return Body{said[0], said[1], said[2]}, true
}

// entry says which entry of a body a key names, -1 for none.
func entry(key item) int {
	for i, name := range []string{"uid", "channel", "message"} {
		if key.major == MajorUint && key.n == uint64(i) || key.bytes != nil && string(key.bytes) == name {
			return i
		}
	}
	return -1
}

// stringOf reads a string, or the array of small integers that stands for one.
func stringOf(it *item) (string, bool) {
	switch {
	case it == nil:
		return "", false
	case it.major == MajorBytes || it.major == MajorText:
		return string(it.bytes), true
	case it.major != MajorArray:
		return "", false
	}
	b := make([]byte, len(it.list))
	for i, e := range it.list {
		if e.major != MajorUint || e.n > 255 {
			return "", false
		}
		b[i] = byte(e.n)
	}
	return string(b), true
}

// readResync returns the frames that a ResyncMsg contains.
func readResync(b []byte) ([][]byte, bool) {
	it, rest, err := readItem(b, 0)
	if err != nil || len(rest) > 0 || it.major != MajorMap || len(it.list) < 2 || string(it.list[0].bytes) != "resync_message" {
		return nil, false
	}
	var frames [][]byte
	for _, e := range it.list[1].list {
		if len(e.list) < 2 {
			return nil, false
		}
		frames = append(frames, e.list[1].bytes)
	}
	return frames, true
}

// meaningV1 tells what a v1 frame says, in one line.
func meaningV1(frame []byte) string {
	if len(frame) < 16 || frame[0] != 'M' {
		return fmt.Sprintf("%d bytes that are no frame", len(frame))
	}
	n := int(frame[1])<<16 | int(frame[2])<<8 | int(frame[3])
	head := fmt.Sprintf("M length %d cid %x key %x", n, frame[4:8], frame[8:16])
	body := frame[16:]
	switch {
	case n > len(body):
		return fmt.Sprintf("%s, then %d of %d bytes", head, len(body), n)
	case n < len(body):
		return fmt.Sprintf("%s, then %d bytes more", head+" "+meaningBody(body[:n]), len(body)-n)
	}
	return head + " " + meaningBody(body)
}

func meaningBody(body []byte) string {
	if b, ok := ReadBody(body); ok {
		return fmt.Sprintf("uid %s channel %s message %s", short(b.UID), short(b.Channel), short(b.Message))
	}
	if frames, ok := readResync(body); ok {
		return fmt.Sprintf("a ResyncMsg of %d frames", len(frames))
	}
	return "a body that does not decode"
}

// short quotes s, cut where it is long.
func short(s string) string {
	if len(s) > 72 {
		return fmt.Sprintf("%q… (%d bytes)", s[:72], len(s))
	}
	return fmt.Sprintf("%q", s)
}
