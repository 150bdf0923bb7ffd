//go:build load

package load

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// transport is a dialect over a listener of the daemon.
type transport int

const (
	v1TCP transport = iota
	v1TLS
	v2TLS
	v2Plain
)

func (tr transport) String() string { return [...]string{"v1", "v1 TLS", "v2 TLS", "v2 plain"}[tr] }
func (tr transport) v2() bool       { return tr == v2TLS || tr == v2Plain }

func (d *daemon) addr(tr transport) string { return [...]string{d.v1, d.v1s, d.wss, d.ws}[tr] }

// client is a member that speaks literal bytes.
type client struct {
	net.Conn
	tr           transport
	uid, channel string
	key          uint64 // v1
	in           *bufio.Reader
	buf          []byte // of recv

	mu sync.Mutex // of writing
}

// small socket buffers keep what the kernel holds for thousands of clients out of the machine's way.
func smallBuffers(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 32<<10)
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 32<<10)
	})
}

var (
	plainDialer = &net.Dialer{Timeout: 30 * time.Second}
	smallDialer = &net.Dialer{Timeout: 30 * time.Second, Control: smallBuffers}
)

// dial connects, with TLS where the transport has it, and no further.
func (d *daemon) dial(dialer *net.Dialer, tr transport) (net.Conn, error) {
	nc, err := dialer.Dial("tcp", d.addr(tr))
	if err != nil || tr == v1TCP || tr == v2Plain {
		return nc, err
	}
	conf := &tls.Config{InsecureSkipVerify: true, CurvePreferences: []tls.CurveID{tls.X25519}}
	tc := tls.Client(nc, conf)
	tc.SetDeadline(time.Now().Add(60 * time.Second))
	if err := tc.Handshake(); err != nil {
		nc.Close()
		return nil, fmt.Errorf("TLS handshake: %w", err)
	}
	tc.SetDeadline(time.Time{})
	return tc, nil
}

// upgrade is a request for a WebSocket.
const upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"

const subprotocol = "Sec-WebSocket-Protocol: mles-websocket\r\n\r\n"

// upgraded makes nc a WebSocket. It reads no byte more than the answer.
func upgraded(nc net.Conn) error {
	if _, err := io.WriteString(nc, upgrade+subprotocol); err != nil {
		return err
	}
	var answer []byte
	for !bytes.HasSuffix(answer, []byte("\r\n\r\n")) {
		var b [1]byte
		if _, err := nc.Read(b[:]); err != nil {
			return fmt.Errorf("upgrade: %w after %q", err, answer)
		}
		answer = append(answer, b[0])
	}
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 101 ")) {
		return fmt.Errorf("upgrade: %q", answer)
	}
	return nil
}

// join connects and joins; first is a v1 client's first message.
func (d *daemon) join(dialer *net.Dialer, tr transport, uid, channel string, first string) (*client, error) {
	nc, err := d.dial(dialer, tr)
	if err != nil {
		return nil, err
	}
	c := &client{Conn: nc, tr: tr, uid: uid, channel: channel}
	if tr.v2() {
		if err = upgraded(nc); err == nil {
			_, err = nc.Write(wsFrame(nil, opText, hello(uid, channel)))
		}
	} else {
		c.key = v1Key(sharedKey, uid, channel)
		_, err = nc.Write(v1Frame(nil, c.key, uid, channel, []byte(first)))
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("%s joins %s on %s: %w", uid, channel, tr, err)
	}
	return c, nil
}

// member joins for as long as the test runs.
func (d *daemon) member(t testing.TB, tr transport, uid, channel string) *client {
	t.Helper()
	c, err := d.join(plainDialer, tr, uid, channel, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// frame appends a message in the client's dialect.
func (c *client) frame(dst, message []byte) []byte {
	if c.tr.v2() {
		return wsFrame(dst, opBinary, message)
	}
	return v1Frame(dst, c.key, c.uid, c.channel, message)
}

// send writes one message.
func (c *client) send(message []byte) error { return c.write(c.frame(nil, message)) }

func (c *client) write(frames []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.Write(frames)
	return err
}

// closedError is the gateway's close frame.
type closedError struct {
	code   int
	reason string
}

func (e *closedError) Error() string { return fmt.Sprintf("closed with %d %q", e.code, e.reason) }

// recv returns the next message that is no join notice; it is valid until the next call. Pings are answered.
func (c *client) recv() ([]byte, error) {
	if c.in == nil {
		c.in = bufio.NewReaderSize(c.Conn, 64<<10)
	}
	for {
		message, err := c.next()
		if err != nil || message != nil {
			return message, err
		}
	}
}

// next is recv, or nil for what is no message.
func (c *client) next() ([]byte, error) {
	if !c.tr.v2() {
		return c.nextV1()
	}
	op, p, err := wsRead(c.in, c.buf)
	if err != nil {
		return nil, err
	}
	c.buf = p
	switch op {
	case opBinary:
		return p, nil
	case opText:
		if !bytes.HasPrefix(p, []byte(`{"uid":`)) {
			return nil, fmt.Errorf("%w: text %q", errBytes, p)
		}
		return nil, nil
	case opPing:
		return nil, c.write(wsFrame(nil, opPong, p))
	case opPong:
		return nil, nil
	case opClose:
		e := &closedError{code: 1005}
		if len(p) >= 2 {
			e.code, e.reason = int(binary.BigEndian.Uint16(p)), string(p[2:])
		}
		return nil, e
	}
	return nil, fmt.Errorf("%w: opcode %d", errBytes, op)
}

func (c *client) nextV1() ([]byte, error) {
	var head [16]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return nil, err
	}
	if head[0] != 'M' {
		return nil, fmt.Errorf("%w: header % x", errBytes, head)
	}
	c.buf = sized(c.buf, int(binary.BigEndian.Uint32(head[:])&0xffffff))
	if _, err := io.ReadFull(c.in, c.buf); err != nil {
		return nil, err
	}
	_, message, err := v1Body(c.buf)
	if len(message) == 0 {
		message = nil
	}
	return message, err
}

// answer pongs the pings of a client that otherwise only sends, until it is closed.
func (c *client) drain() { io.Copy(io.Discard, c.Conn) }

// each runs f(0) … f(n-1), so many at a time, and returns the first error.
func each(n, atOnce int, f func(i int) error) error {
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if err := f(i); err != nil {
				once.Do(func() { first = fmt.Errorf("%d of %d: %w", i, n, err) })
			}
		})
	}
	wg.Wait()
	return first
}

// crowd joins n members; tr, uid and channel say who they are.
func (d *daemon) crowd(t *testing.T, n int, who func(i int) (tr transport, uid, channel string)) []*client {
	t.Helper()
	clients := make([]*client, n)
	err := each(n, 64, func(i int) error {
		tr, uid, channel := who(i)
		var err error
		clients[i], err = d.join(smallDialer, tr, uid, channel, "")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeClients(clients) })
	return clients
}

func closeClients(clients []*client) {
	for _, c := range clients {
		if tc, ok := c.Conn.(*tls.Conn); ok {
			tc.NetConn().Close()
			continue
		}
		c.Close()
	}
}

// joined waits until the daemon counts n members.
func (d *daemon) joined(t *testing.T, n int) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for {
		got := d.metric(t, "mles_members")
		if int(got) == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%g members, want %d; last lines:\n%s", got, n, strings.Join(d.tail(10), "\n"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}
