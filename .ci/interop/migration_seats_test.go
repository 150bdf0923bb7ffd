//go:build interop

package interop

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	"mles/.ci/hosts"
)

// A console is a client program of people: it says what is typed, and shows what it hears.
type console struct{ *program }

func (c console) say(line string) error {
	_, err := io.WriteString(c.Stdin, line+"\n")
	return err
}

func (c console) heard() string { return c.Screen() }

// An encrypted console is mles-client 2.2.0: at each line it clears the screen and draws the last ones, as many as fit, its
// own user's among them.
type encrypted struct {
	*program
	uid   string
	read  int      // of the screen
	drawn []string // all lines that were ever drawn
	all   strings.Builder
}

const (
	cleared = "\x1b[2J"
	prompt  = "\x1b[40;1H" // the last row, where lines are typed
)

func (c *encrypted) say(line string) error { return console{c.program}.say(line) }

func (c *encrypted) heard() string {
	screen := c.Screen()
	for {
		begin := strings.Index(screen[c.read:], cleared)
		if begin < 0 {
			return c.all.String()
		}
		lines, _, whole := strings.Cut(screen[c.read+begin:], prompt)
		if !whole {
			return c.all.String()
		}
		c.read += begin + len(lines)
		c.take(numbered.FindAllString(lines, -1))
	}
}

// take finds the lines that were not there in the drawing before.
func (c *encrypted) take(lines []string) {
	known := min(len(lines), len(c.drawn))
	for known > 0 && !slices.Equal(c.drawn[len(c.drawn)-known:], lines[:known]) {
		known--
	}
	for _, line := range lines[known:] {
		c.drawn = append(c.drawn, line)
		if !strings.HasPrefix(line, "«"+c.uid+" ") {
			c.all.WriteString(line)
		}
	}
}

// A transcript is what a raw connection has received, one message after the other.
type transcript struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *transcript) add(message string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.WriteString(message)
}

func (l *transcript) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// A browser is a WebSocket with a way to make messages of lines, and lines of messages.
type browser struct {
	transcript
	ws      *websocket.Conn
	message func(line string) []byte
	ended   chan struct{}
}

func (b *browser) say(line string) error {
	return b.ws.WriteMessage(websocket.BinaryMessage, b.message(line))
}

// open connects to wss://chat.example.org at an address. What comes in binary frames is what is heard, the rest are
// notices of joins.
func (h *host) open(t *testing.T, addr, ca string, message func(line string) []byte) *browser {
	t.Helper()
	d := websocket.Dialer{
		Subprotocols:     []string{"mles-websocket"},
		HandshakeTimeout: hosts.Patience,
		NetDialContext:   func(context.Context, string, string) (net.Conn, error) { return h.Dial(addr) },
		TLSClientConfig:  &tls.Config{RootCAs: pool(t, ca), ServerName: chatName},
	}
	ws, _, err := d.Dial("wss://"+chatName+"/", nil)
	if err != nil {
		t.Fatalf("wss://%s/ at %s: %v", chatName, addr, err)
	}
	b := &browser{ws: ws, message: message, ended: make(chan struct{})}
	t.Cleanup(func() { ws.Close(); <-b.ended })
	go func() {
		defer close(b.ended)
		for {
			op, message, err := ws.ReadMessage()
			if err != nil {
				return
			}
			if op == websocket.BinaryMessage {
				b.add(string(message))
			}
		}
	}()
	return b
}

// counter is what the messages of browsers behind mles-webproxy begin with: 16 bytes, random elsewhere.
const counter = "0123456789abcdef"

// browse joins a channel as a browser of v1 does.
func (h *host) browse(t *testing.T, addr, ca, uid, channel string) *browser {
	t.Helper()
	b := h.open(t, addr, ca, func(line string) []byte { return []byte(v1Body(uid, channel, counter+line)) })
	if err := b.ws.WriteMessage(websocket.BinaryMessage, b.message("hello")); err != nil {
		t.Fatalf("%s cannot join: %v", uid, err)
	}
	return b
}

// comesByV2 joins a channel as MlesTalk does: v2, without auth unless there is a key. Its lines end as those of consoles do,
// which show nothing before the end of a line.
func (h *host) comesByV2(t *testing.T, addr, ca, key, uid, channel string) *browser {
	t.Helper()
	b := h.open(t, addr, ca, func(line string) []byte { return []byte(counter + line + "\n") })
	if err := b.ws.WriteMessage(websocket.TextMessage, []byte(hello(uid, channel, key))); err != nil {
		t.Fatalf("%s cannot join: %v", uid, err)
	}
	return b
}

// A masked seat is a v1 connection to the channel that browsers of mles-webproxy are on, and knows the mask.
type masked struct {
	transcript
	*v1Client
	mask mask
	read int // frames
}

func (h *host) joinMasked(t *testing.T, addr, key, uid, channel string) *masked {
	t.Helper()
	m := newMask(channel)
	return &masked{v1Client: h.joinV1(t, addr, key, m.name(uid), m.name(channel), "", nil), mask: m}
}

func (s *masked) say(line string) error {
	_, err := s.nc.Write(s.frame(s.mask.message(counter + line)))
	return err
}

// heard takes the mask off: what is not masked, as joins, is nothing.
func (s *masked) heard() string {
	frames, _ := s.received()
	for _, f := range frames[s.read:] {
		if at := strings.Index(string(f), counter); at >= 0 {
			s.add(s.mask.message(string(f[at:])))
		}
	}
	s.read = len(frames)
	return s.transcript.heard()
}
