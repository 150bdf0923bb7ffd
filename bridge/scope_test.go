package bridge_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
)

// fleet has a master key, one of lamps, which speak v1, and one of panels, which speak
// both, and whose file names them twice.
func fleet() bridge.Config {
	keys := []string{"lamp", "master", "panel", "panel"}
	scopes := []bridge.Scope{
		{Channels: []string{"iot/*"}, Dialects: []string{"v1"}}, {},
		{Channels: []string{"hall"}}, {Channels: []string{"iot/panel"}, Dialects: []string{"v2"}},
	}
	return bridge.Config{
		V1Keys: keys, V1KeyScopes: scopes, V1KeyLines: []int{2, 3, 5, 6},
		V2Keys: keys, V2KeyScopes: scopes, V2KeyLines: []int{2, 3, 5, 6},
	}
}

// entersV1 joins with a key of its own, which is let in or not.
func (h *house) entersV1(key, uid, channel string) bool {
	h.Helper()
	c := h.v1()
	c.uid, c.channel, c.key = uid, channel, v1Key(key, uid, channel)
	return h.admits("v1", func() { c.says("") })
}

// entersV2 does the same on v2.
func (h *house) entersV2(key, uid, channel string) bool {
	h.Helper()
	c := h.v2()
	return h.admits("v2", func() {
		c.sends(final(opText, fmt.Sprintf(`{"uid":"%s","channel":"%s","auth":"%s"}`, uid, channel, v2Auth(uid, channel, key))))
	})
}

// admits says whether somebody who comes by f joins, or is refused.
func (h *house) admits(dialect string, f func()) (in bool) {
	h.Helper()
	refused := func(st bridge.Stats) (n int64) {
		for _, count := range st.Refusals {
			n += count
		}
		return n
	}
	before := h.Stats()
	f()
	h.until("an answer to somebody on "+dialect, func() bool {
		st := h.Stats()
		in = st.Joins[dialect] > before.Joins[dialect]
		return in || refused(st) > refused(before)
	})
	return in
}

// Each key opens what its lines say, together, and nothing else.
func TestScopesOfKeys(t *testing.T) {
	t.Parallel()
	h := open(t, fleet())
	n := 0
	for key, opens := range map[string]string{
		"master": "v1 hall, v1 iot/lamp, v1 iot/panel, v1 vault, v2 hall, v2 iot/lamp, v2 iot/panel, v2 vault",
		"lamp":   "v1 iot/lamp, v1 iot/panel",
		"panel":  "v1 hall, v2 hall, v2 iot/panel",
		"other":  "",
	} {
		var opened []string
		for dialect, enters := range map[string]func(key, uid, channel string) bool{"v1": h.entersV1, "v2": h.entersV2} {
			for _, channel := range []string{"hall", "iot/lamp", "iot/panel", "vault"} {
				n++
				if enters(key, fmt.Sprint("member", n), channel) {
					opened = append(opened, dialect+" "+channel)
				}
			}
		}
		slices.Sort(opened)
		if got := strings.Join(opened, ", "); got != opens {
			t.Errorf("%s opens %q, want %q", key, got, opens)
		}
	}
	want := map[string]int64{
		"key does not open channel": 2 + 3 + 2, "key does not open dialect": 4,
		"wrong key": 4, "wrong auth": 4,
	}
	if got := h.Stats().Refusals; !maps.Equal(got, want) {
		t.Errorf("refused: %v, want %v", got, want)
	}
	lines := make(map[string]int)
	for m := range h.MembersOf("iot/panel") {
		lines[fmt.Sprint(m.Dialect, " ", m.Key.Line())]++
	}
	if want := map[string]int{"v1 2": 1, "v1 3": 1, "v2 3": 1, "v2 6": 1}; !maps.Equal(lines, want) {
		t.Errorf("lines of keys: %v, want %v", lines, want)
	}
}

