//go:build interop

package interop

import (
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A host is a network namespace with a loopback interface of its own. It has no name in the file system: it lives in
// one locked thread and in the processes started from there, and the kernel removes it, with its links, when the last
// of them is gone, however this test ends.
type host struct {
	calls chan func()
	tid   int
}

// newHost makes a namespace that ends with the test. It needs root.
func newHost(t *testing.T) *host {
	t.Helper()
	h := &host{calls: make(chan func())}
	ready := make(chan error)
	go h.serve(ready)
	if err := <-ready; err != nil {
		t.Fatalf("no network namespace (the interop run needs root): %v", err)
	}
	t.Cleanup(func() { close(h.calls) })
	h.ip(t, "link", "set", "lo", "up")
	return h
}

// serve runs calls on a thread that has left the machine's network. The thread is never unlocked, so it dies with the
// goroutine, and with it each process started from it (see start).
func (h *host) serve(ready chan<- error) {
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		ready <- err
		return
	}
	h.tid = unix.Gettid()
	ready <- nil
	for call := range h.calls {
		call()
	}
}

// do runs f in the namespace: sockets that it opens and processes that it starts belong there.
func (h *host) do(f func()) {
	done := make(chan struct{})
	h.calls <- func() { defer close(done); f() }
	<-done
}

// link connects two hosts by a veth pair, h at 10.77.0.1 and other at 10.77.0.2.
func (h *host) link(t *testing.T, other *host) {
	t.Helper()
	h.ip(t, "link", "add", "veth1", "type", "veth", "peer", "name", "veth2", "netns", fmt.Sprint(other.tid))
	h.ip(t, "addr", "add", "10.77.0.1/24", "dev", "veth1")
	h.ip(t, "link", "set", "veth1", "up")
	other.ip(t, "addr", "add", "10.77.0.2/24", "dev", "veth2")
	other.ip(t, "link", "set", "veth2", "up")
}

func (h *host) ip(t *testing.T, args ...string) {
	t.Helper()
	var out []byte
	var err error
	h.do(func() { out, err = exec.Command("ip", args...).CombinedOutput() })
	if err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// dial connects to addr, an IP literal and port, from within the namespace. A host name would be dialled from another
// thread and so from another network.
func (h *host) dial(addr string) (nc net.Conn, err error) {
	h.do(func() { nc, err = net.DialTimeout("tcp", addr, patience) })
	return nc, err
}

// mustDial waits for a server to listen on addr.
func (h *host) mustDial(t *testing.T, addr string) net.Conn {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		nc, err := h.dial(addr)
		if err == nil {
			t.Cleanup(func() { nc.Close() })
			return nc
		}
		if time.Now().After(end) {
			t.Fatalf("nobody listens on %s: %v", addr, err)
		}
	}
}

// listening waits until something accepts on addr.
func (h *host) listening(t *testing.T, addr string) {
	t.Helper()
	h.mustDial(t, addr).Close()
}
