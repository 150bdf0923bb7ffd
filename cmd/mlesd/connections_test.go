package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
	"mles/v1"
)

// Rates, networks and listeners behind proxies, as flags and variables say them.
func TestConnectionFlags(t *testing.T) {
	t.Setenv("MLESD_TRUSTED_PROXIES", "10.0.0.1, 2001:db8::/32,::ffff:192.0.2.1")
	c := parsed(t, "--rate-limit=100", "--per-ip-limit=32", "--limit-exempt=192.0.2.0/24,::1", "--limit-exempt", "198.51.100.7",
		"--proxy-protocol=v1=10.1.0.0/16,10.2.0.1,v2", "--proxy-protocol", "plain=::1", "--plain-listen=:0")
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	trusted := prefixes("10.0.0.1/32", "2001:db8::/32", "192.0.2.1/32")
	if !slices.Equal(c.TrustedProxies, trusted) {
		t.Errorf("trusted proxies %v", c.TrustedProxies)
	}
	if want := prefixes("192.0.2.0/24", "::1/128", "198.51.100.7/32"); !slices.Equal(c.LimitExempt, want) {
		t.Errorf("exempt %v", c.LimitExempt)
	}
	want := map[bridge.Service][]netip.Prefix{
		bridge.OnV1: prefixes("10.1.0.0/16", "10.2.0.1/32"), bridge.OnV2TLS: trusted, bridge.OnV2: prefixes("::1/128"),
	}
	if diff := cmp.Diff(want, c.proxyHeaders(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("PROXY protocol (-want +got)\n%s", diff)
	}
	if c.rate() != (bridge.Rate{N: 100, Per: time.Minute}) || c.perIP() != 32 {
		t.Errorf("rate %v, %d at once", c.rate(), c.perIP())
	}
	for text, want := range map[string]bridge.Rate{
		"5/s": {N: 5, Per: time.Second}, "5/m": {N: 5, Per: time.Minute}, "5/h": {N: 5, Per: time.Hour}, "0": {}, "0/s": {},
	} {
		if c := parsed(t, "--rate-limit="+text); c.rate() != want {
			t.Errorf("%s is %v", text, c.rate())
		}
	}
}

// What does not fit is told in a line that names the flag.
func TestConnectionFlagsRefused(t *testing.T) {
	for args, want := range map[string]string{
		"--rate-limit=often":                    `--rate-limit: "often"`,
		"--rate-limit=5/d":                      `--rate-limit: "5/d"`,
		"--rate-limit=-5":                       `--rate-limit: "-5"`,
		"--rate-limit=":                         `--rate-limit: ""`,
		"--per-ip-limit=-1":                     "--per-ip-limit -1",
		"--limit-exempt=::1":                    "--limit-exempt is for",
		"--trusted-proxies=10.0.0.1/8":          "the network is 10.0.0.0/8",
		"--trusted-proxies=lb.example":          `"lb.example" is no address`,
		"--trusted-proxies=":                    `"" is no address`,
		"--trusted-proxies=::ffff:10.0.0.0/104": "write it as IPv4",
		"--trusted-proxies=fe80::1%eth0":        "is no address",
		"--proxy-protocol=v1":                   "--proxy-protocol v1: from which addresses?",
		"--proxy-protocol=10.0.0.1":             `"10.0.0.1" is no listener`,
		"--proxy-protocol=v3=10.0.0.1":          `"v3" is no listener`,
		"--proxy-protocol=v1=":                  `"" is no address`,
		"--proxy-protocol=v1=::1,v1=::1":        "twice",
		"--proxy-protocol=plain=::1":            "--plain-listen is off",
		"--proxy-protocol=redirect=::1":         "--redirect-listen is off",
		"--trusted-proxies=10.0.0.1 --v2-listen=off --plain-listen=off": "X-Forwarded-For is read there alone",
	} {
		_, err := parse(strings.Fields(args), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
}

// Who believes everybody should know.
func TestConnectionWarnings(t *testing.T) {
	for args, want := range map[string]string{
		"--trusted-proxies=::/0":                  "--trusted-proxies ::/0: every client can say which address it has",
		"--proxy-protocol=v1=::1,0.0.0.0/0":       "--proxy-protocol v1=0.0.0.0/0: whoever connects can say which address it has",
		"--proxy-protocol=v1=::1,10.0.0.0/8":      "",
		"--limit-exempt=0.0.0.0/0 --rate-limit=1": "",
	} {
		if got := strings.Join(parsed(t, strings.Fields(args)...).connectionWarnings(), "; "); got != want {
			t.Errorf("%s: %q, want %q", args, got, want)
		}
	}
}

// Through a terminator of TLS and a load balancer with the PROXY protocol clients have their own addresses; limits are
// for these, and a reload changes all of it at once.
func TestConnectionsReload(t *testing.T) {
	const plain = "MLESD_PLAIN_LISTEN=127.0.0.1:0"
	c := startWith(t, plain)
	c.dialV1(new(v1.Dialer), "alice", "") // by its own address
	r := c.reloads(plain, "MLESD_PROXY_PROTOCOL=v1=127.0.0.1", "MLESD_TRUSTED_PROXIES=127.0.0.0/8", "MLESD_PER_IP_LIMIT=1", "MLESD_RATE_LIMIT=1000/s", "MLESD_LIMIT_EXEMPT=203.0.113.99")
	want := []string{"--limit-exempt", "--per-ip-limit", "--proxy-protocol", "--rate-limit", "--trusted-proxies"}
	if !slices.Equal(r.Changed, want) || len(r.Restart) > 0 || len(r.Disconnected) > 0 {
		t.Errorf("%+v", r)
	}
	behind := func(addr, uid string) {
		t.Helper()
		host, port, _ := net.SplitHostPort(addr)
		nc, err := net.Dial("tcp", c.addr("--v1-listen"))
		if err != nil {
			t.Fatal(err)
		}
		c.clients = append(c.clients, func() { nc.Close() })
		fmt.Fprintf(nc, "PROXY TCP4 %s 192.0.2.1 %s 8077\r\n", host, port)
		key := v1.Key(addr, uid, "hall")
		if _, err := nc.Write(v1.AppendFrame(nil, uint32(key), key, v1.Msg{UID: uid, Channel: "hall"})); err != nil {
			t.Fatal(err)
		}
	}
	has := func(want map[string]string) func(map[string]any) bool {
		return func(l map[string]any) bool {
			for k, v := range want {
				if l[k] != v {
					return false
				}
			}
			return true
		}
	}
	behind("203.0.113.7:4711", "bob")
	c.line("joined", has(map[string]string{"uid": "bob", "client": "203.0.113.7:4711"}))
	behind("203.0.113.7:4712", "eve")
	c.line("connection refused: too many at once from one address; raise --per-ip-limit, or name the address in --limit-exempt",
		has(map[string]string{"client": "203.0.113.7:4712"}))
	for i := range 3 {
		behind(fmt.Sprintf("203.0.113.99:%d", 1+i), fmt.Sprint("exempt-", i))
		c.line("joined", has(map[string]string{"uid": fmt.Sprint("exempt-", i)}))
	}
	if status, body := c.get("/status"); status != 200 || !strings.Contains(body, "203.0.113.7:4711") {
		t.Errorf("status %d: %s", status, body)
	}
	c.reloads(plain)
	carol := c.dialV1(new(v1.Dialer), "carol", "")
	c.line("joined", has(map[string]string{"uid": "carol", "client": carol.NetConn().LocalAddr().String()}))
	c.stop()
}

// A terminator of TLS in front and another server behind: that is told of the client, and by which scheme it came, as the
// terminator says, and nothing that anybody else says.
func TestForwardedOn(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"))
	}))
	t.Cleanup(backend.Close)
	for flag, want := range map[string]string{"--trusted-proxies=127.0.0.0/8": "203.0.113.7 https", "--per-ip-limit=0": "127.0.0.1 http"} {
		p := start(t, nil, "--plain-listen=127.0.0.1:0", "--proxy=api="+backend.URL, flag)
		r, err := http.NewRequest("GET", "http://"+p.addr("--plain-listen")+"/api/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.7")
		r.Header.Set("X-Forwarded-Proto", "https")
		r.Close = true
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(body) != want {
			t.Errorf("%s: the other server is told %q, want %q", flag, body, want)
		}
		p.stop()
	}
}
