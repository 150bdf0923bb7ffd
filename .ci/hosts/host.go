//go:build linux

package hosts

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A Host is a network namespace with a loopback interface of its own. It has no name in the file system: it lives in
// one locked thread and in the processes started from there, and the kernel removes it, with its links, when the last
// of them is gone, however the test ends.
type Host struct {
	calls chan func()
	tid   int
}

// New makes a namespace that ends with the test. It needs root.
func New(t *testing.T) *Host {
	t.Helper()
	h := &Host{calls: make(chan func())}
	ready := make(chan error)
	go h.serve(ready)
	if err := <-ready; err != nil {
		t.Fatalf("no network namespace (this needs root): %v", err)
	}
	t.Cleanup(func() { close(h.calls) })
	h.IP(t, "link", "set", "lo", "up")
	return h
}

// serve runs calls on a thread that has left the machine's network. The thread is never unlocked, so it dies with the
// goroutine, and with it each process started from it (see Start).
func (h *Host) serve(ready chan<- error) {
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

// Do runs f in the namespace: sockets that it opens and processes that it starts belong there.
func (h *Host) Do(f func()) {
	done := make(chan struct{})
	h.calls <- func() { defer close(done); f() }
	<-done
}

// Link connects two hosts by a veth pair, h at 10.77.0.1 and other at 10.77.0.2.
func (h *Host) Link(t *testing.T, other *Host) {
	t.Helper()
	h.IP(t, "link", "add", "veth1", "type", "veth", "peer", "name", "veth2", "netns", fmt.Sprint(other.tid))
	h.IP(t, "addr", "add", "10.77.0.1/24", "dev", "veth1")
	h.IP(t, "link", "set", "veth1", "up")
	other.IP(t, "addr", "add", "10.77.0.2/24", "dev", "veth2")
	other.IP(t, "link", "set", "veth2", "up")
}

// Knows gives the programs that the host starts from now on an /etc/hosts in which names are 127.0.0.1.
func (h *Host) Knows(t *testing.T, names ...string) {
	t.Helper()
	addresses := make(map[string]string)
	for _, name := range names {
		addresses[name] = "127.0.0.1"
	}
	h.Resolves(t, addresses)
}

// Resolves gives the programs that the host starts from now on an /etc/hosts with the addresses of names. Nothing else
// sees it: it lies over the machine's own in a mount namespace of the host.
func (h *Host) Resolves(t *testing.T, addresses map[string]string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hosts")
	text := "127.0.0.1 localhost\n::1 localhost\n"
	for name, address := range addresses {
		text += address + " " + name + "\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var err error
	h.Do(func() {
		if err = unix.Unshare(unix.CLONE_NEWNS); err != nil {
			return
		}
		if err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return
		}
		err = unix.Mount(file, "/etc/hosts", "", unix.MS_BIND, "")
	})
	if err != nil {
		t.Fatalf("no /etc/hosts of its own: %v", err)
	}
}

// IP runs ip(8) in the namespace.
func (h *Host) IP(t *testing.T, args ...string) {
	t.Helper()
	var out []byte
	var err error
	h.Do(func() { out, err = exec.Command("ip", args...).CombinedOutput() })
	if err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}

// Dial connects to addr, an IP literal and port, from within the namespace. A host name would be dialled from another
// thread and so from another network.
func (h *Host) Dial(addr string) (nc net.Conn, err error) {
	h.Do(func() { nc, err = net.DialTimeout("tcp", addr, Patience) })
	return nc, err
}

// MustDial waits for a server to listen on addr.
func (h *Host) MustDial(t *testing.T, addr string) net.Conn {
	t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		nc, err := h.Dial(addr)
		if err == nil {
			t.Cleanup(func() { nc.Close() })
			return nc
		}
		if time.Now().After(end) {
			t.Fatalf("nobody listens on %s: %v", addr, err)
		}
	}
}

// Listening waits until something accepts on addr.
func (h *Host) Listening(t *testing.T, addr string) {
	t.Helper()
	h.MustDial(t, addr).Close()
}
