package bridge_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// A house is a gateway under test with a listener for each dialect, and those
// who go in and out there.
type house struct {
	testing.TB
	*bridge.Gateway
	conf bridge.Config
	log  *logbook

	callV1, callV2 func() net.Conn // connect to the listeners
	tcpV1, tcpV2   func() net.Conn // the same below TLS
	wait           func()          // lets others run for a moment
	waited         time.Time       // when, in a bubble
	patience       time.Duration   // how long a client waits for anything
}

// open starts a gateway on loopback.
func open(t testing.TB, conf bridge.Config) *house {
	t.Helper()
	h := newHouse(t, conf)
	h.callV1 = h.serveTCP(h.ServeV1)
	h.callV2 = h.serveTCP(h.ServeV2)
	h.wait = func() { time.Sleep(200 * time.Microsecond) }
	h.patience = 20 * time.Second
	return h
}

// openTLS starts one that speaks both dialects over TLS.
func openTLS(t testing.TB, conf bridge.Config) *house {
	t.Helper()
	h := newHouse(t, conf)
	h.tcpV1 = h.serveTCP(func(l net.Listener) error { return h.ServeV1TLS(l, serverTLS()) })
	h.tcpV2 = h.serveTCP(func(l net.Listener) error { return h.ServeV2TLS(l, serverTLS()) })
	h.callV1, h.callV2 = overTLS(h.tcpV1), overTLS(h.tcpV2)
	h.wait = func() { time.Sleep(200 * time.Microsecond) }
	h.patience = 20 * time.Second
	return h
}

// transports are the ways to both dialects.
var transports = map[string]func(testing.TB, bridge.Config) *house{"plain": open, "TLS": openTLS}

// openPipes starts one in memory, for tests in a bubble of fake time.
func openPipes(t testing.TB, conf bridge.Config) *house {
	t.Helper()
	h := newHouse(t, conf)
	one, two := newPipeListener(), newPipeListener()
	h.serve(func() error { return h.ServeV1(one) })
	h.serve(func() error { return h.ServeV2(two) })
	h.callV1, h.callV2 = one.dial, two.dial
	h.wait = func() {
		if synctest.Wait(); time.Now() == h.waited {
			time.Sleep(time.Millisecond) // or time would stand still
		}
		h.waited = time.Now()
	}
	h.patience = time.Hour
	return h
}

func newHouse(t testing.TB, conf bridge.Config) *house {
	t.Helper()
	h := &house{TB: t, conf: conf, log: new(logbook)}
	if conf.Logger == nil {
		conf.Logger = slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	g, err := bridge.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	h.Gateway = g
	t.Cleanup(func() {
		g.Close()
		if st := g.Stats(); st.Connections != 0 || st.Members != 0 || st.V1Members != 0 || st.V2Members != 0 || st.V1WSMembers != 0 {
			t.Errorf("after Close: %+v", st)
		}
		if t.Failed() {
			t.Logf("the gateway's log:\n%.5000s", h.log)
		}
	})
	return h
}

// serve runs a listener until the gateway is closed.
func (h *house) serve(run func() error) {
	done := make(chan error, 1)
	go func() { done <- run() }()
	h.Cleanup(func() {
		h.Close()
		if err := <-done; err != nil {
			h.Error("serving ended with", err)
		}
	})
}

// serveTCP serves on a port of loopback and returns what connects to it.
func (h *house) serveTCP(run func(net.Listener) error) func() net.Conn {
	h.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.Fatal(err)
	}
	h.serve(func() error { return run(l) })
	return func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			h.Fatal(err)
		}
		return nc
	}
}

// keep has a connection closed at the end of the test.
func (h *house) keep(nc net.Conn) net.Conn {
	h.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(h.patience))
	return nc
}

// until waits for something that is seen from outside only. In a bubble that is
// there once everybody has done what there is to do.
func (h *house) until(what string, so func() bool) {
	h.Helper()
	for start := time.Now(); !so(); h.wait() {
		if time.Since(start) > min(h.patience, 30*time.Second) {
			h.Fatalf("never seen: %s\n%+v", what, h.Stats())
		}
	}
}

// hasLogged waits until the log has n lines with all of parts, and says whether it has no more of them.
func (h *house) hasLogged(n int, parts ...string) bool {
	h.Helper()
	h.until(fmt.Sprintf("%d lines in the log with %q", n, parts), func() bool { return len(h.log.lines(parts...)) >= n })
	return len(h.log.lines(parts...)) == n
}

// joins runs f, which makes somebody join in the dialect, and waits for it.
func (h *house) joins(dialect string, f func()) {
	h.Helper()
	before := h.Stats().Joins[dialect]
	f()
	h.until("somebody joins on "+dialect, func() bool { return h.Stats().Joins[dialect] > before })
}

// members waits until so many are there.
func (h *house) members(n int64) {
	h.Helper()
	h.until("the right number of members", func() bool { return h.Stats().Members == n })
}

func (h *house) refusals(reason string) int64 { return h.Stats().Refusals[reason] }

// ended says whether reading ended because the other side closed in order, and
// not with a reset.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)
}

// closedSomehow says whether it ended at all: some ends may come with a reset.
func closedSomehow(err error) bool {
	return ended(err) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF)
}

// closeWrite shuts the sending side.
func closeWrite(t testing.TB, nc net.Conn) {
	t.Helper()
	if err := nc.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

func overTLS(call func() net.Conn) func() net.Conn {
	return func() net.Conn { return tls.Client(call(), &tls.Config{InsecureSkipVerify: true}) }
}

// A logbook keeps what is logged.
type logbook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// lines returns the lines that contain all the words.
func (l *logbook) lines(words ...string) (found []string) {
next:
	for line := range strings.Lines(l.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}
