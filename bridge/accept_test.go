package bridge_test

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// Over the limit on connections a v2 client is told so with 1013, a v1 client is
// closed without a word, and the operator reads it in the log. Who is there stays,
// and who leaves makes room.
func TestLimitOnConnections(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := secret
			conf.MaxConnections = 2
			h := open(t, conf)
			alice, bob := h.v1Joins("alice", "room", ""), h.v2Joins("bob", "room")
			bob.gets(notice("alice", "room"))
			for range 3 {
				h.v2().closed(1013, "over a limit")
				nc := h.keep(h.callV1())
				var b [1]byte
				if n, err := nc.Read(b[:]); n != 0 || !closedSomehow(err) {
					t.Errorf("a v1 client over the limit reads %q, %v", b[:n], err)
				}
			}
			if lines := h.log.lines("level=WARN", "too many connections", "limit=2"); len(lines) < 1 || len(lines) > 6 {
				t.Errorf("the log of it: %q", lines)
			}
			if n := h.refusals("over limit"); n != 6 {
				t.Errorf("%d refusals counted, want 6", n)
			}
			alice.gets(bob.onV1(""))
			bob.says(text("we are two"))
			alice.gets(bob.onV1("we are two"))
			alice.leaves()
			h.until("room for one more", func() bool { return h.Stats().Connections < 2 })
			h.v1Joins("carol", "room", "")
		})
	}
}

// Far over the limit connections are closed at once, without an upgrade or a
// handshake; no more are open than the limit and a few.
func TestFarOverTheLimit(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{MaxConnections: 1})
	bob := h.v1Joins("bob", "room", "")
	var crowd []net.Conn
	for range 200 {
		crowd = append(crowd, h.keep(h.callV2()))
	}
	h.until("all accepted", func() bool { return h.Stats().Accepted == 201 })
	if n := h.Stats().Connections; n > 66 {
		t.Errorf("%d connections are open", n)
	}
	for _, nc := range crowd {
		nc.Close()
	}
	h.until("the crowd has gone", func() bool { return h.Stats().Connections == 1 })
	bob.says("still here")
	bob.leaves()
	h.until("nobody is there", func() bool { return h.Stats().Connections == 0 })
	h.v2Joins("carol", "room").gets(notice("bob", "room"), blob("still here"))
}

// troubled is a listener whose Accept fails for a while.
type troubled struct {
	*pipeListener
	errs chan error
}

func (l troubled) Accept() (net.Conn, error) {
	select {
	case err := <-l.errs:
		return nil, err
	default:
		return l.pipeListener.Accept()
	}
}

// A listener that cannot accept, because file descriptors have run out, is tried
// again; the log says what to do about it, and not once for each attempt.
func TestAcceptGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"descriptors": {&net.OpError{Op: "accept", Net: "tcp", Err: &wrapped{syscall.EMFILE}}, "out of file descriptors"},
		"system's":    {&net.OpError{Op: "accept", Net: "tcp", Err: syscall.ENFILE}, "out of file descriptors"},
		"other":       {errors.New("no idea"), "no idea"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := openPipes(t, secret)
				l := troubled{newPipeListener(), make(chan error, 100)}
				for range 30 {
					l.errs <- c.err
				}
				h.serve(func() error { return h.ServeV1(l) })
				alice := h.v1Joins("alice", "room", "") // on the other listener
				start := time.Now()
				bob := h.v1On(l.dial())
				if took := time.Since(start); took < time.Second || took > 30*time.Second {
					t.Errorf("accepted after %s of trouble", took)
				}
				bob.join("bob", "room", "")
				bob.gets(alice.frame(""))
				if lines := h.log.lines("level=ERROR", c.says); len(lines) < 1 || len(lines) > 30 {
					t.Errorf("%d lines in the log", len(lines))
				}
			})
		})
	}
}

type wrapped struct{ error }

func (w *wrapped) Unwrap() error { return w.error }

// A listener closed by its owner ends serving, and that alone.
func TestListenerClosed(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.ServeV2(l) }()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	alice := h.v2On(nc)
	h.joins("v2", func() { alice.join("alice", "room") })
	l.Close()
	if err := <-done; err != nil {
		t.Error("serving ended with", err)
	}
	bob := h.v1Joins("bob", "room", "hi")
	bob.gets(alice.onV1(""))
	alice.gets(blob("hi"))
}
