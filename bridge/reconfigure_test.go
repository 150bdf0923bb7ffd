package bridge_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
)

// reconfigures changes the configuration, by which clients go from now on.
func (h *house) reconfigures(conf bridge.Config) bridge.Changes {
	h.Helper()
	changes, err := h.Reconfigure(conf)
	if err != nil {
		h.Fatal(err)
	}
	h.conf = conf
	return changes
}

// A key is rotated: with both accepted everybody stays; when the old one goes, those who
// came in by it are closed, on v1 and on v2, and nobody else is.
func TestRotateKeys(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			keys := func(k ...string) bridge.Config { return bridge.Config{V1Keys: k, V2Keys: k} }
			h := open(t, keys("old"))
			alice, bob := h.v1Joins("alice", "hall", ""), h.v2Joins("bob", "hall")
			alice.gets(bob.onV1(""))

			got := h.reconfigures(keys("new", "old"))
			if want := []string{"V1Keys", "V2Keys"}; !slices.Equal(got.Applied, want) || len(got.Closed) > 0 {
				t.Errorf("changes: %+v", got)
			}
			carol, dave := h.v1Joins("carol", "hall", ""), h.v2Joins("dave", "hall")
			alice.gets(carol.frame(""), dave.onV1(""))
			carol.gets(keyed(alice.key, msgBody("alice", "hall", "")), keyed(v1Key("old", "bob", "hall"), msgBody("bob", "hall", "")), dave.onV1(""))
			bob.says(text("still here"))
			old := func(message string) []byte {
				return keyed(v1Key("old", "bob", "hall"), msgBody("bob", "hall", message))
			}
			alice.gets(old("still here"))
			carol.gets(old("still here"))

			got = h.reconfigures(keys("new"))
			if want := map[string]int{"wrong key": 1, "wrong auth": 1}; !maps.Equal(got.Closed, want) {
				t.Errorf("closed: %v, want %v", got.Closed, want)
			}
			alice.ends()
			if f := bob.lastFrame(); f != closing(1008, "wrong auth") {
				t.Errorf("bob's last frame is %v", f)
			}
			h.members(2)
			carol.says("the two of us")
			dave.gets(notice("alice", "hall"), notice("bob", "hall"), notice("carol", "hall"), text("still here"), blob("the two of us"))
			if st := h.Stats(); !maps.Equal(st.Revoked, map[string]int64{"wrong key": 1, "wrong auth": 1}) {
				t.Errorf("counted: %v", st.Revoked)
			}
			if lines := h.log.lines("no longer allowed"); len(lines) != 2 || strings.Contains(strings.Join(lines, ""), "old") {
				t.Errorf("log: %q", lines)
			}
		})
	}
}

// Channels are taken from a side: members there are closed, members elsewhere are not, and the
// history stays for the other side, and for when they come back.
func TestTakeChannels(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	alice, bob := h.v1Joins("alice", "hall", "hello"), h.v2Joins("bob", "hall")
	bob.gets(notice("alice", "hall"), blob("hello"))
	alice.gets(bob.onV1(""))
	lamp := h.v1Joins("lamp", "iot/lamp", "")

	got := h.reconfigures(bridge.Config{V1Channels: []string{"iot/*"}})
	if !maps.Equal(got.Closed, map[string]int{"channel not allowed": 1}) {
		t.Errorf("closed: %v", got.Closed)
	}
	alice.ends()
	h.members(2)
	lamp.says("on")
	h.v2Joins("carol", "iot/lamp").gets(notice("lamp", "iot/lamp"), blob("on"))

	h.reconfigures(bridge.Config{V2Channels: []string{"iot/*"}})
	bob.closed(1008, "channel not allowed")
	h.members(2)
	h.v1Joins("alice", "hall", "").gets(alice.frame("hello"), bob.onV1(""))
}

// v1 becomes read-only, and is let speak again, without anybody being closed.
func TestSwitchReadOnly(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	alice, bob := h.v1Joins("alice", "hall", ""), h.v2Joins("bob", "hall")
	bob.gets(notice("alice", "hall"))
	alice.gets(bob.onV1(""))
	h.reconfigures(bridge.Config{V1ReadOnly: true})
	alice.says("unheard")
	h.until("it is dropped", func() bool { return h.Stats().ReadOnly == 1 })
	h.reconfigures(bridge.Config{})
	alice.says("heard")
	bob.gets(blob("heard"))
	bob.says(text("yes"))
	alice.gets(bob.onV1("yes"))
}

// The history becomes shorter and longer at once, in channels that nobody is in, too.
func TestChangeHistoryLimit(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{HistoryLimit: 10})
	alice := h.v1Joins("alice", "hall", "1")
	for i := 2; i <= 6; i++ {
		alice.says(fmt.Sprint(i))
	}
	erin := h.v2Joins("erin", "hall")
	erin.gets(notice("alice", "hall"), blob("1"), blob("2"), blob("3"), blob("4"), blob("5"), blob("6"))
	erin.leaves()
	alice.leaves()
	h.reconfigures(bridge.Config{HistoryLimit: 3})
	erin = h.v2Joins("erin", "hall")
	erin.gets(blob("5"), blob("6"), notice("erin", "hall"))
	erin.leaves()
	h.reconfigures(bridge.Config{HistoryLimit: 5})
	erin = h.v2Joins("erin", "hall")
	erin.gets(blob("5"), blob("6"), notice("erin", "hall"))
	for _, s := range []string{"7", "8", "9"} {
		erin.says(text(s))
	}
	erin.leaves()
	erin = h.v2Joins("erin", "hall")
	erin.gets(blob("6"), notice("erin", "hall"), text("7"), text("8"), text("9"))
	erin.leaves()
	h.reconfigures(bridge.Config{HistoryLimit: bridge.NoHistory})
	if n := h.Stats().Channels; n != 0 {
		t.Errorf("%d channels are remembered", n)
	}
}

