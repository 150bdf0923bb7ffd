//go:build load

package load

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestChurn has a million clients join, each a channel of its own, and leave: every channel is remembered for its join
// until memory is short. Each waits until the gateway has closed in its turn, so that none is lost.
func TestChurn(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 60_000
	}
	d := start(t, options{}, "--memory-limit=512MiB")
	d.trace(t)
	pair := d.honest(t)
	begun := time.Now()
	var most atomic.Int64
	ended, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		for {
			select {
			case <-ended:
				return
			case <-time.After(500 * time.Millisecond):
				most.Store(max(most.Load(), int64(d.metric(t, "mles_channels"))))
			}
		}
	}()
	const workers = 48
	addr := netip.MustParseAddrPort(d.v1)
	err := each(workers, workers, func(w int) error {
		for i := w; i < n; i += workers {
			channel := fmt.Sprintf("short-lived-%07d", i)
			if i%16 == 0 {
				channel += strings.Repeat("-", 900)
			}
			if err := visit(addr, v1Frame(nil, v1Key(sharedKey, "guest", channel), "guest", channel, nil)); err != nil {
				return err
			}
		}
		return nil
	})
	close(ended)
	<-sampled
	if err != nil {
		t.Error(err)
	}
	took := time.Since(begun)
	if joins := d.metric(t, "mles_joins_total"); int(joins) != n+2 {
		t.Errorf("%g joins counted, want %d", joins, n+2)
	}
	if used, limit := d.metric(t, "mles_memory_bytes"), d.metric(t, "mles_memory_limit_bytes"); used > limit {
		t.Errorf("%g bytes counted, limit %g", used, limit)
	}
	settles(t, "the number of connections", 2, starved, func() float64 { return d.metric(t, "mles_connections") })
	d.exchange(t, "after")
	report := pair.stop(t)
	d.within(t, memoryLimit)
	t.Logf("%d short-lived channels in %s: at most %d remembered, peak %s of %s; %s",
		n, took.Round(time.Second), most.Load(), mib(d.status(t, "VmHWM")), mib(memoryLimit), report)
}

// visit connects, sends frame, says that this was all and waits for the end. It goes around the runtime's poller, which
// for connections as short as these is most of the work.
func visit(addr netip.AddrPort, frame []byte) error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	patience := syscall.NsecToTimeval(int64(starved))
	syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience)
	if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	if _, err := syscall.Write(fd, frame); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if err := syscall.Shutdown(fd, syscall.SHUT_WR); err != nil {
		return fmt.Errorf("shutdown: %w", err)
	}
	var b [512]byte
	for {
		n, err := syscall.Read(fd, b[:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n > 0 {
			return fmt.Errorf("read %q: %w", b[:max(0, n)], err)
		}
		return nil
	}
}