// Whose key opens something else is told what a wrong key would be told, and only the log
// says which line of the file it was.
func TestOutOfScopeIsAWrongKey(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, fleet())
			mallory := h.v1()
			mallory.sends(keyed(v1Key("lamp", "mallory", "vault"), msgBody("mallory", "vault", "open")))
			mallory.ends()
			maud := h.v2()
			maud.sends(final(opText, fmt.Sprintf(`{"uid":"maud","channel":"vault","auth":"%s"}`, v2Auth("maud", "vault", "panel"))))
			maud.closed(1008, "wrong auth")
			mona := h.v2()
			mona.sends(final(opText, fmt.Sprintf(`{"uid":"mona","channel":"iot/lamp","auth":"%s"}`, v2Auth("mona", "iot/lamp", "lamp"))))
			mona.closed(1008, "wrong auth")
			for _, words := range [][]string{
				{"key does not open channel", "line 2", "mallory", "vault"},
				{"key does not open channel", "line 5", "maud", "vault"},
				{"key does not open dialect", "line 2", "mona", "iot/lamp"},
			} {
				if len(h.log.lines(words...)) != 1 {
					t.Errorf("no line of the log has %q", words)
				}
			}
			if st := h.Stats(); st.Channels != 0 {
				t.Errorf("%d channels: those that nobody was let into should leave no trace", st.Channels)
			}
		})
	}
}

// A peer joins by the first frame that it brings, whatever the outer header shows; what else
// it brings goes to that channel and no other, and so does all that names another later.
func TestScopeOfAPeer(t *testing.T) {
	t.Parallel()
	h := open(t, fleet())
	guard := h.v2()
	h.joins("v2", func() {
		guard.sends(final(opText, fmt.Sprintf(`{"uid":"guard","channel":"vault","auth":"%s"}`, v2Auth("guard", "vault", "master"))))
	})
	inner := func(key, channel, message string) []byte {
		return keyed(v1Key(key, "lamp", channel), msgBody("lamp", channel, message))
	}
	outer := v1Key("master", "lamp", "vault")
	peer := h.v1()
	peer.sends(keyed(outer, resyncBody(inner("lamp", "vault", ""), inner("lamp", "vault", "open"))))
	peer.ends()
	if n := h.refusals("key does not open channel"); n != 1 {
		t.Errorf("%d refusals were counted", n)
	}

	lamp := h.v1()
	h.joins("v1", func() {
		lamp.sends(keyed(v1Key("lamp", "lamp", "iot/lamp"), resyncBody(inner("lamp", "iot/lamp", ""), inner("lamp", "vault", "open"))))
	})
	lamp.sends(inner("lamp", "vault", "open, I say"))
	h.until("that has been read", func() bool { return h.Stats().MessagesIn["v1"] == 1 })
	wendy := h.v2()
	wendy.sends(final(opText, fmt.Sprintf(`{"uid":"wendy","channel":"vault","auth":"%s"}`, v2Auth("wendy", "vault", "master"))))
	wendy.gets(notice("guard", "vault")) // and nothing that lamp has said
	wendy.says(text("quiet here"))
	guard.gets(text("quiet here"))
}

// The scope of a key changes: those it no longer covers are closed as with a wrong key.
func TestChangeScopes(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"k"}})
	alice, bob := h.v1Joins("alice", "hall", ""), h.v2Joins("bob", "hall")
	alice.gets(bob.onV1(""))
	lamp, lamp2 := h.v1Joins("lamp", "iot/lamp", ""), h.v2Joins("lamp", "iot/lamp")
	lamp.gets(lamp2.onV1(""))

	only := func(s bridge.Scope) bridge.Config {
		return bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"k"}, V1KeyScopes: []bridge.Scope{s}, V2KeyScopes: []bridge.Scope{s}}
	}
	got := h.reconfigures(only(bridge.Scope{Channels: []string{"iot/*"}}))
	if want := (bridge.Changes{
		Applied: []string{"V1KeyScopes", "V2KeyScopes"},
		Closed:  map[string]int{"key does not open channel": 2},
	}); !cmp.Equal(got, want) {
		t.Errorf("changes: %s", cmp.Diff(want, got))
	}
	alice.ends()
	if f := bob.lastFrame(); f != closing(1008, "wrong auth") {
		t.Errorf("bob's last frame is %v", f)
	}
	got = h.reconfigures(only(bridge.Scope{Dialects: []string{"v1"}}))
	if want := map[string]int{"key does not open dialect": 1}; !maps.Equal(got.Closed, want) {
		t.Errorf("closed: %v, want %v", got.Closed, want)
	}
	if f := lamp2.lastFrame(); f != closing(1008, "wrong auth") {
		t.Errorf("the last frame is %v", f)
	}
	h.members(1)
	if h.entersV2("k", "bob", "hall") || h.hello(`"uid":"u","channel":"hall"`) {
		t.Error("v2 has a key, which does not hold there: nobody may join")
	}
	h.reconfigures(bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"k"}})
	h.v2Joins("bob", "hall")
}