// What does not fit changes nothing, and is named; what cannot change is told.
func TestFaultyReconfiguration(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1Keys: []string{"swordfish"}})
	alice := h.v1Joins("alice", "hall", "")
	for want, conf := range map[string]bridge.Config{
		`"[a"`:          {V1Channels: []string{"[a"}},
		"empty shared":  {V2Keys: []string{""}},
		"history limit": {HistoryLimit: -7},
		"negative":      {MemoryLimit: -1},
	} {
		if changes, err := h.Reconfigure(conf); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %+v, %v; want something about %s", conf, changes, err, want)
		}
	}
	bob := h.v2Joins("bob", "hall")
	alice.gets(bob.onV1(""))

	conf := h.conf
	conf.V2Joins, conf.MemoryLimit = bridge.JoinsOff, 1<<30
	for range 2 { // they differ from what holds, not from what was asked for last
		got := h.reconfigures(conf)
		want := bridge.Changes{Restart: []string{"MemoryLimit", "V2Joins"}, Closed: map[string]int{}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("changes (-want +got):\n%s", d)
		}
	}
	carol := h.v2Joins("carol", "hall")
	carol.gets(notice("alice", "hall"), notice("bob", "hall"))
	if got := h.reconfigures(bridge.Config{V1Keys: []string{"swordfish"}}); len(got.Applied)+len(got.Restart)+len(got.Closed) > 0 {
		t.Errorf("going back to what holds: %+v", got)
	}
}

// Who is being let in while the configuration changes goes by the new one: bob's
// claim of a silent twin's uid was good when it began.
func TestJoinAcrossAChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"old"}})
		alice := h.v1Joins("alice", "hall", "")
		twin := h.v2Joins("bob", "hall")
		alice.gets(twin.onV1(""))
		bob := h.v2() // the gateway asks the twin, which will not answer
		bob.join("bob", "hall")
		time.Sleep(time.Second)
		h.reconfigures(bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"new"}})
		bob.closed(1008, "wrong auth")
		carol := h.v2Joins("carol", "hall")
		alice.gets(carol.onV1("")) // and nothing of bob
		if n := h.refusals("wrong auth"); n != 1 {
			t.Errorf("%d refusals", n)
		}
	})
}

// However clients come while the configuration changes, nobody is in afterwards who
// should not be.
func TestJoinsAcrossManyChanges(t *testing.T) {
	t.Parallel()
	keys := []string{"even", "odd"}
	h := open(t, bridge.Config{V1Keys: keys[:1]})
	h.v1Joins("first", "hall", "")
	var joining sync.WaitGroup
	stop := make(chan struct{})
	for i := range 8 {
		joining.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				nc := h.callV1()
				uid := fmt.Sprint(i, " ", n)
				nc.Write(keyed(v1Key(keys[n%2], uid, "hall"), msgBody(uid, "hall", "")))
				if n%4 < 2 {
					time.Sleep(time.Millisecond)
					nc.Close()
				} else {
					h.keep(nc)
				}
			}
		})
	}
	for i := range 30 {
		h.reconfigures(bridge.Config{V1Keys: keys[(i+1)%2 : (i+1)%2+1]})
		time.Sleep(2 * time.Millisecond)
	}
	close(stop)
	joining.Wait()
	h.reconfigures(bridge.Config{V1Keys: []string{"neither"}})
	h.members(0)
	if st := h.Stats(); st.Joins["v1"] == 0 || st.Revoked["wrong key"] == 0 {
		t.Errorf("nothing happened: %+v", st)
	}
}

// v1 over WebSocket is switched off, and one channel is taken from it before.
func TestTakeV1WebSockets(t *testing.T) {
	t.Parallel()
	h := open(t, withWS(bridge.Config{}))
	alice, bob := h.v1wsJoins("alice", "hall", ""), h.v1wsJoins("bob", "hall", "")
	alice.gets(body("bob", "hall", ""))
	bob.gets(body("alice", "hall", ""))
	bob.enters("attic", "")
	got := h.reconfigures(withWS(bridge.Config{V1Channels: []string{"hall"}}))
	if !maps.Equal(got.Closed, map[string]int{"channel not allowed": 1}) {
		t.Errorf("closed: %v", got.Closed)
	}
	bob.closed(1008, "channel not allowed")
	h.members(1)
	h.reconfigures(bridge.Config{})
	alice.closed(1008, "v1 is off")
	late := h.v1ws()
	late.uid = "late"
	late.saysOn("hall", "hello")
	late.closed(1008, "hello must be text")
}

// A member's key moves to another line of the file.
func TestKeyMovesToAnotherLine(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1Keys: []string{"a"}, V2Keys: []string{"a"}})
	h.v1Joins("alice", "hall", "")
	h.v2Joins("bob", "hall")
	h.reconfigures(bridge.Config{V1Keys: []string{"b", "a"}, V2Keys: []string{"b", "a"}, V2KeyLines: []int{2, 7}})
	lines := make(map[string]int)
	for m := range h.MembersOf("hall") {
		lines[m.UID] = m.Key.Line()
	}
	if want := map[string]int{"alice": 2, "bob": 7}; !maps.Equal(lines, want) {
		t.Errorf("keys stand in lines %v, want %v", lines, want)
	}
}
