package bridge_test

import (
	"fmt"
	"io"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// A street is a gateway with a listener of each dialect that clients of any
// address come to.
type street struct {
	*house
	v1, v2 *pipeListener
}

func openStreet(t *testing.T, conf bridge.Config) *street {
	t.Helper()
	s := &street{house: openPipes(t, conf), v1: newPipeListener(), v2: newPipeListener()}
	s.serve(func() error { return s.ServeV1(s.v1) })
	s.serve(func() error { return s.ServeV2(s.v2) })
	return s
}

// comes connects from an address and says whether that is taken; if so, it joins
// under a name of its own.
func (s *street) comes(addr string) (*v1client, bool) {
	s.Helper()
	nc := s.v1.dialFrom(addr)
	synctest.Wait() // a refused one is closed at once, whatever it sends
	before := s.Stats().Joins["v1"]
	c := s.v1On(nc)
	c.uid, c.channel, c.key = addr, "street", v1Key("swordfish", addr, "street")
	if _, err := nc.Write(c.frame("")); err != nil {
		nc.Close()
		return nil, false
	}
	s.until(addr+" joins", func() bool { return s.Stats().Joins["v1"] > before })
	go io.Copy(io.Discard, nc)
	return c, true
}

func (s *street) mustCome(addr string) *v1client {
	s.Helper()
	c, ok := s.comes(addr)
	if !ok {
		s.Fatalf("%s is refused", addr)
	}
	return c
}

func (s *street) mustNotCome(addr string) {
	s.Helper()
	if _, ok := s.comes(addr); ok {
		s.Fatalf("%s is let in", addr)
	}
}

// in does f in a bubble of fake time.
func in(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, f)
}

// Connections at once are limited for each address: IPv6 by /64, IPv4 however it is
// written. Who leaves makes room, and others are not concerned.
func TestPerIPLimit(t *testing.T) {
	in(t, func(t *testing.T) {
		conf := secret
		conf.PerIPLimit = 2
		conf.LimitExempt = []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:ffff::/48")}
		s := openStreet(t, conf)
		for one, same := range map[string]string{
			"203.0.113.7":       "[::ffff:203.0.113.7]",
			"[2001:db8:0:1::1]": "[2001:db8:0:1:ffff:ffff:ffff:ffff]",
		} {
			first := s.mustCome(one + ":1000")
			s.mustCome(same + ":1001")
			s.mustNotCome(one + ":1002")
			s.mustNotCome(same + ":1003")
			first.leaves()
			s.mustCome(same + ":1004")
			s.mustNotCome(one + ":1005")
		}
		s.mustCome("203.0.113.8:1")
		s.mustCome("[2001:db8:0:2::1]:1")
		for port := range 5 {
			s.mustCome(fmt.Sprintf("198.51.100.9:%d", port))
			s.mustCome(fmt.Sprintf("[2001:db8:ffff:1::2]:%d", port))
		}
		if n := s.refusals("per-ip limit"); n != 6 {
			t.Errorf("%d refusals counted, want 6", n)
		}
	})
}

// A rate holds for each address: as many as it says at once, then one each time
// that its part of the time has passed.
func TestRateLimit(t *testing.T) {
	in(t, func(t *testing.T) {
		conf := secret
		conf.RateLimit = bridge.Rate{N: 6, Per: time.Minute}
		s := openStreet(t, conf)
		port := 0
		try := func(addr string, n int) (let int) {
			for range n {
				port++
				if _, ok := s.comes(fmt.Sprintf("%s:%d", addr, port)); ok {
					let++
				}
			}
			return let
		}
		if n := try("203.0.113.7", 20); n != 6 {
			t.Errorf("%d of 20 at once are let in, want 6", n)
		}
		if n := try("203.0.113.8", 3); n != 3 {
			t.Error("others are refused, too")
		}
		time.Sleep(9500 * time.Millisecond)
		if n := try("203.0.113.7", 1); n != 0 {
			t.Error("let in after 9.5 s, where one in 10 s may")
		}
		time.Sleep(time.Second)
		if n := try("203.0.113.7", 5); n != 1 {
			t.Errorf("%d let in after 10.5 s, want 1", n)
		}
		time.Sleep(10 * time.Minute)
		if n := try("203.0.113.7", 20); n != 6 {
			t.Errorf("%d let in after a long time, want 6", n)
		}
		if n := s.refusals("rate limit"); n != 33 {
			t.Errorf("%d refusals counted, want 33", n)
		}
	})
}

