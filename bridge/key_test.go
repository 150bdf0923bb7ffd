package bridge_test

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"

	"mles/bridge"
)

// knock says whether a first frame with that key is let in.
func (h *house) knock(nc net.Conn, key uint64, uid, channel string) bool {
	h.Helper()
	c := h.v1On(nc)
	before := h.Stats()
	c.sends(keyed(key, msgBody(uid, channel, "")))
	wrong := func() int64 { return h.refusals("wrong key") - before.Refusals["wrong key"] }
	h.until("an answer to a key", func() bool { return h.Stats().Joins["v1"] > before.Joins["v1"] || wrong() > 0 })
	if wrong() > 0 {
		c.ends()
		return false
	}
	c.leaves()
	return true
}

// hello says whether a hello with those members is let in.
func (h *house) hello(members string) bool {
	h.Helper()
	c := h.v2()
	before := h.Stats()
	c.sends(final(opText, "{"+members+"}"))
	refused := func() bool {
		st := h.Stats()
		return st.Refusals["wrong auth"] > before.Refusals["wrong auth"] || st.Refusals["hello refused"] > before.Refusals["hello refused"]
	}
	h.until("an answer to a hello", func() bool { return h.Stats().Joins["v2"] > before.Joins["v2"] || refused() })
	if !refused() {
		c.leaves()
		return true
	}
	f, err := readWSFrame(c.r)
	if err != nil || f.op != opClose || len(f.data) < 4 || f.data[:2] != "\x03\xf0" {
		h.Errorf("refused with %v, %v; want 1008 and a reason", f, err)
	}
	return false
}

// Without a shared key a v1 client's key is over its address, of which IPv4 has
// two spellings; the address key stands behind it.
func TestAddressKeys(t *testing.T) {
	t.Parallel()
	const uid, channel = "kéy", "频道"
	for name, addrKey := range map[string]string{"plain": "", "with address key": "addr-secret"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, bridge.Config{AddrKey: addrKey})
			key := func(spelling string) uint64 {
				if addrKey != "" {
					return v1Key(spelling, addrKey, uid, channel)
				}
				return v1Key(spelling, uid, channel)
			}
			for spelling, good := range map[string]bool{
				"127.0.0.1:%d":                      true,
				"[0:0:0:0:0:ffff:7f00:1]:%d":        true,
				"[::ffff:127.0.0.1]:%d":             false,
				"[0:0:0:0:0:ffff:127.0.0.1]:%d":     false,
				"[0000:0:0:0:0:ffff:7f00:1]:%d":     false,
				"[0:0:0:0:0:FFFF:7F00:1]:%d":        false,
				"127.0.0.2:%d":                      false,
				"127.0.0.1:1%d":                     false,
				"localhost:%d":                      false,
				"[0:0:0:0:0:0:0:1]:%d":              false,
				"[0:0:0:0:0:ffff:7f00:1%%eth0]:%d ": false,
			} {
				nc := h.callV1()
				port := nc.LocalAddr().(*net.TCPAddr).Port
				if got := h.knock(nc, key(fmt.Sprintf(spelling, port)), uid, channel); got != good {
					t.Errorf("%s: let in %t", spelling, got)
				}
			}
			nc := h.callV1()
			other := v1Key(dotted(nc.LocalAddr()), uid, channel)
			if addrKey == "" {
				other = v1Key(dotted(nc.LocalAddr()), "addr-secret", uid, channel)
			}
			if h.knock(nc, other, uid, channel) {
				t.Error("let in by an address key that is none")
			}
		})
	}
}

// Addresses of all kinds, as a socket would have them.
func TestAddressSpellings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testAddressSpellings)
}

