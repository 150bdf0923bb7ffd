package bridge_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"mles/bridge"
)

// The channels that each side may join, and only those: alice on v1 and bob on v2
// meet where both may be.
func TestChannelsOfEachSide(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{
		V1Channels: []string{"iot/**", "hall"},
		V2Channels: []string{"h*", "频道/?"},
	})
	alice, bob := h.v1Joins("alice", "hall", ""), h.v2Joins("bob", "hall")
	bob.gets(notice("alice", "hall"))
	alice.gets(bob.onV1(""))
	alice.says("hi")
	bob.gets(blob("hi"))

	for _, channel := range []string{"iot", "iot/kitchen", "iot/kitchen/lamp 1"} {
		h.v1Joins("alice", channel, "")
	}
	for _, channel := range []string{"hallway", "iota", "频道/一"} {
		c := h.v1()
		c.join("alice", channel, "let me in")
		c.ends()
	}
	for _, channel := range []string{"h", "hallway", "频道/一"} {
		h.v2Joins("bob", channel)
	}
	for _, channel := range []string{"h/a", "iot", "Hall", "频道/一二"} {
		c := h.v2()
		c.join("bob", channel)
		c.closed(1008, "channel not allowed")
	}
	if n := h.refusals("channel not allowed"); n != 7 {
		t.Errorf("%d refusals were counted", n)
	}
	if st := h.Stats(); st.Channels != 7 {
		t.Errorf("there are %d channels: those that nobody may join should leave no trace", st.Channels)
	}
}

// Who has the wrong key is not told which channels there are.
func TestKeyBeforeChannel(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V2Keys: []string{"swordfish"}, V2Channels: []string{"hall"}})
	c := h.v2()
	c.sends(final(opText, `{"uid":"mallory","channel":"vault"}`))
	c.closed(1008, "wrong auth")
}

// ** is every name there can be, and a name without special characters is itself.
func TestGlobsOnAnyName(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		for pattern, want := range map[string]bool{
			"**":                true,
			"*":                 !strings.Contains(name, "/"),
			escaped(name):       true,
			escaped(name) + "x": false,
		} {
			if name == "" && pattern == "" {
				continue
			}
			if err := bridge.CheckGlob(pattern); err != nil {
				t.Fatal(err)
			}
			if bridge.Fits(pattern, name) != want {
				t.Fatalf("%q on %q: want %t", pattern, name, want)
			}
		}
	})
}

// escaped is a pattern for a name alone.
func escaped(name string) string {
	var b strings.Builder
	for _, r := range name {
		if r < 0x80 && r != '/' {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Patterns that cannot mean anything, or would mean something else than they seem to, are told.
func TestFaultyGlobs(t *testing.T) {
	t.Parallel()
	for pattern, why := range map[string]string{
		"":       "empty",
		"[a":     "no pattern",
		"{a,b":   "no pattern",
		`a\`:     "no pattern",
		"iot**":  "only between slashes",
		"a/**b":  "only between slashes",
		"**/**x": "only between slashes",
	} {
		_, err := bridge.New(bridge.Config{V1Channels: []string{"hall", pattern}})
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want something about %q", pattern, err, why)
		}
		if _, err := bridge.New(bridge.Config{V2Channels: []string{pattern}}); err == nil {
			t.Errorf("%q is good for v2", pattern)
		}
	}
	for _, pattern := range []string{"a*", "**", "a/**", "**/a", "a/**/b", `a\**`, "[*][*]", "{a,b/**}"} {
		if err := bridge.CheckGlob(pattern); err != nil {
			t.Error(err)
		}
	}
}

// v1 over WebSocket counts as v1: the frame that would join a channel that v1 may not
// closes it.
func TestChannelsOfV1WebSockets(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(bridge.Config{V1Channels: []string{"hall", "iot/*"}}))
	c := h.v1wsJoins("alice", "hall", "")
	c.enters("iot/lamp", "")
	c.saysOn("vault", "let me in")
	c.closed(1008, "channel not allowed")
	c = h.v1ws()
	c.uid = "alice"
	c.saysOn("vault", "and now?")
	c.closed(1008, "channel not allowed")
}
