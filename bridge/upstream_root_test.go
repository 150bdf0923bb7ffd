package bridge_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// A root is a v1 server upstream, played by the test.
type root struct {
	testing.TB
	conns chan net.Conn
	local string      // the address that the gateway dials from
	gone  atomic.Bool // does not answer
	dials atomic.Int64
}

func newRoot(t testing.TB) *root {
	return &root{TB: t, conns: make(chan net.Conn, 16), local: "10.0.0.9:5000"}
}

// dial is how the gateway reaches it.
func (r *root) dial(ctx context.Context, _, hostport string) (net.Conn, error) {
	r.dials.Add(1)
	if r.gone.Load() {
		return nil, errors.New("nobody there")
	}
	near, far := net.Pipe()
	select {
	case r.conns <- far:
		return from{near, pipeAddr(r.local)}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// from is a connection whose own end has an address of our choice.
type from struct {
	net.Conn
	local pipeAddr
}

func (f from) LocalAddr() net.Addr { return f.local }

// upstream is the gateway's configuration with the root upstream.
func (r *root) upstream(conf bridge.Config, more ...func(*bridge.Upstream)) bridge.Config {
	up := bridge.Upstream{URL: "v1://root", Dial: r.dial, UID: "gate"}
	for _, f := range more {
		f(&up)
	}
	conf.Upstreams = append(conf.Upstreams, up)
	return conf
}

// A rootEnd is the root's end of a connection.
type rootEnd struct {
	*root
	nc net.Conn
	r  *bufio.Reader
}

// accepts takes the next connection.
func (r *root) accepts() *rootEnd {
	r.Helper()
	select {
	case nc := <-r.conns:
		r.Cleanup(func() { nc.Close() })
		return &rootEnd{r, nc, bufio.NewReader(nc)}
	case <-time.After(10 * time.Minute):
		r.Fatal("nobody dials the root")
		return nil
	}
}

// idle says that nobody dials it for a while.
func (r *root) idle(d time.Duration) {
	r.Helper()
	select {
	case <-r.conns:
		r.Fatal("somebody dials the root")
	case <-time.After(d):
	}
}

// gets reads frames, which must be these.
func (e *rootEnd) gets(frames ...[]byte) {
	e.Helper()
	for i, want := range frames {
		got, err := readV1Frame(e.r)
		if err != nil || !bytes.Equal(got, want) {
			e.Fatalf("the root reads frame %d of %d: %v\n%.300q, want\n%.300q", i+1, len(frames), err, got, want)
		}
	}
}

func (e *rootEnd) reads() []byte {
	e.Helper()
	f, err := readV1Frame(e.r)
	if err != nil {
		e.Fatal("the root reads nothing:", err)
	}
	return f
}

func (e *rootEnd) sends(frames ...[]byte) {
	e.Helper()
	for _, f := range frames {
		if _, err := e.nc.Write(f); err != nil {
			e.Fatal("the root cannot send:", err)
		}
	}
}

// hearsNothing waits for a while.
func (e *rootEnd) hearsNothing(d time.Duration) {
	e.Helper()
	e.nc.SetReadDeadline(time.Now().Add(d))
	if b, err := e.r.Peek(1); err == nil {
		e.Fatalf("the root hears %q", b)
	}
	e.nc.SetReadDeadline(time.Time{})
}

func (e *rootEnd) ends() {
	e.Helper()
	if f, err := readV1Frame(e.r); err == nil {
		e.Fatalf("the root reads %.300q, want the end", f)
	}
}

// shared is a frame under the shared key of the tests.
func shared(uid, channel, message string) []byte {
	return keyed(v1Key("swordfish", uid, channel), msgBody(uid, channel, message))
}

// bubble runs a test with a root and fake time.
func bubble(t *testing.T, f func(t *testing.T, r *root)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, newRoot(t)) })
}

// running waits until the channel is connected.
func (h *house) running(channel string) {
	h.Helper()
	h.until(channel+" is connected upstream", func() bool {
		for _, s := range h.UpstreamStatus() {
			if s.Channel == channel && s.State == "running" {
				return true
			}
		}
		return false
	})
}
