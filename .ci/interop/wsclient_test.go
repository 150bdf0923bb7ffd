//go:build interop

package interop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mles/.ci/hosts"
)

// A wsMessage is what a WebSocket carried: opcode and payload.
type wsMessage struct {
	op   int
	data string
}

func (m wsMessage) String() string {
	return map[int]string{websocket.TextMessage: "text ", websocket.BinaryMessage: "binary "}[m.op] + m.data
}

func text(s string) wsMessage { return wsMessage{websocket.TextMessage, s} }
func bin(s string) wsMessage  { return wsMessage{websocket.BinaryMessage, s} }

// A wsClient is a raw client of either WebSocket dialect. It keeps every message it gets.
type wsClient struct {
	name string
	ws   *websocket.Conn

	mu       sync.Mutex
	messages []wsMessage
	end      error
	pongs    chan string // payloads of the pongs that came

	slowness atomic.Int64 // nanoseconds from a ping to its pong, in which nothing else is read either
}

// upgrade opens a WebSocket to url, whose host is localhost or an IPv4 address, trusting the certificate for localhost in
// the file ca (empty: plain).
func (h *host) upgrade(t *testing.T, name, url, ca string) *wsClient {
	t.Helper()
	return h.upgradeWith(t, name, url, ca, nil)
}

// upgradeWith is upgrade with lines of its own in the request's header.
func (h *host) upgradeWith(t *testing.T, name, url, ca string, header http.Header) *wsClient {
	t.Helper()
	d := websocket.Dialer{
		Subprotocols:     []string{"mles-websocket"},
		HandshakeTimeout: hosts.Patience,
		NetDialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			return h.Dial(strings.Replace(addr, "localhost:", "127.0.0.1:", 1))
		},
	}
	if ca != "" {
		d.TLSClientConfig = &tls.Config{RootCAs: pool(t, ca), ServerName: "localhost"}
	}
	ws, _, err := d.Dial(url, header)
	if err != nil {
		t.Fatalf("%s: %s: %v", name, url, err)
	}
	t.Cleanup(func() { ws.Close() })
	c := &wsClient{name: name, ws: ws, pongs: make(chan string, 1)}
	ws.SetPongHandler(func(payload string) error { c.pongs <- payload; return nil })
	ws.SetPingHandler(func(payload string) error {
		time.Sleep(time.Duration(c.slowness.Load()))
		ws.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(hosts.Patience)) // an error comes up in reading
		return nil
	})
	go c.receive()
	return c
}

// joinV2 opens a WebSocket to the gateway at wss://localhost:8443, says hello and waits until that has been taken.
func (h *host) joinV2(t *testing.T, crt hosts.Certificate, key, uid, channel string) *wsClient {
	t.Helper()
	c := h.claimV2(t, "wss://localhost:8443/", crt, key, uid, channel)
	c.isIn(t)
	return c
}

// claimV2 opens a WebSocket to url and says hello.
func (h *host) claimV2(t *testing.T, url string, crt hosts.Certificate, key, uid, channel string) *wsClient {
	t.Helper()
	c := h.upgrade(t, uid, url, crt.Cert)
	c.send(t, text(hello(uid, channel, key)))
	return c
}

// isIn waits until the gateway has taken c's hello: nothing is answered to that, but a ping behind it is. (mles 2.9.4 would
// forward the ping to the channel.)
func (c *wsClient) isIn(t *testing.T) {
	t.Helper()
	if err := c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(hosts.Patience)); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	select {
	case <-c.pongs:
	case <-time.After(hosts.Patience):
		_, err := c.received()
		t.Fatalf("%s: no pong after the hello (%v)", c.name, err)
	}
}

// noticeOf is the join notice that v2 members find in the history.
func noticeOf(uid, channel string) wsMessage {
	return text(`{"uid":"` + uid + `","channel":"` + channel + `"}`)
}

func pool(t *testing.T, ca string) *x509.CertPool {
	t.Helper()
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(pem)
	return p
}

func (c *wsClient) receive() {
	for {
		op, data, err := c.ws.ReadMessage()
		c.mu.Lock()
		if err != nil {
			c.end = err
			c.mu.Unlock()
			return
		}
		c.messages = append(c.messages, wsMessage{op, string(data)})
		c.mu.Unlock()
	}
}

func (c *wsClient) send(t *testing.T, m wsMessage) {
	t.Helper()
	if err := c.ws.WriteMessage(m.op, []byte(m.data)); err != nil {
		t.Fatalf("%s cannot send: %v", c.name, err)
	}
}

func (c *wsClient) received() ([]wsMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]wsMessage(nil), c.messages...), c.end
}

// gets waits until c has received exactly these messages, in this order.
func (c *wsClient) gets(t *testing.T, want ...wsMessage) {
	t.Helper()
	hosts.Eventually(t, func() error {
		got, end := c.received()
		return differ(c.name, rendered(got), rendered(want), end)
	})
}

// ends waits until the connection has ended, and returns how.
func (c *wsClient) ends(t *testing.T) (end error) {
	t.Helper()
	hosts.Eventually(t, func() error {
		if _, end = c.received(); end == nil {
			return fmt.Errorf("%s is still connected", c.name)
		}
		return nil
	})
	return end
}

func rendered(messages []wsMessage) [][]byte {
	var out [][]byte
	for _, m := range messages {
		out = append(out, []byte(m.String()))
	}
	return out
}

// leave closes the connection.
func (c *wsClient) leave() { c.ws.Close() }