// keysOfLeavers is a witness who asks by which key those came who leave.
type keysOfLeavers chan string

func (keysOfLeavers) Joined(bridge.Visit)   {}
func (k keysOfLeavers) Left(v bridge.Visit) { k <- fmt.Sprintf("%s %v %d", v.UID, v.Key, v.Key.Line()) }

// Who is closed because of a key is remembered with it.
func TestRevokedMembersAreKnownByTheirKey(t *testing.T) {
	t.Parallel()
	left := make(keysOfLeavers, 2)
	conf := bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"k"}, V1KeyLines: []int{7}, V2KeyLines: []int{7}, Witness: left}
	h := open(t, conf)
	h.v1Joins("alice", "hall", "")
	bob := h.v2Joins("bob", "hall")
	conf.V1KeyScopes, conf.V2KeyScopes = []bridge.Scope{{Channels: []string{"iot"}}}, []bridge.Scope{{Channels: []string{"iot"}}}
	h.reconfigures(conf)
	bob.lastFrame()
	bob.nc.Close()
	got := []string{<-left, <-left}
	slices.Sort(got)
	if want := []string{"alice shared 7", "bob shared 7"}; !slices.Equal(got, want) {
		t.Errorf("who left is told as %q, want %q", got, want)
	}
}

// The headers made for v2 members have the first key that opens the channel.
func TestHeaderKeyOpensTheChannel(t *testing.T) {
	t.Parallel()
	h := open(t, fleet())
	for channel, key := range map[string]string{"iot/lamp": "lamp", "hall": "master"} {
		listener, bob := h.v1(), h.v2()
		h.joins("v1", func() {
			listener.sends(keyed(v1Key("master", "listener", channel), msgBody("listener", channel, "")))
		})
		h.joins("v2", func() {
			bob.sends(final(opText, fmt.Sprintf(`{"uid":"bob","channel":"%s","auth":"%s"}`, channel, v2Auth("bob", channel, "master"))))
		})
		listener.gets(keyed(v1Key(key, "bob", channel), msgBody("bob", channel, "")))
	}
}

// A scope is this gateway's own: upstream it shows a key without one, and a client with a
// key that has one is announced there by that.
func TestScopesStayHere(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(fleet()))
		if !h.entersV1("lamp", "lamp", "iot/lamp") {
			t.Fatal("lamp is not let in")
		}
		r.accepts().gets(keyed(v1Key("master", "lamp", "iot/lamp"), msgBody("lamp", "iot/lamp", "")))
		if !h.entersV1("master", "alice", "hall") {
			t.Fatal("alice is not let in")
		}
		r.accepts().gets(keyed(v1Key("master", "alice", "hall"), msgBody("alice", "hall", "")))
		time.Sleep(time.Minute)
	})
}

// Addresses and WebSockets of v1 know no key, and so no scope.
func TestScopesBesideOtherWaysIn(t *testing.T) {
	t.Parallel()
	conf := withWS(fleet())
	conf.V1AddressKeys = true
	h := open(t, conf)
	device := h.v1()
	device.uid = "device"
	if !h.admits("v1", func() {
		device.sends(keyed(v1Key(dotted(device.nc.LocalAddr()), "device", "vault"), msgBody("device", "vault", "")))
	}) {
		t.Error("the address is no key")
	}
	h.v1wsJoins("wendy", "vault", "")
}

// Faulty scopes are named.
func TestFaultyScopes(t *testing.T) {
	t.Parallel()
	for want, scope := range map[string]bridge.Scope{
		`knows no key`:   {Dialects: []string{"v1ws"}},
		`want v1 or v2`:  {Dialects: []string{"v1", "V2"}},
		`is no pattern`:  {Channels: []string{"hall", "[a"}},
		`names no`:       {Channels: []string{""}},
		"as many scopes": {},
	} {
		conf := bridge.Config{V1Keys: []string{"k"}, V1KeyScopes: []bridge.Scope{scope}}
		if want == "as many scopes" {
			conf.V1Keys = append(conf.V1Keys, "l")
		}
		if err := conf.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want something about %q", scope, err, want)
		}
	}
}
