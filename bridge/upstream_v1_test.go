package bridge_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// Alice joins the gateway: it joins the root with her first frame. What is said
// on either side reaches the other, byte for byte, and nobody hears himself.
func TestUpstreamBothWays(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret))
		alice := h.v1Joins("alice", "room", "")
		up := r.accepts()
		up.gets(alice.frame(""))
		up.sends(shared("carol", "room", "from the root's history"))
		alice.gets(shared("carol", "room", "from the root's history"))
		bob := h.v1Joins("bob", "room", "hello")
		bob.gets(alice.frame(""), shared("carol", "room", "from the root's history"))
		alice.gets(bob.frame("hello"))
		up.gets(bob.frame("hello"))
		dora := h.v2Joins("dora", "room")
		up.gets(dora.onV1(""))
		alice.gets(dora.onV1(""))
		bob.gets(dora.onV1(""))
		dora.gets(notice("alice", "room"), blob("from the root's history"), notice("bob", "room"), blob("hello"))
		dora.says(text("text"))
		up.gets(dora.onV1("text"))
		odd := v1Frame(7, 8, []byte("not a body"))
		up.sends(odd, shared("carol", "room", "x"))
		alice.gets(dora.onV1("text"), odd, shared("carol", "room", "x"))
		dora.gets(blob("x"))
		alice.says("y")
		up.gets(alice.frame("y"))
		up.hearsNothing(time.Minute)
		for _, s := range h.UpstreamStatus() {
			if s.State != "running" || s.MessagesUp != 4 || s.MessagesDown != 3 || s.URL != "v1://root" {
				t.Errorf("%+v", s)
			}
		}
	})
}

// What is said before the root has been reached, or while it replays, goes up in
// order.
func TestUpstreamSettles(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret))
		alice := h.v1Joins("alice", "room", "")
		alice.says("one")
		alice.says("two")
		up := r.accepts()
		up.gets(alice.frame(""), alice.frame("one"), alice.frame("two"))
		alice.says("three")
		up.gets(alice.frame("three"))
	})
}

// The last member leaves: so does the gateway, after what was said has gone up.
func TestUpstreamFollowsItsMembers(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret))
		r.idle(time.Minute)
		alice := h.v1Joins("alice", "room", "")
		alice.says("bye")
		alice.leaves()
		up := r.accepts()
		up.gets(alice.frame(""), alice.frame("bye"))
		up.ends()
		h.until("the gateway needs no upstream", func() bool { return len(h.UpstreamStatus()) == 0 })
		again := h.v1Joins("again", "room", "")
		up = r.accepts()
		up.gets(again.frame("")) // and no resync: nothing was lost
		up.sends(alice.frame(""), alice.frame("bye"), shared("carol", "room", "new"))
		again.gets(alice.frame(""), alice.frame("bye"), shared("carol", "room", "new"))
		up.hearsNothing(time.Minute)
	})
}

// The only member has left before the gateway has come to connect, here because it tries another upstream first, in vain. What
// was said goes up all the same.
func TestUpstreamIsToldOfWhoWasBrief(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		conf := secret
		conf.Upstreams = []bridge.Upstream{{URL: "v1://silent", Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}}
		h := openPipes(t, r.upstream(conf))
		alice := h.v1Joins("alice", "room", "")
		alice.says("bye")
		alice.leaves()
		h.members(0)
		up := r.accepts()
		up.gets(alice.frame(""), alice.frame("bye"))
		up.ends()
		h.until("the gateway needs no upstream", func() bool { return len(h.UpstreamStatus()) == 0 })
	})
}

// The root restarts and has forgotten everything. The gateway comes back with a
// ResyncMsg that begins with alice's first frame, and hears what is new once.
func TestUpstreamComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret))
		alice := h.v1Joins("alice", "room", "")
		up := r.accepts()
		up.gets(alice.frame(""))
		var said [][]byte
		for _, m := range []string{"on", "on", "off", "on"} {
			said = append(said, shared("carol", "room", m))
		}
		up.sends(said...)
		alice.gets(said...)
		h.running("room")
		bob := h.v1Joins("bob", "room", "")
		bob.gets(alice.frame(""))
		bob.gets(said...)
		up.gets(bob.frame(""))
		alice.gets(bob.frame(""))
		time.Sleep(time.Minute)

		up.nc.Close()
		r.gone.Store(true)
		time.Sleep(10 * time.Second)
		alice.says("on")
		alice.says("on")
		bob.gets(alice.frame("on"), alice.frame("on"))
		r.gone.Store(false)

		up = r.accepts()
		history := append([][]byte{alice.frame("")}, said...)
		history = append(history, bob.frame(""), alice.frame("on"), alice.frame("on"))
		up.gets(keyed(alice.key, resyncBody(history...)))
		// Somebody else has been faster with what he remembers, and has news.
		up.sends(said...)
		up.sends(shared("carol", "room", "on"), shared("carol", "room", "news"))
		alice.gets(shared("carol", "room", "on"), shared("carol", "room", "news"))
		bob.gets(shared("carol", "room", "on"), shared("carol", "room", "news"))
		alice.says("still here")
		up.gets(alice.frame("still here"))
	})
}

