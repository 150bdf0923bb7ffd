package bridge_test

import (
	"net"
	"testing"

	"mles/bridge"
)

// v1 is switched off under its members: they and whoever is still connecting there are closed,
// those of v2 and of another v1 listener stay, and so does the history.
func TestRetireListener(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.serve(func() error { return h.ServeV1(l) })
	call := func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return nc
	}
	alice, bob := h.v1Joins("alice", "hall", "hello"), h.v2Joins("bob", "hall")
	alice.gets(bob.onV1(""))
	carol := h.v1On(call())
	h.joins("v1", func() { carol.join("carol", "hall", "") })
	carol.gets(alice.frame("hello"), bob.onV1(""))
	alice.gets(carol.frame(""))
	silent := h.v1On(call())
	h.until("the silent one is there", func() bool { return h.Stats().Connections == 4 })

	if n := h.Retire(l); n != 2 {
		t.Errorf("%d connections closed, want 2", n)
	}
	carol.ends()
	if _, err := silent.nc.Read(make([]byte, 1)); !closedSomehow(err) {
		t.Errorf("the silent one reads %v", err)
	}
	h.members(2)
	if nc, err := net.Dial("tcp", l.Addr().String()); err == nil {
		nc.Close()
		t.Error("the listener still answers")
	}
	alice.says("the two of us")
	h.v2Joins("dave", "hall").gets(notice("alice", "hall"), blob("hello"), notice("bob", "hall"), notice("carol", "hall"), blob("the two of us"))
}

// A listener that is only closed leaves its members where they are; it can be retired later.
func TestRetireLater(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
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
	bob := h.v2On(nc)
	h.joins("v2", func() { bob.join("bob", "hall") })
	l.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
	alice := h.v1Joins("alice", "hall", "still there?")
	bob.gets(blob("still there?"))
	bob.says(text("yes"))
	alice.gets(bob.onV1(""), bob.onV1("yes"))
	if n := h.Retire(l); n != 1 {
		t.Errorf("%d connections closed, want 1", n)
	}
	bob.closed(1001, "server is going away")
}
