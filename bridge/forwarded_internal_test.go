package bridge

import (
	"net/http"
	"net/netip"
	"testing"
)

// Whom X-Forwarded-For names: the last one that is no trusted proxy, as far as it
// can be read from its end.
func TestClientOf(t *testing.T) {
	p := &policy{trusted: networks{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for name, c := range map[string]struct {
		peer  string
		lines []string
		want  string
		told  bool
	}{
		"not trusted":          {"192.0.2.1:5", []string{"203.0.113.7"}, "192.0.2.1:5", false},
		"one":                  {"10.0.0.1:5", []string{"203.0.113.7"}, "203.0.113.7:0", true},
		"mapped peer":          {"[::ffff:10.0.0.1]:5", []string{"203.0.113.7"}, "203.0.113.7:0", true},
		"with port":            {"10.0.0.1:5", []string{"203.0.113.7:99"}, "203.0.113.7:99", true},
		"IPv6":                 {"[fd00::1]:5", []string{"2001:db8::1"}, "[2001:db8::1]:0", true},
		"IPv6 in brackets":     {"[fd00::1]:5", []string{"[2001:db8::1]"}, "[2001:db8::1]:0", true},
		"IPv6 with port":       {"[fd00::1]:5", []string{"[2001:db8::1]:99"}, "[2001:db8::1]:99", true},
		"mapped":               {"10.0.0.1:5", []string{"::ffff:203.0.113.7"}, "203.0.113.7:0", true},
		"zone":                 {"10.0.0.1:5", []string{"fe80::1%eth0"}, "[fe80::1]:0", true},
		"forged":               {"10.0.0.1:5", []string{"198.51.100.1, 203.0.113.7"}, "203.0.113.7:0", true},
		"forged to be trusted": {"10.0.0.1:5", []string{"10.9.9.9, 203.0.113.7"}, "203.0.113.7:0", true},
		"a chain":              {"10.0.0.1:5", []string{"198.51.100.1,203.0.113.7 ,\t10.2.2.2,10.3.3.3"}, "203.0.113.7:0", true},
		"lines":                {"10.0.0.1:5", []string{"198.51.100.1", "203.0.113.7, 10.2.2.2", "10.3.3.3"}, "203.0.113.7:0", true},
		"all trusted":          {"10.0.0.1:5", []string{"10.1.1.1, 10.2.2.2"}, "10.1.1.1:0", true},
		"none":                 {"10.0.0.1:5", nil, "10.0.0.1:5", true},
		"empty":                {"10.0.0.1:5", []string{""}, "10.0.0.1:5", true},
		"no address":           {"10.0.0.1:5", []string{"203.0.113.7, unknown"}, "10.0.0.1:5", true},
		"no address further":   {"10.0.0.1:5", []string{"203.0.113.7, <b>, 10.2.2.2"}, "10.2.2.2:0", true},
		"trailing comma":       {"10.0.0.1:5", []string{"203.0.113.7,"}, "10.0.0.1:5", true},
		"half a bracket":       {"10.0.0.1:5", []string{"[203.0.113.7"}, "203.0.113.7:0", true},
		"a port of its own":    {"10.0.0.1:5", []string{":80"}, "10.0.0.1:5", true},
		"no peer":              {"@", []string{"203.0.113.7"}, "invalid AddrPort", false},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.lines}}
		if got, told := p.clientOf(r); got.String() != c.want || told != c.told {
			t.Errorf("%s: %s, %t, want %s, %t", name, got, told, c.want, c.told)
		}
	}
}
