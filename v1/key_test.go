package v1_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mles/v1"
)

func TestAddressesAreSpelledAsHashed(t *testing.T) {
	for _, c := range []struct {
		addr string
		want []string
	}{
		{"192.0.2.10:49878", []string{"192.0.2.10:49878", "[0:0:0:0:0:ffff:c000:20a]:49878"}},
		{"[::ffff:127.0.0.1]:1", []string{"127.0.0.1:1", "[0:0:0:0:0:ffff:7f00:1]:1"}},
		{"[::1]:37004", []string{"[0:0:0:0:0:0:0:1]:37004"}},
		{"[2001:DB8:0:a::0f]:65535", []string{"[2001:db8:0:a:0:0:0:f]:65535"}},
		{"[fe80::1%eth0]:80", []string{"[fe80:0:0:0:0:0:0:1]:80"}},
	} {
		if diff := cmp.Diff(c.want, v1.AddrSpellings(netip.MustParseAddrPort(c.addr))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.addr, diff)
		}
	}
	if got := v1.AddrSpellings(netip.AddrPort{}); got != nil {
		t.Errorf("no address is spelled %q", got)
	}
}

func TestKeyTellsPartsApart(t *testing.T) {
	if v1.Key("ab", "c") == v1.Key("a", "bc") || v1.Key("a") == v1.Key("a", "") {
		t.Error("different parts have one key")
	}
	if long := strings.Repeat("n", v1.MaxName); v1.Key(long) == v1.Key(long[1:]) {
		t.Error("long parts have one key")
	}
}

func TestKeyDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { v1.Key("swordfish", "alice", "chan") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