func testAddressSpellings(t *testing.T) {
	l := newPipeListener()
	h := openPipes(t, bridge.Config{})
	h.serve(func() error { return h.ServeV1(l) })
	for addr, spellings := range map[string][]string{
		"203.0.113.7:4711":              {"203.0.113.7:4711", "[0:0:0:0:0:ffff:cb00:7107]:4711"},
		"[::ffff:203.0.113.7]:4711":     {"203.0.113.7:4711", "[0:0:0:0:0:ffff:cb00:7107]:4711"},
		"[2001:db8::a:0:b]:65535":       {"[2001:db8:0:0:0:a:0:b]:65535"},
		"[::]:1":                        {"[0:0:0:0:0:0:0:0]:1"},
		"[fe80::1%eth0]:80":             {"[fe80:0:0:0:0:0:0:1]:80"},
		"[2001:db8:1:2:3:4:ABCD:10]:80": {"[2001:db8:1:2:3:4:abcd:10]:80"},
	} {
		for _, s := range spellings {
			if !h.knock(l.dialFrom(addr), v1Key(s, "u", "c"), "u", "c") {
				t.Errorf("client %s is not let in as %s", addr, s)
			}
		}
		if h.knock(l.dialFrom(addr), v1Key(addr, "x", "c"), "u", "c") {
			t.Errorf("client %s is let in as somebody else", addr)
		}
	}
	// Whose address cannot be told has no key.
	if h.knock(l.dialFrom("pipe"), v1Key("pipe", "u", "c"), "u", "c") || h.knock(l.dialFrom(""), v1Key("", "u", "c"), "u", "c") {
		t.Error("let in without an address")
	}
}

// A listener on [::], as the reference has it, sees IPv4 clients as ::ffff:a.b.c.d.
func TestDualStackListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::]:0")
	if err != nil {
		t.Skip("no IPv6 here:", err)
	}
	h := open(t, bridge.Config{})
	h.serve(func() error { return h.ServeV1(l) })
	port := l.Addr().(*net.TCPAddr).Port
	for spelling, host := range map[string]string{
		"127.0.0.1:%d":               "127.0.0.1",
		"[0:0:0:0:0:ffff:7f00:1]:%d": "127.0.0.1",
		"[0:0:0:0:0:0:0:1]:%d":       "::1",
	} {
		nc, err := net.Dial("tcp", net.JoinHostPort(host, fmt.Sprint(port)))
		if err != nil {
			t.Fatal(err)
		}
		if s := fmt.Sprintf(spelling, nc.LocalAddr().(*net.TCPAddr).Port); !h.knock(nc, v1Key(s, "u", "c"), "u", "c") {
			t.Errorf("%s is not let in", s)
		}
	}
}

// Keys rotate: all that are configured let in, and addresses only where they may.
func TestSharedKeys(t *testing.T) {
	t.Parallel()
	conf := bridge.Config{V1Keys: []string{"new", "old", "schlüssel"}, V2Keys: []string{"nu", "vieux"}}
	h := open(t, conf)
	conf.V1AddressKeys, conf.AddrKey = true, "ak"
	mixed := open(t, conf)
	for _, h := range []*house{h, mixed} {
		for key, good := range map[string]bool{"new": true, "old": true, "schlüssel": true, "nu": false, "vieux": false, "": false, "newold": false, "NEW": false} {
			if got := h.knock(h.callV1(), v1Key(key, "u", "c"), "u", "c"); got != good {
				t.Errorf("key %q: let in %t", key, got)
			}
		}
		for key, good := range map[string]bool{"nu": true, "vieux": true, "new": false, "old": false, "": false, "\xff": false} {
			if got := h.hello(fmt.Sprintf(`"uid":"u","channel":"c","auth":"%s"`, v2Auth("u", "c", key))); got != good {
				t.Errorf("v2 key %q: let in %t", key, got)
			}
		}
		if h.hello(`"uid":"u","channel":"c"`) {
			t.Error("let in without auth, although there is a key")
		}
	}
	for _, h := range []*house{h, mixed} {
		for _, spelling := range []string{"127.0.0.1:%d", "[0:0:0:0:0:ffff:7f00:1]:%d"} {
			nc := h.callV1()
			s := fmt.Sprintf(spelling, nc.LocalAddr().(*net.TCPAddr).Port)
			if got := h.knock(nc, v1Key(s, "ak", "u", "c"), "u", "c"); got != (h == mixed) {
				t.Errorf("address key of %s: let in %t, V1AddressKeys %t", s, got, h == mixed)
			}
		}
	}
}

