package bridge_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"mles/bridge"
)

// overWS makes the root a v2 server for the gateway.
func overWS(up *bridge.Upstream) { up.URL = "ws://root/path" }

// A wsRootEnd is a v2 root's end of a connection.
type wsRootEnd struct {
	*root
	nc      net.Conn
	r       *bufio.Reader
	request *http.Request
	over    chan struct{} // closed when the test ends
}

// calls takes the next connection and reads its request.
func (r *root) calls() *wsRootEnd {
	r.Helper()
	e := r.accepts()
	request, err := http.ReadRequest(e.r)
	if err != nil {
		r.Fatal("the root reads no request:", err)
	}
	return &wsRootEnd{root: r, nc: e.nc, r: e.r, request: request}
}

// upgrades answers it, with further lines in the header.
func (e *wsRootEnd) upgrades(more ...string) *wsRootEnd {
	e.Helper()
	e.writes(acceptance(e.request, more...))
	return e
}

// acceptance is the answer to a request for a WebSocket.
func acceptance(request *http.Request, more ...string) string {
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	lines := append([]string{"HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Accept: " + base64.StdEncoding.EncodeToString(sum[:]), subprotocol}, more...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// greets does so and takes the hello.
func (r *root) greets(hello string) *wsRootEnd {
	r.Helper()
	e := r.calls().upgrades()
	e.gets(text(hello))
	return e
}

func (e *wsRootEnd) writes(s string) {
	e.Helper()
	if _, err := io.WriteString(e.nc, s); err != nil {
		e.Fatal("the root cannot send:", err)
	}
}

// sends sends whole frames.
func (e *wsRootEnd) sends(frames ...wsFrame) {
	e.Helper()
	for _, f := range frames {
		e.writes(string(unmasked(0x80|f.op, f.data)))
	}
}

// unmasked is a server's frame: first is the opcode, with 0x80 if it is final.
func unmasked(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, payload...)
}

// gets reads frames, which must be these.
func (e *wsRootEnd) gets(frames ...wsFrame) {
	e.Helper()
	for i, want := range frames {
		got, err := readMasked(e.r)
		if err != nil || got != want {
			e.Fatalf("the root reads frame %d of %d: %v, %v, want %v", i+1, len(frames), got, err, want)
		}
	}
}

// ends reads the end, perhaps behind a close frame.
func (e *wsRootEnd) ends() {
	e.Helper()
	for {
		f, err := readMasked(e.r)
		switch {
		case err != nil:
			return
		case f.op != opClose:
			e.Fatalf("the root reads %v, want the end", f)
		}
	}
}

// hearsNothing waits for a while.
func (e *wsRootEnd) hearsNothing(d time.Duration) {
	e.Helper()
	e.nc.SetReadDeadline(time.Now().Add(d))
	if b, err := e.r.Peek(1); err == nil {
		f, _ := readMasked(e.r)
		e.Fatalf("the root hears %q: %v", b, f)
	}
	e.nc.SetReadDeadline(time.Time{})
}

// readMasked reads a client's frame, which must be final.
func readMasked(r *bufio.Reader) (wsFrame, error) {
	head := make([]byte, 2, 14)
	if _, err := io.ReadFull(r, head); err != nil {
		return wsFrame{}, err
	}
	n := uint64(head[1] & 0x7f)
	if head[0]&0xf0 != 0x80 || head[1]&0x80 == 0 {
		return wsFrame{}, fmt.Errorf("client's frame begins with %x", head)
	}
	long := make([]byte, map[uint64]int{126: 2, 127: 8}[n])
	var mask [4]byte
	if _, err := io.ReadFull(r, long); err != nil {
		return wsFrame{}, err
	}
	if _, err := io.ReadFull(r, mask[:]); err != nil {
		return wsFrame{}, err
	}
	if len(long) > 0 {
		n = 0
		for _, c := range long {
			n = n<<8 | uint64(c)
		}
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(r, payload)
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return wsFrame{head[0] & 0xf, string(payload)}, err
}