// The root has the CID already: bob's first frame is tried, and then the gateway's
// own, with a CID that nobody has.
func TestUpstreamRefused(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		r.gone.Store(true)
		h := openPipes(t, r.upstream(secret))
		alice := h.v1Joins("alice", "room", "")
		bob := h.v1Joins("bob", "room", "")
		bob.gets(alice.frame(""))
		time.Sleep(time.Minute)
		r.gone.Store(false)
		history := [][]byte{alice.frame(""), bob.frame("")}
		up := r.accepts()
		up.gets(keyed(alice.key, resyncBody(history...)))
		up.nc.Close()
		up = r.accepts()
		up.gets(keyed(bob.key, resyncBody(bob.frame(""), alice.frame(""))))
		up.nc.Close()
		up = r.accepts()
		own := up.reads()
		key := v1Key("swordfish", "gate", "room")
		first := v1Frame(0, key, msgBody("gate", "room", ""))
		cid := binary.BigEndian.Uint32(own[4:])
		copy(first[4:8], own[4:8])
		if want := v1Frame(cid, key, resyncBody(append([][]byte{first}, history...)...)); !bytes.Equal(own, want) || cid == uint32(key) {
			t.Fatalf("arrives with\n%q, want\n%q", own, want)
		}
		alice.gets(bob.frame(""))
		alice.says("one")
		up.gets(alice.frame("one"))
		bob.gets(alice.frame("one"))
	})
}

// A refused key: all is tried, and then again later, not at once.
func TestUpstreamRefusedByKey(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret))
		h.v1Joins("alice", "room", "")
		for range 2 {
			r.accepts().nc.Close()
		}
		time.Sleep(100 * time.Millisecond)
		s := h.UpstreamStatus()
		if len(s) != 1 || s[0].State != "refused" || !strings.HasPrefix(s[0].Reason, "first frame refused: ") {
			t.Errorf("%+v", s)
		}
		go func() {
			for nc := range r.conns {
				nc.Close()
			}
		}()
		r.dials.Store(0)
		time.Sleep(10 * time.Minute)
		if n := r.dials.Load(); n < 10 || n > 100 {
			t.Errorf("dialed %d times in ten minutes", n)
		}
		h.Close()
		close(r.conns)
	})
}

// Nobody answers: it is tried again after 1 s, later and later, every minute at last.
func TestUpstreamBackoff(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		r.gone.Store(true)
		h := openPipes(t, r.upstream(secret))
		alice := h.v1Joins("alice", "room", "")
		time.Sleep(2 * time.Second)
		if n := r.dials.Load(); n < 2 || n > 3 {
			t.Errorf("dialed %d times in 2 s", n)
		}
		time.Sleep(time.Hour)
		if n := r.dials.Load(); n < 60 || n > 100 {
			t.Errorf("dialed %d times in an hour", n)
		}
		s := h.UpstreamStatus()
		if len(s) != 1 || s[0].State != "waiting" || s[0].Reason != "nobody there" {
			t.Errorf("%+v", s)
		}
		r.gone.Store(false)
		up := r.accepts()
		up.gets(alice.frame(""))
	})
}

