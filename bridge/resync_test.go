package bridge_test

import (
	"testing"

	"mles/bridge"
)

// A peer comes back to its root with what it remembers: it joins by the first
// contained frame, everybody present gets each of them, and an empty history
// takes them all.
func TestResync(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	frames := peerFrames()
	peer := h.v1()
	// Neither key nor CID of the outer header are looked at.
	h.joins("v1", func() { peer.sends(v1Frame(0, 0, resyncBody(frames...))) })
	peer.uid, peer.channel, peer.key = "one", "room", v1Key("swordfish", "one", "room")

	bob := h.v1Joins("bob", "room", "")
	bob.gets(frames...)
	peer.gets(bob.frame("")) // and no history of its own
	carol := h.v2Joins("carol", "room")
	carol.gets(notice("one", "room"), blob("from two"), notice("three", "room"), blob("from one"), notice("bob", "room"))
	peer.gets(carol.onV1(""))
	peer.says("later")
	bob.gets(carol.onV1(""), peer.frame("later"))
	carol.gets(blob("later"))
	if n := h.Stats().Untranslatable; n != 1 {
		t.Errorf("%d frames counted as not translatable, want 1", n)
	}

	// Its CID is that of the first contained frame.
	second := h.v1()
	second.join("one", "room", "")
	second.ends()
}

// peerFrames are those of a peer: its first client's join, what its clients
// said, a join, and something that is no body.
func peerFrames() [][]byte {
	key := func(uid string) uint64 { return v1Key("swordfish", uid, "room") }
	return [][]byte{
		keyed(key("one"), msgBody("one", "room", "")),
		keyed(key("two"), msgBody("two", "room", "from two")),
		keyed(key("three"), msgBody("three", "room", "")),
		v1Frame(9, 9, []byte("not a body")),
		v1Frame(1, 42, msgBody("one", "room", "from one")),
	}
}

// Where there are nothing but empty joins, the peer's frames go before them.
func TestResyncBesideEmptyJoins(t *testing.T) {
	t.Parallel()
	conf := secret
	conf.V2Joins = bridge.JoinsLive
	h := open(t, conf)
	frames := peerFrames()
	bob, carol := h.v1Joins("bob", "room", ""), h.v2Joins("carol", "room")
	carol.gets(notice("bob", "room"))
	bob.gets(carol.onV1(""))
	peer := h.v1()
	h.joins("v1", func() { peer.sends(v1Frame(0, 0, resyncBody(frames...))) })
	peer.gets(bob.frame(""), carol.onV1(""))
	bob.gets(frames...)
	carol.gets(notice("one", "room"), blob("from two"), notice("three", "room"), blob("from one"))

	dora := h.v1Joins("dora", "room", "")
	dora.gets(frames...)
	dora.gets(bob.frame(""), carol.onV1(""))
	bob.gets(dora.frame(""))
}

// Where something has been said, only the first frame is stored; those present
// get them all.
func TestResyncBesideMessages(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	frames := peerFrames()
	alice := h.v1Joins("alice", "room", "")
	bob := h.v2Joins("bob", "room")
	bob.gets(notice("alice", "room"))
	bob.says(text("here"))
	alice.gets(bob.onV1(""), bob.onV1("here"))
	peer := h.v1()
	h.joins("v1", func() { peer.sends(v1Frame(0, 0, resyncBody(frames...))) })
	alice.gets(frames...)
	bob.gets(blob("from two"), blob("from one"))
	dora := h.v1Joins("dora", "room", "")
	dora.gets(alice.frame(""), bob.onV1(""), bob.onV1("here"), frames[0])
	alice.gets(dora.frame(""))
	alice.says("end")
	dora.gets(alice.frame("end"))
}

