package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mles/v1"
)

// SIGTERM: readiness fails, v2 members are told that the gateway goes away, v1 connections end, exit 0; SIGHUP before it
// is no harm.
func TestDrain(t *testing.T) {
	p := start(t, nil, "--drain-time=5s")
	p.addr("--v1-listen")
	p.signal(syscall.SIGHUP)
	p.line("reloaded", nil)
	alice := p.dialV1(new(v1.Dialer), "alice", "hi")
	bob := p.dialV2("", "bob")
	if got := heard(t, bob); got != "hi" {
		t.Errorf("bob heard %q", got)
	}
	if status, _ := p.get("/readyz"); status != 200 {
		t.Errorf("/readyz is %d", status)
	}
	p.signal(syscall.SIGTERM)
	var away *websocket.CloseError
	_, _, err := bob.Recv()
	if !errors.As(err, &away) || away.Code != 1001 {
		t.Errorf("bob: %v, want 1001", err)
	}
	_ = alice.NetConn().SetDeadline(time.Now().Add(10 * time.Second))
	for err = nil; err == nil; _, err = alice.Recv() { // bob's join, then the end
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("alice: %v, want the end of the connection", err)
	}
	if status := p.wait(); status != exitOK {
		t.Errorf("exit status %d", status)
	}
	p.line("drained", nil)
}

// A client that does not go holds the drain up to its time, not longer; meanwhile nobody is accepted and readiness says
// so.
func TestDrainEndsInTime(t *testing.T) {
	p := start(t, nil, "--drain-time=2s")
	deaf := p.deafV2()
	defer deaf.Close()
	v1Addr := p.addr("--v1-listen")
	begun := time.Now()
	p.signal(syscall.SIGINT)
	eventually(t, "readiness fails", func() bool {
		status, _ := p.get("/readyz")
		return status == 503
	})
	if nc, err := net.Dial("tcp", v1Addr); err == nil {
		nc.Close()
		t.Error("a connection was accepted while draining")
	}
	if status := p.wait(); status != exitOK {
		t.Errorf("exit status %d", status)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}

// deafV2 joins and then neither reads nor answers.
func (p *process) deafV2() net.Conn {
	p.t.Helper()
	nc, err := tls.Dial("tcp", p.addr("--v2-listen"), &tls.Config{RootCAs: p.roots()})
	if err != nil {
		p.t.Fatal(err)
	}
	_, err = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: mles-websocket\r\n\r\n")
	if err != nil {
		p.t.Fatal(err)
	}
	var all []byte
	for response := make([]byte, 1); !bytes.HasSuffix(all, []byte("\r\n\r\n")); all = append(all, response...) {
		if _, err := io.ReadFull(nc, response); err != nil {
			p.t.Fatal(err)
		}
	}
	hello := `{"uid":"deaf","channel":"hall"}`
	if _, err := nc.Write(append([]byte{0x81, 0x80 | byte(len(hello)), 0, 0, 0, 0}, hello...)); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "the deaf one has joined", func() bool {
		_, metrics := p.get("/metrics")
		return strings.Contains(metrics, `mles_members{dialect="v2"} 1`)
	})
	return nc
}

// Somebody cannot wait: the second signal ends at once.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	p := start(t, nil, "--drain-time=1m")
	deaf := p.deafV2()
	defer deaf.Close()
	p.signal(syscall.SIGTERM)
	p.line("signal received, draining; a second one ends at once", nil)
	p.signal(syscall.SIGTERM)
	if status := p.wait(); status != exitFailed {
		t.Errorf("exit status %d", status)
	}
}

// The reader of the log goes away, as when journald restarts: the gateway goes on.
func TestLogReaderGoesAway(t *testing.T) {
	cmd := exec.Command("mlesd", "--v1-listen=127.0.0.1:0", "--v2-listen=off", "--admin-listen=off")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	first := bufio.NewScanner(stderr)
	for first.Scan() && !strings.Contains(first.Text(), "msg=listening") {
	}
	stderr.Close()
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM} { // each is logged
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