// The dialects' keys can differ, and one may need none.
func TestKeysOfOneDialectOnly(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{V1Keys: []string{"k"}})
	if !h.hello(`"uid":"u","channel":"c"`) || h.knock(h.callV1(), v1Key("", "u", "c"), "u", "c") {
		t.Error("a v1 key holds for v1 only")
	}
	h = open(t, bridge.Config{V2Keys: []string{"k"}})
	nc := h.callV1()
	if h.hello(`"uid":"u","channel":"c"`) || !h.knock(nc, v1Key(dotted(nc.LocalAddr()), "u", "c"), "u", "c") {
		t.Error("a v2 key holds for v2 only")
	}
	for _, conf := range []bridge.Config{{V1Keys: []string{""}}, {V2Keys: []string{"k", ""}}} {
		if _, err := bridge.New(conf); err == nil {
			t.Errorf("%+v: an empty key is taken", conf)
		}
	}
}

// The server does not hold the CID against the key.
func TestStaticCID(t *testing.T) {
	t.Parallel()
	h := open(t, secret)
	bob := h.v1Joins("bob", "room", "")
	alice := h.v1()
	join := v1Frame(0xffffffff, v1Key("swordfish", "alice", "room"), msgBody("alice", "room", ""))
	h.joins("v1", func() { alice.sends(join) })
	bob.gets(join)
}

// auth: a hex number in either case, leading zeros as one likes.
func TestAuth(t *testing.T) {
	t.Parallel()
	keyless, keyed := open(t, bridge.Config{}), open(t, secret)
	name := "u"
	for v2Auth(name, "c", "swordfish")[0] != '0' {
		name += "u"
	}
	right := v2Auth(name, "c", "swordfish")
	for auth, good := range map[string]bool{
		right:                            true,
		right[1:]:                        true,
		"0000000000000000000000" + right: true,
		fmt.Sprintf("%X", sip([]byte(name+"cswordfish"))): true,
		"0x" + right:                   false,
		" " + right:                    false,
		"1" + right:                    false,
		right + "0":                    false,
		"":                             false,
		"0":                            false,
		"zz":                           false,
		v2Auth(name, "c", ""):          false,
		v2Auth("c", name, "swordfish"): false,
	} {
		if got := keyed.hello(fmt.Sprintf(`"uid":"%s","channel":"c","auth":"%s"`, name, auth)); got != good {
			t.Errorf("auth %q: let in %t", auth, got)
		}
	}
	for members, good := range map[string]bool{
		`"uid":"u","channel":"c"`:                                                true,
		`"uid":"u","channel":"c","auth":null`:                                    true,
		`"uid":"u","channel":"c","auth":"` + v2Auth("u", "c", "") + `"`:          true,
		`"auth":"` + v2Auth("ü", "频道", "") + `","channel":"频道","uid":"ü"`:        true,
		`"uid":"u","channel":"c","auth":"` + v2Auth("u", "c", "swordfish") + `"`: false,
		`"uid":"u","channel":"c","auth":"0"`:                                     false,
		`"uid":"u","channel":"c","auth":""`:                                      false,
		`"uid":"u","channel":"c","auth":1`:                                       false,
	} {
		if got := keyless.hello(members); got != good {
			t.Errorf("%s: let in %t", members, got)
		}
	}
	if keyed.hello(`"uid":"u","channel":"c","auth":null`) {
		t.Error("let in with auth null")
	}
}
