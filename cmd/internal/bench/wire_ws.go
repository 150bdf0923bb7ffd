package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"

	"mles/v1"
	"mles/v2"
)

// wsWire is v2, or, with bodies, v1 over WebSocket.
type wsWire struct{ bodies bool }

// maxAnswer bounds the answer to an upgrade request.
const maxAnswer = 16 << 10

func (w wsWire) join(l *link) ([]byte, error) {
	rest, err := l.upgrade()
	if err != nil {
		return nil, err
	}
	l.mask = uint64(l.seed) | uint64(l.seed)<<32
	var first []byte
	if w.bodies {
		first = v1.Msg{UID: l.uid, Channel: l.channel}.Append(nil)
		first, _ = l.masked(nil, v2.OpBinary, first)
	} else {
		h := v2.Hello{UID: l.uid, Channel: l.channel}
		if l.target.Key != "" {
			h.Auth, h.HasAuth = v2.FormatAuth(v2.Auth(l.uid, l.channel, l.target.Key)), true
		}
		first, _ = l.masked(nil, v2.OpText, h.Append(nil))
	}
	_, err = l.conn.Write(first)
	return rest, err
}

// upgrade makes the connection a WebSocket. It returns what came after the answer.
func (l *link) upgrade() (rest []byte, err error) {
	request := "GET " + l.target.Path + " HTTP/1.1\r\nHost: " + l.target.Host +
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13" +
		"\r\nSec-WebSocket-Key: bWxlc2N0bCBiZW5jaCEhIQ==\r\nSec-WebSocket-Protocol: " + v2.Subprotocol + "\r\n\r\n"
	if _, err := l.conn.Write([]byte(request)); err != nil {
		return nil, err
	}
	answer := make([]byte, 0, 1024)
	for {
		if end := bytes.Index(answer, []byte("\r\n\r\n")); end >= 0 {
			return answer[end+4:], checkUpgrade(string(answer[:end]))
		}
		if len(answer) > maxAnswer {
			return nil, fmt.Errorf("the answer to the upgrade has no end")
		}
		answer = append(answer, make([]byte, 512)...)
		n, err := l.conn.Read(answer[len(answer)-512:])
		answer = answer[:len(answer)-512+n]
		if err != nil {
			return nil, fmt.Errorf("upgrade: %w", err)
		}
	}
}

func checkUpgrade(answer string) error {
	status, header, _ := strings.Cut(answer, "\r\n")
	if !strings.HasPrefix(status, "HTTP/1.1 101") {
		return fmt.Errorf("upgrade refused: %.60q", status)
	}
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(line, ":")
		if http.CanonicalHeaderKey(name) == "Sec-Websocket-Protocol" && strings.TrimSpace(value) == v2.Subprotocol {
			return nil
		}
	}
	return fmt.Errorf("upgraded, but not to subprotocol %s", v2.Subprotocol)
}

func (w wsWire) frame(dst []byte, l *link, m []byte) ([]byte, int) {
	if !w.bodies {
		return l.masked(dst, v2.OpBinary, m)
	}
	// Where the message begins decides how the mask falls on it: turn the mask so
	// that it begins there as l.mask does.
	body := v1.Msg{UID: l.uid, Channel: l.channel, Message: m}.Append(nil)
	start := len(body) - len(m)
	dst, at := l.maskedFrom(dst, v2.OpBinary, body, start)
	return dst, at + start
}

// masked appends a frame whose payload lies at at.
func (l *link) masked(dst []byte, op byte, payload []byte) (frame []byte, at int) {
	return l.maskedFrom(dst, op, payload, 0)
}

// maskedFrom does the same with a masking key that is l.mask's from the payload's
// byte start on.
func (l *link) maskedFrom(dst []byte, op byte, payload []byte, start int) (frame []byte, at int) {
	var key [8]byte
	binary.LittleEndian.PutUint64(key[:], l.mask)
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	shift := (4 - start&3) & 3
	dst = append(dst, key[shift:shift+4]...)
	at = len(dst)
	dst = append(dst, payload...)
	for i := range payload {
		dst[at+i] ^= key[(shift+i)&3]
	}
	return dst, at
}

func (w wsWire) scan(buf []byte, in *inbox) (int, error) {
	off := 0
	for len(buf)-off >= 2 {
		n, head := int(buf[off+1]), 2
		switch {
		case n < 126:
		case n == 126 && len(buf)-off >= 4:
			n, head = int(binary.BigEndian.Uint16(buf[off+2:])), 4
		case n == 127 && len(buf)-off >= 10:
			n, head = int(binary.BigEndian.Uint64(buf[off+2:])&(1<<40-1)), 10
		case n > 127:
			return off, errNoFrame
		default:
			return off, nil
		}
		end := off + head + n
		if end > len(buf) {
			break
		}
		payload := buf[off+head : end]
		switch op := buf[off]; {
		case op == 0x80|v2.OpBinary && w.bodies:
			if n < in.size || !in.quick(payload[n-in.size:]) {
				in.takeBody(payload)
			}
		case op == 0x80|v2.OpBinary:
			if n == in.size && !in.quick(payload) {
				in.take(payload)
			}
		default:
			if err := in.control(op, payload); err != nil {
				return off, err
			}
		}
		off = end
	}
	return off, nil
}

// control takes the frames that are no messages.
func (in *inbox) control(first byte, payload []byte) error {
	switch first {
	case 0x80 | v2.OpText, 0x80 | v2.OpPong:
		return nil
	case 0x80 | v2.OpPing:
		// A masking key of zeros is allowed, and leaves the payload as it is.
		in.replies = append(in.replies, 0x80|v2.OpPong, 0x80|byte(len(payload)), 0, 0, 0, 0)
		in.replies = append(in.replies, payload...)
		return nil
	case 0x80 | v2.OpClose:
		if len(payload) < 2 {
			return fmt.Errorf("the server closed without a code")
		}
		return fmt.Errorf("the server closed: %d %s", binary.BigEndian.Uint16(payload), payload[2:])
	}
	return fmt.Errorf("%w: it begins with %#x", errNoFrame, first)
}

func (w wsWire) weight(uid, channel string, size int) int {
	if w.bodies {
		size = bodySize(uid, channel, size)
	}
	return v2.FrameSize(size)
}
