package bridge_test

import (
	"testing"

	"mles/bridge"
)

// An operator kicks bob, whatever he speaks: the others stay, and he may come back and finds the history.
func TestKick(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1WebSocket: true})
	alice := h.v1Joins("alice", "hall", "hello")
	bob1, bob2, bob3 := h.v1Joins("bob", "hall", ""), h.v2Joins("bob", "hall"), h.v1wsJoins("bob", "kitchen", "")
	bob3.enters("hall", "")
	h.members(5)
	bob2.gets(notice("alice", "hall"), blob("hello"), notice("bob", "hall"))
	bob3.gets(body("alice", "hall", "hello"), body("bob", "hall", ""), body("bob", "hall", ""))
	bob := func(m bridge.Member) bool { return m.UID == "bob" && m.Channel == "hall" }
	if n := h.Kick(bob); n != 3 {
		t.Errorf("%d connections closed, want 3", n)
	}
	bob2.closed(1008, "kicked")
	bob3.closed(1008, "kicked")
	h.members(1)
	if n := h.Kick(bob); n != 0 {
		t.Errorf("%d connections closed the second time", n)
	}
	bob1.gets(alice.frame("hello"), bob2.onV1(""), bob3.headed("bob", "hall", msgBody("bob", "hall", "")))
	bob1.ends()
	if n := h.Stats().Revoked["kicked"]; n != 3 {
		t.Errorf("%d counted", n)
	}
	h.v2Joins("bob", "hall")
}
