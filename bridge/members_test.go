package bridge_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
)

// diary is a witness who writes down who came and went.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) Joined(v bridge.Visit) { d.note("+", v) }
func (d *diary) Left(v bridge.Visit)   { d.note("-", v) }

func (d *diary) note(sign string, v bridge.Visit) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, fmt.Sprintf("%s%s %s %s", sign, v.Dialect, v.UID, v.Channel))
}

func (d *diary) read() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// who describes the members there are, but for times and traffic.
func (h *house) who() (all []string) {
	for m := range h.Members() {
		all = append(all, fmt.Sprintf("%s %s %s key %v %d", m.Dialect, m.UID, m.Channel, m.Key, m.Key.Line()))
	}
	slices.Sort(all)
	return all
}

// Each member is seen with what let it in, whatever it speaks and over whatever.
func TestMembersAndTheirKeys(t *testing.T) {
	t.Parallel()
	for name, open := range transports {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			witness := new(diary)
			h := open(t, withWS(bridge.Config{
				V1Keys: []string{"swordfish", "old swordfish"}, V1KeyLines: []int{3, 7},
				V2Keys: []string{"swordfish", "other"}, V1AddressKeys: true, Witness: witness,
			}))
			h.v1Joins("alice", "hall", "")
			old := h.v1()
			h.joins("v1", func() { old.sends(keyed(v1Key("old swordfish", "anna", "hall"), msgBody("anna", "hall", ""))) })
			device := h.v1()
			h.joins("v1", func() {
				device.sends(keyed(v1Key(dotted(device.nc.LocalAddr()), "device", "attic"), msgBody("device", "attic", "")))
			})
			bob := h.v2Joins("bob", "hall")
			carol := h.v2()
			h.joins("v2", func() {
				carol.sends(final(opText, fmt.Sprintf(`{"uid":"carol","channel":"hall","auth":"%s"}`, v2Auth("carol", "hall", "other"))))
			})
			wendy := h.v1wsJoins("wendy", "hall", "")
			wendy.enters("attic", "")
			check := h.callV1() // somebody who says nothing, and somebody who is refused
			check.Close()
			mallory := h.v1()
			mallory.sends(keyed(1, msgBody("mallory", "hall", "")))
			mallory.ends()

			want := []string{
				"v1 alice hall key shared 3", "v1 anna hall key shared 7", "v1 device attic key address 0",
				"v1ws wendy attic key none 0", "v1ws wendy hall key none 0",
				"v2 bob hall key shared 1", "v2 carol hall key shared 2",
			}
			if diff := cmp.Diff(want, h.who()); diff != "" {
				t.Error(diff)
			}
			local := netAddr(bob.nc.LocalAddr())
			for m := range h.MembersOf("hall") {
				if m.UID == "bob" && m.Addr.String() != local {
					t.Errorf("bob is at %v, %v", m.Addr, local)
				}
				if m.Channel != "hall" || !m.Addr.IsValid() || time.Since(m.Since) > time.Minute {
					t.Errorf("%+v", m)
				}
			}
			for range h.MembersOf("cellar") {
				t.Error("somebody is in the cellar")
			}
			wendy.nc.Close()
			h.until("wendy has been seen off", func() bool { return h.Stats().V1WSMembers == 0 })
			seen := witness.read()
			slices.Sort(seen)
			if diff := cmp.Diff([]string{
				"+v1 alice hall", "+v1 anna hall", "+v1 device attic", "+v1ws wendy attic", "+v1ws wendy hall", "+v2 bob hall", "+v2 carol hall",
				"-v1ws wendy attic", "-v1ws wendy hall",
			}, seen); diff != "" {
				t.Error(diff)
			}
			c, ok := h.Channel("hall")
			if diff := cmp.Diff(map[string]int{"v1": 2, "v2": 2}, c.Members); diff != "" || !ok || c.History.Messages != 5 {
				t.Errorf("%+v: %s", c, diff)
			}
			n := 0
			for c := range h.Channels() {
				n += len(c.Members)
			}
			if n != 3 {
				t.Errorf("members of %d dialects on all channels, want 3", n)
			}
		})
	}
}

func netAddr(a net.Addr) string { return strings.Replace(a.String(), "[::ffff:", "[", 1) }

// Without any key nobody needs one; who has none to show is in by address or nothing.
func TestMembersWithoutKeys(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	h.v1Joins("alice", "hall", "")
	h.v2Joins("bob", "hall")
	if diff := cmp.Diff([]string{"v1 alice hall key address 0", "v2 bob hall key none 0"}, h.who()); diff != "" {
		t.Error(diff)
	}
}

// What alice says is counted where she says it and where bob reads it, with the time.
func TestMembersTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openPipes(t, secret)
		began := time.Now()
		alice := h.v1Joins("alice", "hall", "")
		bob := h.v2Joins("bob", "hall")
		time.Sleep(10 * time.Second)
		for range 3 {
			alice.says("hello")
		}
		bob.gets(notice("alice", "hall"), blob("hello"), blob("hello"), blob("hello"))
		synctest.Wait()
		spoke := time.Now()
		time.Sleep(10 * time.Second)
		members := make(map[string]bridge.Member)
		for m := range h.Members() {
			members[m.UID] = m
		}
		a, b := members["alice"], members["bob"]
		size := int64(len(alice.frame("hello")))
		if a.In != (bridge.Traffic{Messages: 3, Bytes: 3 * size}) || !a.LastMessage.After(began) || a.LastMessage.After(spoke) {
			t.Errorf("alice has said hello three times: %+v", a)
		}
		if b.Out.Messages != 4 || b.Out.Bytes <= 3*int64(len("hello")) || b.Lag != 0 || b.In.Messages != 0 || !b.LastMessage.IsZero() {
			t.Errorf("bob has read that, and that alice is there: %+v", b)
		}
		if a.Lag == 0 || a.Out.Messages > 1 {
			t.Errorf("alice has not read of bob's arrival: %+v", a)
		}
		if a.Since.Sub(began) > time.Second {
			t.Errorf("alice came at %v", a.Since)
		}
		bob.nc.Close()
		alice.nc.Close()
	})
}

// Behind the mask, a channel is told by both its names.
func TestMembersMasked(t *testing.T) {
	t.Parallel()
	h := open(t, maskOnly())
	d := disguiseOf(t, "room")
	h.v1wsJoins("wendy", "room", "")
	for m := range h.Members() {
		if m.UID != "wendy" || m.Called != "room" || m.Channel != d.Masked() || m.Dialect != "v1ws" {
			t.Errorf("%+v", m)
		}
	}
	if len(h.who()) != 1 {
		t.Errorf("%q", h.who())
	}
}
