//go:build linux

package main

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mles/bridge"
)

// manager is a service manager that the gateway notifies.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	env  string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "mles") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &manager{t: t, conn: conn, env: "NOTIFY_SOCKET=" + path}
}

// told waits for a message with that variable in it, and returns its value. Others before it are kept in all.
func (m *manager) told(name string, all *[]string) string {
	m.t.Helper()
	_ = m.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	for buf := make([]byte, 4096); ; {
		n, err := m.conn.Read(buf)
		if err != nil {
			m.t.Fatalf("the manager was never told of %s: %v", name, err)
		}
		message := string(buf[:n])
		if all != nil {
			*all = append(*all, message)
		}
		for line := range strings.SplitSeq(message, "\n") {
			if value, ok := strings.CutPrefix(line, name+"="); ok {
				return value
			}
		}
	}
}

// systemd is told when the gateway serves, that it works, reloads and stops.
func TestServiceManagerIsTold(t *testing.T) {
	m := newManager(t)
	p := start(t, []string{m.env, "WATCHDOG_USEC=4000000"}, "--drain-time=5s")
	if got := m.told("READY", nil); got != "1" {
		t.Errorf("READY=%s", got)
	}
	nc, err := net.Dial("tcp", p.addr("--v1-listen"))
	if err != nil {
		t.Fatalf("ready, but: %v", err)
	}
	nc.Close()
	var between []string
	m.told("WATCHDOG", nil)
	m.told("WATCHDOG", nil)

	p.signal(syscall.SIGHUP)
	m.told("RELOADING", &between)
	last := between[len(between)-1]
	_, usec, ok := strings.Cut(last, "MONOTONIC_USEC=")
	if n, err := strconv.ParseInt(usec, 10, 64); !ok || err != nil || n <= 0 {
		t.Errorf("a reload is announced by %q", last)
	}
	m.told("READY", nil)

	p.signal(syscall.SIGTERM)
	var stop []string
	m.told("STOPPING", &stop)
	if last := stop[len(stop)-1]; !strings.Contains(last, "EXTEND_TIMEOUT_USEC=35000000") {
		t.Errorf("a stop is announced by %q", last)
	}
	if status := p.wait(); status != exitOK {
		t.Errorf("exit status %d", status)
	}
}

// A manager that cannot be told anything any more is no reason to end.
func TestServiceManagerGone(t *testing.T) {
	p := start(t, []string{"NOTIFY_SOCKET=" + filepath.Join(t.TempDir(), "gone")})
	p.line("systemd could not be told", nil)
	p.addr("--v1-listen")
	p.stop()
}

// A listener at which nobody accepts any more is found, and named.
func TestNobodyAccepts(t *testing.T) {
	gw, err := bridge.New(bridge.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer gw.Close()
	l := listenTCP(t, "127.0.0.1:0")
	e := (endpoint{}).at("--v1-listen", l)
	d := &daemon{gw: gw, open: []endpoint{e}}
	if err := d.works(t.Context(), time.Second); err != nil {
		t.Error(err)
	}
	e.Listener.(*door).away.Store(time.Now().Add(-2 * unattendedMost).UnixNano())
	if err := d.works(t.Context(), time.Second); err == nil || !strings.Contains(err.Error(), "--v1-listen "+l.Addr().String()) {
		t.Errorf("nobody accepts: %v", err)
	}
}
