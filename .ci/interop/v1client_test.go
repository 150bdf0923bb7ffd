//go:build interop

package interop

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"mles/.ci/hosts"
)

// A v1Client is a raw v1 TCP client. It keeps every frame it gets.
type v1Client struct {
	uid, channel string
	auth         string // first part of its key: the shared key, or its own address
	nc           net.Conn

	mu     sync.Mutex
	frames [][]byte
	end    error // why no more frames come; nil as long as they may
}

// joinV1 connects to addr and sends a first frame with message. An empty key means the connection's own address, in the
// spelling that spell gives it (nil: dotted).
func (h *host) joinV1(t *testing.T, addr, key, uid, channel, message string, spell func(*net.TCPAddr) string) *v1Client {
	t.Helper()
	c := &v1Client{uid: uid, channel: channel, auth: key, nc: h.MustDial(t, addr)}
	if key == "" {
		if spell == nil {
			spell = (*net.TCPAddr).String
		}
		c.auth = spell(c.nc.LocalAddr().(*net.TCPAddr))
	}
	go c.receive()
	c.send(t, message)
	return c
}

// mapped spells an IPv4 address as mles 1.1.7 sees it on its [::] listener.
func mapped(a *net.TCPAddr) string {
	ip := a.IP.To4()
	return fmt.Sprintf("[0:0:0:0:0:ffff:%x:%x]:%d", binary.BigEndian.Uint16(ip), binary.BigEndian.Uint16(ip[2:]), a.Port)
}

// expanded spells an IPv6 address with its eight groups.
func expanded(a *net.TCPAddr) string {
	ip, s := a.IP.To16(), ""
	for i := 0; i < 16; i += 2 {
		s += fmt.Sprintf(":%x", binary.BigEndian.Uint16(ip[i:]))
	}
	return fmt.Sprintf("[%s]:%d", s[1:], a.Port)
}

func (c *v1Client) receive() {
	for {
		frame := make([]byte, 16)
		_, err := io.ReadFull(c.nc, frame)
		if err == nil {
			body := make([]byte, binary.BigEndian.Uint32(frame)&0xffffff)
			_, err = io.ReadFull(c.nc, body)
			frame = append(frame, body...)
		}
		c.mu.Lock()
		if err != nil {
			c.end = err
			c.mu.Unlock()
			return
		}
		c.frames = append(c.frames, frame)
		c.mu.Unlock()
	}
}

// frame is the frame that c makes of a message.
func (c *v1Client) frame(message string) []byte { return v1Frame(c.auth, c.uid, c.channel, message) }

func (c *v1Client) send(t *testing.T, message string) {
	t.Helper()
	if _, err := c.nc.Write(c.frame(message)); err != nil {
		t.Fatalf("%s cannot send: %v", c.uid, err)
	}
}

// received is every frame so far.
func (c *v1Client) received() ([][]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([][]byte(nil), c.frames...), c.end
}

// gets waits until c has received exactly these frames, in this order, byte for byte.
func (c *v1Client) gets(t *testing.T, want ...[]byte) {
	t.Helper()
	c.getsBesides(t, nil, want...)
}

// getsBesides is gets for members of a peer: mles 1.1.7 sends its first member's join back to it and to others, once or
// twice, so frames equal to own do not count.
func (c *v1Client) getsBesides(t *testing.T, own []byte, want ...[]byte) {
	t.Helper()
	hosts.Eventually(t, func() error {
		all, end := c.received()
		var got [][]byte
		for _, f := range all {
			if own == nil || !bytes.Equal(f, own) {
				got = append(got, f)
			}
		}
		return differ(c.uid, got, want, end)
	})
}

// getsBodies is gets without the headers: for frames whose key depends on an address that the test does not know.
func (c *v1Client) getsBodies(t *testing.T, want ...string) {
	t.Helper()
	c.getsBodiesBesides(t, "", want...)
}

// getsBodiesBesides is to getsBodies as getsBesides is to gets.
func (c *v1Client) getsBodiesBesides(t *testing.T, own string, want ...string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		all, end := c.received()
		var got, bodies [][]byte
		for _, f := range all {
			if own == "" || string(f[16:]) != own {
				got = append(got, f[16:])
			}
		}
		for _, b := range want {
			bodies = append(bodies, []byte(b))
		}
		return differ(c.uid, got, bodies, end)
	})
}

// getsLast waits until the last frame has this body.
func (c *v1Client) getsLast(t *testing.T, body string) {
	t.Helper()
	hosts.Eventually(t, func() error {
		got, end := c.received()
		if len(got) == 0 || string(got[len(got)-1][16:]) != body {
			return fmt.Errorf("%s does not end with %q (%v): %q", c.uid, body, end, got)
		}
		return nil
	})
}

// differ tells the first difference between what came and what should have come.
func differ(who string, got, want [][]byte, end error) error {
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			return fmt.Errorf("%s: number %d is\n%s instead of\n%s", who, i+1, brief(got[i]), brief(want[i]))
		}
	}
	switch {
	case len(got) > len(want):
		return fmt.Errorf("%s has %d instead of %d, first too many:\n%s", who, len(got), len(want), brief(got[len(want)]))
	case len(got) < len(want):
		return fmt.Errorf("%s has %d instead of %d (connection: %v), first missing:\n%s", who, len(got), len(want), end, brief(want[len(got)]))
	}
	return nil
}

func brief(b []byte) string {
	if len(b) > 300 {
		return fmt.Sprintf("%q… (%d bytes)", b[:300], len(b))
	}
	return fmt.Sprintf("%q", b)
}

// ends waits until the connection has ended, and returns how.
func (c *v1Client) ends(t *testing.T) (end error) {
	t.Helper()
	hosts.Eventually(t, func() error {
		if _, end = c.received(); end == nil {
			return fmt.Errorf("%s is still connected", c.uid)
		}
		return nil
	})
	return end
}

// leave closes the connection.
func (c *v1Client) leave() { c.nc.Close() }