// What a returning peer remembers and what has been said here, too, is not said again to those
// present: after a restart the gateway has its history, and so has each of its peers. Of what
// has been said twice there and once here, the second comes.
func TestResyncOfWhatIsKnown(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	frames := peerFrames()
	one := h.v1()
	h.joins("v1", func() { one.sends(v1Frame(0, 0, resyncBody(frames...))) })
	one.leaves()
	alice := h.v1Joins("alice", "room", "")
	alice.gets(frames...)
	said := msgBody("two", "room", "from two")
	again := append(frames[:len(frames):len(frames)], keyed(v1Key("swordfish", "two", "room"), said))
	peer := h.v1()
	h.joins("v1", func() { peer.sends(v1Frame(0, 0, resyncBody(again...))) })
	alice.gets(frames[0], again[len(frames)])
	dora := h.v1Joins("dora", "room", "")
	alice.gets(dora.frame(""))
}

// The first contained frame may bring a message.
func TestResyncJoinsWithMessage(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	first := keyed(v1Key("swordfish", "one", "room"), msgBody("one", "room", "hello"))
	peer := h.v1()
	h.joins("v1", func() { peer.sends(v1Frame(0, 0, resyncBody(first))) })
	carol := h.v2Joins("carol", "room")
	carol.gets(notice("one", "room"), blob("hello"))
}

// A ResyncMsg later is one frame like any other that does not decode.
func TestResyncLater(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	alice, bob, carol := h.v1Joins("alice", "room", ""), h.v1Joins("bob", "room", ""), h.v2Joins("carol", "room")
	alice.gets(bob.frame(""), carol.onV1(""))
	bob.gets(alice.frame(""), carol.onV1(""))
	for _, frames := range [][][]byte{peerFrames(), nil} {
		bob.gets(alice.sends(v1Frame(1, 2, resyncBody(frames...))))
	}
	alice.says("end")
	carol.gets(notice("alice", "room"), notice("bob", "room"), blob("end"))
}

// What is faulty closes the connection, and nothing of it reaches anybody.
func TestResyncRefused(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	bob := h.v1Joins("bob", "room", "")
	good := peerFrames()
	edit := func(f []byte, at int, b byte) []byte {
		f = append([]byte(nil), f...)
		f[at] = b
		return f
	}
	wrongKey := keyed(v1Key("sword", "one", "room"), msgBody("one", "room", ""))
	key := v1Key("swordfish", "one", "room") // of the outer header, which does not help
	for name, body := range map[string][]byte{
		"empty list":          resyncBody(),
		"no bytes":            resyncBody(nil),
		"shorter than header": resyncBody(good[0][:15]),
		"header only":         resyncBody(good[0][:16]),
		"second short":        resyncBody(good[0], good[1][:3]),
		"second cut":          resyncBody(good[0], good[1][:len(good[1])-1]),
		"second too long":     resyncBody(good[0], append(good[1][:len(good[1]):len(good[1])], 0)),
		"two in one":          resyncBody(good[0], append(good[1][:len(good[1]):len(good[1])], good[2]...)),
		"no M":                resyncBody(edit(good[0], 0, 'm')),
		"length 0":            resyncBody(edit(edit(good[0], 3, 0), 2, 0)),
		"wrong key":           resyncBody(wrongKey),
		"not a body":          resyncBody(v1Frame(uint32(key), key, []byte("x"))),
		"resync in resync":    resyncBody(v1Frame(uint32(key), key, resyncBody(good...))),
		"truncated":           resyncBody(good...)[:100],
		"bytes behind":        append(resyncBody(good...), 0),
	} {
		before := len(h.log.lines("refused"))
		peer := h.v1()
		peer.sends(keyed(key, body))
		peer.ends()
		if n := len(h.log.lines("refused")) - before; n != 1 {
			t.Errorf("%s: %d lines in the log", name, n)
		}
	}
	carol := h.v1Joins("carol", "room", "")
	bob.gets(carol.frame(""))
	carol.gets(bob.frame(""))
	if got := h.refusals("bad resync"); got < 10 {
		t.Errorf("refusals: %v", h.Stats().Refusals)
	}
}