// Keys: the frame goes up as it is where the root knows its key, and else keyed anew.
func TestUpstreamKeys(t *testing.T) {
	dotted, mapped := "10.0.0.9:5000", "[0:0:0:0:0:ffff:a00:9]:5000"
	for name, c := range map[string]struct {
		conf   bridge.Config
		key    string
		client func(c *v1client) string
		want   []string // parts before the names; nil: as it is
	}{
		"shared":          {secret, "", nil, nil},
		"second of two":   {bridge.Config{V1Keys: []string{"new", "swordfish"}}, "", func(*v1client) string { return "swordfish" }, nil},
		"another":         {secret, "tuna", nil, []string{"tuna"}},
		"the same":        {secret, "swordfish", nil, nil},
		"addresses":       {bridge.Config{}, "", nil, []string{dotted}},
		"address key":     {bridge.Config{AddrKey: "salt"}, "", nil, []string{dotted, "salt"}},
		"to a shared key": {bridge.Config{}, "tuna", nil, []string{"tuna"}},
		"addresses beside": {bridge.Config{V1Keys: []string{"swordfish"}, V1AddressKeys: true}, "",
			func(c *v1client) string { return "127.0.0.1:4000" }, []string{"swordfish"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *root) {
				conf := r.upstream(c.conf, func(u *bridge.Upstream) { u.Key = c.key })
				h := newHouse(t, conf)
				l := newPipeListener()
				h.serve(func() error { return h.ServeV1(l) })
				h.wait, h.patience = func() { time.Sleep(time.Millisecond) }, time.Hour
				alice := h.v1On(l.dialFrom("127.0.0.1:4000"))
				alice.uid, alice.channel = "alice", "room"
				secret := "127.0.0.1:4000"
				switch {
				case c.client != nil:
					secret = c.client(alice)
				case len(c.conf.V1Keys) > 0:
					secret = c.conf.V1Keys[0]
				}
				parts := []string{secret}
				if c.conf.AddrKey != "" {
					parts = append(parts, c.conf.AddrKey)
				}
				alice.key = v1Key(append(parts, "alice", "room")...)
				first := alice.says("hi")
				up := r.accepts()
				if c.want == nil {
					up.gets(first)
				} else {
					up.gets(keyed(v1Key(append(c.want, "alice", "room")...), msgBody("alice", "room", "hi")))
				}
				if len(c.want) > 0 && c.want[0] == dotted { // mles 1.1.7 wants the other form
					up.nc.Close()
					up = r.accepts()
					parts := append([]string{mapped}, c.want[1:]...)
					up.gets(keyed(v1Key(append(parts, "alice", "room")...), msgBody("alice", "room", "hi")))
				}
				alice.says("later")
				up.gets(alice.frame("later"))
			})
		})
	}
}

// A held channel is connected without anybody.
func TestUpstreamHold(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, r.upstream(secret, func(u *bridge.Upstream) { u.Hold = []string{"held"} }))
		up := r.accepts()
		own := up.reads()
		if want := shared("gate", "held", ""); !bytes.Equal(own[8:], want[8:]) {
			t.Fatalf("arrives with %q", own)
		}
		up.sends(shared("carol", "held", "for later"))
		time.Sleep(time.Hour)
		alice := h.v1Joins("alice", "held", "")
		alice.gets(shared("carol", "held", "for later"))
		up.gets(alice.frame(""))
		alice.leaves()
		up.hearsNothing(time.Hour)
	})
}

// Upstreams come and go while the gateway runs: alice stays, is connected to a new
// one, and hears nothing of the one that is no longer there.
func TestUpstreamsChange(t *testing.T) {
	bubble(t, func(t *testing.T, r *root) {
		h := openPipes(t, secret)
		alice := h.v1Joins("alice", "room", "")
		alice.says("before")
		synctest.Wait()
		conf := r.upstream(secret)
		if _, err := h.Reconfigure(conf); err != nil {
			t.Fatal(err)
		}
		up := r.accepts()
		up.gets(alice.frame("")) // and what was said before is said
		alice.says("one")
		up.gets(alice.frame("one"))
		if _, err := h.Reconfigure(conf); err != nil {
			t.Fatal(err)
		}
		alice.says("two")
		up.gets(alice.frame("two"))
		if _, err := h.Reconfigure(bridge.Config{V1Keys: secret.V1Keys, V2Keys: secret.V2Keys, Upstreams: []bridge.Upstream{{URL: "v1://"}}}); err == nil {
			t.Error("an upstream without a host is taken")
		}
		alice.says("three")
		up.gets(alice.frame("three"))
		if _, err := h.Reconfigure(secret); err != nil {
			t.Fatal(err)
		}
		up.ends()
		alice.says("four")
		r.idle(time.Hour)
		if s := h.UpstreamStatus(); len(s) > 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Over TLS, to another gateway.
func TestUpstreamTLS(t *testing.T) {
	t.Parallel()
	far := openTLS(t, secret)
	up := bridge.Upstream{URL: "v1s://root.example", TLS: &tls.Config{InsecureSkipVerify: true},
		Dial: func(_ context.Context, _, hostport string) (net.Conn, error) {
			if hostport != "root.example:8077" {
				t.Errorf("dials %s", hostport)
			}
			return far.tcpV1(), nil
		}}
	conf := secret
	conf.Upstreams = []bridge.Upstream{up}
	near := open(t, conf)
	rob := far.v1Joins("rob", "room", "")
	alice := near.v1Joins("alice", "room", "")
	rob.gets(alice.frame(""))
	alice.gets(rob.frame(""))
	rob.says("down")
	alice.gets(rob.frame("down"))
	alice.says("up")
	rob.gets(alice.frame("up"))
}