// What is refused is in the log once a second, with how often it happened, who it
// was at last, and what to do about it.
func TestRefusedAddressesInTheLog(t *testing.T) {
	in(t, func(t *testing.T) {
		conf := secret
		conf.PerIPLimit = 1
		s := openStreet(t, conf)
		s.mustCome("203.0.113.7:1")
		for i := range 31 {
			s.v1.dialFrom(fmt.Sprintf("203.0.113.7:%d", 100+i)).Close()
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Second)
		s.v1.dialFrom("203.0.113.7:999").Close()
		synctest.Wait()
		lines := s.log.lines("level=WARN", "--per-ip-limit", "--limit-exempt", "limit=1")
		if len(lines) < 3 || len(lines) > 5 {
			t.Fatalf("%d lines: %q", len(lines), lines)
		}
		sum := 0
		for _, line := range lines {
			var n int
			if _, err := fmt.Sscanf(line[indexOf(t, line, "refused="):], "refused=%d", &n); err != nil {
				t.Fatal(err)
			}
			sum += n
		}
		if last := lines[len(lines)-1]; sum != 32 || indexOf(t, last, "client=203.0.113.7:999") < 0 {
			t.Errorf("%d told of, the last time in %q", sum, last)
		}
	})
}

func indexOf(t *testing.T, s, what string) int {
	t.Helper()
	for i := range s {
		if len(s)-i >= len(what) && s[i:i+len(what)] == what {
			return i
		}
	}
	t.Fatalf("no %s in %q", what, s)
	return -1
}

// A change of configuration holds from the next connection on: those who are there
// stay and count.
func TestLimitsChange(t *testing.T) {
	in(t, func(t *testing.T) {
		s := openStreet(t, secret)
		for port := range 5 {
			s.mustCome(fmt.Sprintf("203.0.113.7:%d", port))
		}
		conf := secret
		change := func(want ...string) {
			t.Helper()
			changes, err := s.Reconfigure(conf)
			if err != nil || fmt.Sprint(changes.Applied) != fmt.Sprint(want) {
				t.Fatalf("%+v, %v, want %q", changes, err, want)
			}
		}
		conf.PerIPLimit = 6
		change("PerIPLimit")
		sixth := s.mustCome("203.0.113.7:6")
		s.mustNotCome("203.0.113.7:7")
		conf.LimitExempt = []netip.Prefix{netip.MustParsePrefix("203.0.113.7/32")}
		change("LimitExempt")
		s.mustCome("203.0.113.7:8")
		conf.LimitExempt = nil
		change("LimitExempt")
		sixth.leaves()
		s.mustNotCome("203.0.113.7:9") // they are six
		conf.PerIPLimit, conf.RateLimit = 0, bridge.Rate{N: 1, Per: time.Hour}
		change("PerIPLimit", "RateLimit")
		s.mustCome("203.0.113.7:10")
		s.mustNotCome("203.0.113.7:11")
		conf.RateLimit = bridge.Rate{}
		change("RateLimit")
		s.mustCome("203.0.113.7:12")
		s.members(8)
	})
}

// Limits that are none are refused.
func TestLimitsChecked(t *testing.T) {
	for name, conf := range map[string]bridge.Config{
		"negative number": {PerIPLimit: -1},
		"negative rate":   {RateLimit: bridge.Rate{N: -1, Per: time.Minute}},
		"no time":         {RateLimit: bridge.Rate{N: 1}},
		"no network":      {LimitExempt: []netip.Prefix{{}}},
		"mapped":          {TrustedProxies: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}},
		"service":         {ProxyProtocol: map[bridge.Service][]netip.Prefix{9: nil}},
	} {
		if err := conf.Check(); err == nil {
			t.Errorf("%s: %+v is taken", name, conf)
		}
	}
}

// Closed before anything is read: a refused client of TLS costs no handshake.
func TestRefusedBeforeTLS(t *testing.T) {
	t.Parallel()
	conf := secret
	conf.PerIPLimit = 1
	h := openTLS(t, conf)
	h.v1Joins("alice", "room", "")
	nc := h.keep(h.tcpV2())
	if n, err := nc.Read(make([]byte, 1)); n != 0 || !closedSomehow(err) {
		t.Errorf("reads %d bytes, %v", n, err)
	}
	if st := h.Stats(); st.Connections != 1 || st.Refusals["per-ip limit"] != 1 {
		t.Errorf("%+v", st)
	}
}
