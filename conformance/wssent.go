package conformance

import "encoding/binary"

// A boundary follows what a client sends, and knows whether its last frame is
// whole: an answer to a ping must not stand in the middle of one.
type boundary struct {
	head []byte // of a frame whose length is not known yet
	rest uint64 // bytes of its payload to come
}

// within says whether a frame has been begun.
func (f *boundary) within() bool { return len(f.head) > 0 || f.rest > 0 }

// sent takes note of bytes on their way.
func (f *boundary) sent(b []byte) {
	for len(b) > 0 {
		if n := min(f.rest, uint64(len(b))); n > 0 {
			f.rest -= n
			b = b[n:]
			continue
		}
		f.head = append(f.head, b[0])
		b = b[1:]
		if size, payload := headOf(f.head); size == len(f.head) {
			f.head, f.rest = f.head[:0], payload
		}
	}
}

// headOf reads the length of a frame's header, 2 while that is not to be seen, and
// of the payload behind it.
func headOf(head []byte) (size int, payload uint64) {
	if len(head) < 2 {
		return 2, 0
	}
	size, payload = 2, uint64(head[1]&0x7f)
	wide := 0
	switch payload {
	case 126:
		wide = 2
	case 127:
		wide = 8
	}
	if len(head) < 2+wide {
		return 2 + wide, 0
	}
	switch wide {
	case 2:
		payload = uint64(binary.BigEndian.Uint16(head[2:]))
	case 8:
		payload = binary.BigEndian.Uint64(head[2:])
	}
	size += wide
	if head[1]&0x80 != 0 {
		size += 4
	}
	return size, payload
}
