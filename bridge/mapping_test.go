package bridge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"mles/bridge"
)

// Every row of protocol.md, "Between the dialects", in all three modes: to bob
// (v1) and carol (v2), who are there, and to dave and erin, who join later.
func TestTable(t *testing.T) {
	t.Parallel()
	for mode, sees := range map[bridge.JoinMode]struct{ live, history bool }{
		bridge.JoinsHistory: {false, true},
		bridge.JoinsLive:    {true, true},
		bridge.JoinsOff:     {false, false},
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			conf := secret
			conf.V2Joins = mode
			h := open(t, conf)
			var onV1 [][]byte
			var onV2 []wsFrame
			bob := h.v1Joins("bob", "room", "")
			carol := h.v2Joins("carol", "room")
			// happens notes an event, and has bob and carol read it.
			happens := func(frame []byte, arrived string, said ...wsFrame) {
				t.Helper()
				bob.gets(frame)
				onV1 = append(onV1, frame)
				if arrived != "" && sees.history {
					onV2 = append(onV2, notice(arrived, "room"))
				}
				onV2 = append(onV2, said...)
				if arrived != "" && sees.live {
					carol.gets(notice(arrived, "room"))
				}
				carol.gets(said...)
			}
			if sees.history {
				carol.gets(notice("bob", "room"))
				onV2 = append(onV2, notice("bob", "room"), notice("carol", "room"))
			}
			bob.gets(carol.onV1(""))
			onV1 = append(onV1, bob.frame(""), carol.onV1(""))

			alice := h.v1Joins("alice", "room", "")
			happens(alice.frame(""), "alice")
			dan := h.v1Joins("dän", "room", "I am \x00\xff\n")
			happens(dan.frame("I am \x00\xff\n"), "dän", blob("I am \x00\xff\n"))
			happens(alice.says("one"), "", blob("one"))

			// A peer forwards the joins of its own clients, and what they say.
			happens(alice.sends(keyed(77, msgBody("behind", "room", ""))), "behind")
			happens(alice.sends(v1Frame(1, 2, msgBody("behind", "room", "from behind"))), "", blob("from behind"))
			happens(alice.sends(v1Frame(3, 4, msgBody("lost", "elsewhere", ""))), "lost")
			happens(alice.sends(v1Frame(5, 6, msgBody("lost", "elsewhere", "where?"))), "", blob("where?"))
			happens(alice.sends(v1Frame(7, 8, []byte("not a body"))), "")
			happens(alice.sends(v1Frame(7, 8, []byte{0})), "")
			happens(alice.sends(keyed(9, []byte("\x83\x61u\x64room\x63hi!"))), "", blob("hi!"))

			erin := h.v2Joins("ërin", "room")
			happens(erin.onV1(""), "ërin")
			for _, f := range []wsFrame{text("täxt"), blob("bin\x00\xff"), text(""), blob(""), text(`{"uid":"x","channel":"room"}`)} {
				erin.says(f)
				happens(erin.onV1(f.data), "", f)
			}

			// In the history stands the same, but for the empty joins that a later
			// one has replaced; there are none here.
			late := h.v1Joins("late", "room", "")
			late.gets(onV1...)
			bob.gets(late.frame(""))
			later := h.v2Joins("later", "room")
			later.gets(onV2...)
			if sees.history {
				later.gets(notice("late", "room"))
			}
			// Nobody was sent more than that.
			if sees.live {
				carol.gets(notice("late", "room"), notice("later", "room"))
			}
			bob.gets(later.onV1(""))
			late.gets(later.onV1(""))
			bob.says("end")
			for _, c := range []*v2client{carol, later} {
				c.gets(blob("end"))
			}
			late.gets(bob.frame("end"))
			if n := h.Stats().Untranslatable; n != 2 {
				t.Errorf("%d frames counted as not translatable, want 2", n)
			}
		})
	}
}

// Never back to the sender, live: alice and erin each hear only the other.
func TestNoEcho(t *testing.T) {
	t.Parallel()
	conf := secret
	conf.V2Joins = bridge.JoinsLive
	h := open(t, conf)
	alice := h.v1Joins("alice", "room", "")
	erin := h.v2Joins("erin", "room")
	erin.gets(notice("alice", "room"))
	alice.gets(erin.onV1(""))
	for i := range 5 {
		n := fmt.Sprint(i)
		alice.says("a" + n)
		erin.gets(blob("a" + n))
		erin.says(blob("e" + n))
		alice.gets(erin.onV1("e" + n))
	}
	// From the history they get their own too.
	alice.leaves()
	alice = h.v1Joins("alice", "room", "")
	alice.gets(alice.frame(""), erin.onV1(""), alice.frame("a0"), erin.onV1("e0"), alice.frame("a1"))
	erin.gets(notice("alice", "room"))
	erin.leaves()
	erin = h.v2Joins("erin", "room")
	erin.gets(notice("erin", "room"), blob("a0"), blob("e0"))
}

