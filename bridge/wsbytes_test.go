package bridge_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Opcodes.
const (
	opMore   = 0
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// A wsFrame is a frame as a server sends it.
type wsFrame struct {
	op   byte
	data string
}

func (f wsFrame) String() string {
	if len(f.data) > 200 {
		return fmt.Sprintf("op %d, %d bytes", f.op, len(f.data))
	}
	if f.op == opClose && len(f.data) >= 2 {
		return fmt.Sprintf("close %d %q", binary.BigEndian.Uint16([]byte(f.data)), f.data[2:])
	}
	return fmt.Sprintf("op %d %q", f.op, f.data)
}

func text(s string) wsFrame { return wsFrame{opText, s} }
func blob(s string) wsFrame { return wsFrame{opBinary, s} }

// notice is a join notice of somebody whose names need no escapes.
func notice(uid, channel string) wsFrame {
	return text(fmt.Sprintf(`{"uid":"%s","channel":"%s"}`, uid, channel))
}

// closing is a close frame.
func closing(code int, reason string) wsFrame {
	return wsFrame{opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason}
}

// masked is a client's frame: first is the opcode, with 0x80 if it is final.
func masked[T string | []byte](first byte, payload T) []byte {
	b := append(make([]byte, 0, 14+len(payload)), first)
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	if len(payload) > 1<<20 {
		mask = [4]byte{} // legal, and spares the race detector its time
	}
	b = append(b, mask[:]...)
	start := len(b)
	b = append(b, payload...)
	for i := start; mask[0] != 0 && i < len(b); i++ {
		b[i] ^= mask[(i-start)%4]
	}
	return b
}

// final is a whole message of a client.
func final(op byte, payload string) []byte { return masked(0x80|op, payload) }

// readWSFrame reads a server's frame, which must be final and unmasked.
func readWSFrame(r *bufio.Reader) (wsFrame, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:2]); err != nil {
		return wsFrame{}, err
	}
	first, n := b[0], uint64(b[1])
	if first&0xf0 != 0x80 || n > 127 {
		return wsFrame{}, fmt.Errorf("server's frame begins with %x", b[:2])
	}
	if n >= 126 {
		long := b[:2+6*(n-126)]
		if _, err := io.ReadFull(r, long); err != nil {
			return wsFrame{}, err
		}
		n = 0
		for _, c := range long {
			n = n<<8 | uint64(c)
		}
	}
	if n > 1<<25 {
		return wsFrame{}, fmt.Errorf("server's frame has %d bytes", n)
	}
	var payload strings.Builder
	payload.Grow(int(n))
	_, err := io.CopyN(&payload, r, int64(n))
	return wsFrame{first & 0xf, payload.String()}, err
}

// upgradeRequest asks for a WebSocket, with the RFC's own example of a key.
func upgradeRequest(path string, more ...string) string {
	lines := append([]string{"GET " + path + " HTTP/1.1", "Host: mles.test", "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, more...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

const subprotocol = "Sec-WebSocket-Protocol: mles-websocket"

// upgrade makes a WebSocket of a connection.
func upgrade(nc net.Conn, r *bufio.Reader, request string) error {
	if _, err := io.WriteString(nc, request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusSwitchingProtocols ||
		answer.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" ||
		answer.Header.Get("Sec-WebSocket-Protocol") != "mles-websocket" {
		return fmt.Errorf("answer to the upgrade: %s %v", answer.Status, answer.Header)
	}
	return nil
}
