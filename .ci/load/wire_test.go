//go:build load

package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/dchest/siphash"
)

// The bytes of both dialects, written down anew from protocol.md.

// v1Key hashes parts, each followed by 0xff.
func v1Key(parts ...string) uint64 {
	var b []byte
	for _, p := range parts {
		b = append(append(b, p...), 0xff)
	}
	return siphash.Hash(0, 0, b)
}

func cborHead(b []byte, major byte, n int) []byte {
	m := major << 5
	switch {
	case n < 24:
		return append(b, m|byte(n))
	case n < 1<<8:
		return append(b, m|24, byte(n))
	case n < 1<<16:
		return append(b, m|25, byte(n>>8), byte(n))
	}
	return append(b, m|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// v1Frame appends one M frame.
func v1Frame(dst []byte, key uint64, uid, channel string, message []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, 16)...)
	dst = append(dst, 0xa3)
	dst = append(cborHead(dst, 3, 3), "uid"...)
	dst = append(cborHead(dst, 3, len(uid)), uid...)
	dst = append(cborHead(dst, 3, 7), "channel"...)
	dst = append(cborHead(dst, 3, len(channel)), channel...)
	dst = append(cborHead(dst, 3, 7), "message"...)
	dst = append(cborHead(dst, 2, len(message)), message...)
	v1Header(dst[start:], len(dst)-start-16, key)
	return dst
}

// v1Header writes the 16 bytes of a header that announces n bytes.
func v1Header(b []byte, n int, key uint64) {
	binary.BigEndian.PutUint32(b, 'M'<<24|uint32(n))
	binary.BigEndian.PutUint32(b[4:], uint32(key))
	binary.BigEndian.PutUint64(b[8:], key)
}

var errBytes = errors.New("the gateway sent bytes that cannot be understood")

// v1Body takes uid and message out of a canonical body.
func v1Body(body []byte) (uid, message []byte, err error) {
	if len(body) == 0 || body[0] != 0xa3 {
		return nil, nil, errBytes
	}
	rest := body[1:]
	for _, key := range []string{"uid", "channel", "message"} {
		var k, v []byte
		if k, rest, err = cborString(rest); err != nil || string(k) != key {
			return nil, nil, fmt.Errorf("%w: no %s in body of %d", errBytes, key, len(body))
		}
		if v, rest, err = cborString(rest); err != nil {
			return nil, nil, err
		}
		switch key {
		case "uid":
			uid = v
		case "message":
			message = v
		}
	}
	if len(rest) > 0 {
		return nil, nil, errBytes
	}
	return uid, message, nil
}

func cborString(b []byte) (s, rest []byte, err error) {
	if len(b) == 0 || b[0]>>5 != 2 && b[0]>>5 != 3 {
		return nil, nil, errBytes
	}
	n, head := int(b[0]&31), 1
	if n >= 24 && n <= 26 {
		size := 1 << (n - 24)
		if len(b) < 1+size {
			return nil, nil, errBytes
		}
		n = 0
		for _, c := range b[1 : 1+size] {
			n = n<<8 | int(c)
		}
		head += size
	}
	if len(b) < head+n {
		return nil, nil, errBytes
	}
	return b[head : head+n], b[head+n:], nil
}

const (
	opText, opBinary, opClose, opPing, opPong = 1, 2, 8, 9, 10
	final                                     = 0x80
)

// hello is the text that joins, with auth.
func hello(uid, channel string) []byte {
	auth := siphash.Hash(0, 0, []byte(uid+channel+sharedKey))
	return fmt.Appendf(nil, `{"uid":%q,"channel":%q,"auth":"%016x"}`, uid, channel, auth)
}

var mask = [4]byte{0x5a, 0xc3, 0x17, 0x88}

// wsHead appends the head of a masked client frame of n bytes.
func wsHead(dst []byte, first byte, n int) []byte {
	dst = append(dst, first)
	switch {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = append(dst, 0x80|126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	return append(dst, mask[:]...)
}

// wsFrame appends a final, masked client frame.
func wsFrame(dst []byte, op byte, payload []byte) []byte {
	dst = wsHead(dst, final|op, len(payload))
	start := len(dst)
	dst = append(dst, payload...)
	for i := range dst[start:] {
		dst[start+i] ^= mask[i&3]
	}
	return dst
}

// wsRead reads one frame of the server into buf, which it may replace.
func wsRead(r io.Reader, buf []byte) (op byte, payload []byte, err error) {
	var head [10]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, buf, err
	}
	if head[0]&0xf0 != final || head[1]&0x80 != 0 {
		return 0, buf, fmt.Errorf("%w: frame begins % x", errBytes, head[:2])
	}
	n := int(head[1])
	switch n {
	case 126:
		if _, err := io.ReadFull(r, head[2:4]); err != nil {
			return 0, buf, err
		}
		n = int(binary.BigEndian.Uint16(head[2:]))
	case 127:
		if _, err := io.ReadFull(r, head[2:10]); err != nil {
			return 0, buf, err
		}
		n = int(binary.BigEndian.Uint64(head[2:]))
	}
	payload = sized(buf, n)
	_, err = io.ReadFull(r, payload)
	return head[0] & 0x0f, payload, err
}

func sized(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}