// Names that JSON must escape come through; a notice has two members and no auth.
func TestNamesInNotices(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V2Joins: bridge.JoinsLive})
	for i, name := range []string{`q"uo\te`, "nul\x00tab\tline\n", "<&>", "é频道🎈", "\u2028\u2029\x7f", strings.Repeat("ä", 512)} {
		channel := fmt.Sprint(i) + name
		if i == 5 {
			channel = name
		}
		hello, _ := json.Marshal(map[string]string{"uid": "viewer", "channel": channel})
		viewer := h.v2()
		h.joins("v2", func() { viewer.sends(final(opText, string(hello))) })
		h.v1Joins(name, channel, "")
		hello, _ = json.Marshal(map[string]any{"uid": name + "2"[:min(1, 1024-len(name))], "channel": channel, "auth": nil})
		second := h.v2()
		h.joins("v2", func() { second.sends(final(opText, string(hello))) })
		for _, uid := range []string{name, name + "2"[:min(1, 1024-len(name))]} {
			f, err := readWSFrame(viewer.r)
			var got map[string]any
			if err != nil || f.op != opText || json.Unmarshal([]byte(f.data), &got) != nil {
				t.Fatalf("%q: %v, %v", name, f, err)
			}
			if len(got) != 2 || got["uid"] != uid || got["channel"] != channel {
				t.Errorf("notice is %v, want uid %q and channel %q only", got, uid, channel)
			}
		}
	}
}

// A v1 name may be empty, as the reference lets it.
func TestEmptyNames(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	nameless := h.v1Joins("", "room", "")
	bob := h.v1Joins("bob", "", "")
	carol := h.v2Joins("carol", "room")
	carol.gets(notice("", "room"))
	nameless.gets(carol.onV1(""))
	nameless.says("boo")
	carol.gets(blob("boo"))
	dora := h.v1Joins("dora", "", "hi")
	bob.gets(dora.frame("hi"))
	dora.gets(bob.frame(""))
}

// The header made for a v2 member carries the key of a v1 client in its place.
func TestHeaderMade(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		conf  bridge.Config
		parts []string
	}{
		"shared":          {bridge.Config{V1Keys: []string{"first", "second"}, AddrKey: "x"}, []string{"first"}},
		"v2 key is other": {bridge.Config{V1Keys: []string{"one"}, V2Keys: []string{"two"}, V1AddressKeys: true}, []string{"one"}},
		"address":         {bridge.Config{V2Keys: []string{"two"}}, []string{"ADDR"}},
		"address key":     {bridge.Config{AddrKey: "ak"}, []string{"ADDR", "ak"}},
	} {
		for addr, spelled := range map[string]string{
			"203.0.113.7:4711":          "203.0.113.7:4711",
			"[::ffff:203.0.113.7]:4711": "203.0.113.7:4711",
			"[2001:db8::a:0:b]:65535":   "[2001:db8:0:0:0:a:0:b]:65535",
			"[fe80::1%eth0]:80":         "[fe80:0:0:0:0:0:0:1]:80",
		} {
			t.Run(name+" "+addr, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					h := openPipes(t, c.conf)
					one, two := newPipeListener(), newPipeListener()
					h.serve(func() error { return h.ServeV1(one) })
					h.serve(func() error { return h.ServeV2(two) })
					carol := h.v2On(two.dialFrom(addr))
					h.joins("v2", func() { carol.join("cärol", "röom") })

					parts := append([]string(nil), c.parts...)
					if parts[0] == "ADDR" {
						parts[0] = spelled
					}
					made := func(message string) []byte {
						return keyed(v1Key(append(parts, "cärol", "röom")...), msgBody("cärol", "röom", message))
					}
					alice := h.v1On(one.dialFrom(addr))
					alice.uid, alice.channel, alice.key = "alice", "röom", v1Key(append(parts, "alice", "röom")...)
					h.joins("v1", func() { alice.says("") })
					alice.gets(made(""))
					go carol.nc.Write(final(opText, "hello")) // a pipe holds nothing
					alice.gets(made("hello"))
				})
			})
		}
	}
}
