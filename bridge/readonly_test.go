package bridge_test

import (
	"testing"

	"mles/bridge"
)

// v1 only reads: its arrivals are seen, and nothing of what it says, neither live
// nor from the history; what v2 says reaches it.
func TestV1ReadOnly(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1ReadOnly: true})
	bob, carol := h.v2Joins("bob", "hall"), h.v1Joins("carol", "hall", "")
	carol.gets(bob.onV1(""))
	alice := h.v1Joins("alice", "hall", "psst")
	carol.gets(alice.frame(""))
	alice.gets(bob.onV1(""), carol.frame(""))

	alice.says("one")
	alice.says("two")
	alice.says("") // no arrival of somebody behind it either
	h.until("what alice says is dropped", func() bool { return h.Stats().ReadOnly == 4 })
	bob.says(text("heard nothing"))
	carol.gets(bob.onV1("heard nothing"))
	alice.gets(bob.onV1("heard nothing"))
	h.v2Joins("dave", "hall").gets(notice("bob", "hall"), notice("carol", "hall"), notice("alice", "hall"), text("heard nothing"))
	if lines := h.log.lines("read-only", "uid=alice"); len(lines) != 1 {
		t.Errorf("the log says of alice: %q, want one line", lines)
	}
	if lines := h.log.lines("read-only", "uid=carol"); len(lines) != 0 {
		t.Errorf("the log says of carol, who says nothing: %q", lines)
	}
}

// What a peer remembers is said by v1 clients, too.
func TestV1ReadOnlyResync(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1ReadOnly: true})
	peer := h.v1()
	peer.uid, peer.channel = "alice", "hall"
	peer.key = v1Key(peer.secret(), "alice", "hall")
	h.joins("v1", func() { peer.sends(v1Frame(0, 0, resyncBody(peer.frame(""), peer.frame("remembered")))) })
	if n := h.Stats().ReadOnly; n != 1 {
		t.Errorf("%d frames counted as dropped, want 1", n)
	}
	h.v2Joins("bob", "hall").gets(notice("alice", "hall"))
}

// v1 over WebSocket only reads, too, on each of its channels.
func TestV1WebSocketReadOnly(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(bridge.Config{V1ReadOnly: true}))
	bob := h.v1Joins("bob", "hall", "")
	alice := h.v1wsJoins("alice", "hall", "psst")
	bob.gets(alice.onV1(""))
	alice.gets(bob.onWS(""))
	alice.says("hey")
	alice.enters("attic", "anybody?")
	alice.saysOn("attic", "nobody")
	h.until("all is dropped", func() bool { return h.Stats().ReadOnly == 4 })
	carol := h.v2Joins("carol", "hall")
	carol.gets(notice("bob", "hall"), notice("alice", "hall"))
	bob.gets(carol.onV1(""))
	if lines := h.log.lines("read-only", "uid=alice"); len(lines) != 1 {
		t.Errorf("the log says: %q, want one line", lines)
	}
}
