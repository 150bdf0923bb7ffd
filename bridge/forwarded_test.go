package bridge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"mles/bridge"
)

// trusting is a gateway whose clients come through a proxy on loopback.
func trusting(conf bridge.Config) bridge.Config {
	conf.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	return conf
}

// v2Via connects somebody whose request a proxy has passed on.
func (h *house) v2Via(forwardedFor string) *v2client {
	h.Helper()
	c := &v2client{house: h, nc: h.keep(h.callV2())}
	c.r = bufio.NewReader(c.nc)
	request := strings.Replace(upgradeRequest("/", subprotocol), "\r\n\r\n", "\r\nX-Forwarded-For: "+forwardedFor+"\r\n\r\n", 1)
	if err := upgrade(c.nc, c.r, request); err != nil {
		h.Fatal(err)
	}
	return c
}

// A WebSocket through a trusted proxy is its client's: for v1 headers, for the
// status and for the log. v1 over TCP knows no such thing.
func TestForwardedWebSockets(t *testing.T) {
	t.Parallel()
	for transport, open := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			h := open(t, trusting(bridge.Config{}))
			alice := h.v1Joins("alice", "room", "")
			bob := h.v2Via("10.1.1.1, 203.0.113.7:4711, 10.0.0.2")
			h.joins("v2", func() { bob.join("bob", "room") })
			alice.gets(keyed(v1Key("203.0.113.7:4711", "bob", "room"), msgBody("bob", "room", "")))
			carol := h.v2Via("203.0.113.8")
			h.joins("v2", func() { carol.join("carol", "room") })
			alice.gets(keyed(v1Key("203.0.113.8:0", "carol", "room"), msgBody("carol", "room", "")))
			there := map[string]string{}
			for m := range h.Members() {
				there[m.UID] = m.Addr.String()
			}
			if there["bob"] != "203.0.113.7:4711" || there["carol"] != "203.0.113.8:0" || !strings.HasPrefix(there["alice"], "127.0.0.1:") {
				t.Errorf("%v", there)
			}
			for _, client := range []string{"203.0.113.7:4711", "203.0.113.8"} {
				if len(h.log.lines("msg=joined", "client="+client+" ")) != 1 {
					t.Errorf("the log does not name %s", client)
				}
			}
		})
	}
}

// From anybody else the header is not looked at.
func TestForgedForwarding(t *testing.T) {
	t.Parallel()
	conf := trusting(bridge.Config{})
	conf.TrustedProxies = conf.TrustedProxies[1:]
	h := open(t, conf)
	bob := h.v2Via("203.0.113.7")
	h.joins("v2", func() { bob.join("bob", "room") })
	for m := range h.Members() {
		if m.Addr.String() != bob.nc.LocalAddr().String() {
			t.Errorf("the address is %s", m.Addr)
		}
	}
}

// Limits hold for the client and not for the proxy; who is over one is told with 429,
// and the proxy's next request on another client's behalf is as good as any.
func TestLimitsOfForwarded(t *testing.T) {
	t.Parallel()
	conf := trusting(bridge.Config{PerIPLimit: 1})
	h := open(t, conf)
	ask := func(client string) int {
		t.Helper()
		nc := h.keep(h.callV2())
		io.WriteString(nc, strings.Replace(upgradeRequest("/", subprotocol), "\r\n\r\n", "\r\nX-Forwarded-For: "+client+"\r\n\r\n", 1))
		answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode == 429 && answer.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return answer.StatusCode
	}
	for i := range 5 {
		if got := ask(fmt.Sprintf("203.0.113.%d", i)); got != 101 {
			t.Errorf("client %d: %d", i, got)
		}
		if got := ask(fmt.Sprintf("203.0.113.%d", i)); got != 429 {
			t.Errorf("client %d comes again: %d", i, got)
		}
	}
	if n := h.refusals("no request"); n != 0 || len(h.log.lines("level=WARN")) != 1 {
		t.Errorf("who is over a limit is refused %d times more; the log: %s", n, h.log)
	}
	// A request that becomes no WebSocket counts for nobody.
	nc := h.keep(h.callV2())
	r := bufio.NewReader(nc)
	for range 3 {
		io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n")
		answer, err := http.ReadResponse(r, nil)
		if err != nil || answer.StatusCode != 400 {
			t.Fatalf("%+v, %v", answer, err)
		}
		io.Copy(io.Discard, answer.Body)
	}
	if got := ask("198.51.100.1"); got != 101 {
		t.Errorf("after what was no WebSocket: %d", got)
	}
}

// whoSite answers with whose request it was.
func whoSite(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "%s %s", r.RemoteAddr, r.Header.Get("X-Forwarded-Proto"))
}

// The site is told of the client, too, and of the scheme by trusted proxies alone; so
// it is in another program's server.
func TestForwardedPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trusted bool
		want    string
	}{"trusted": {true, "203.0.113.7:0 https"}, "not trusted": {false, "127.0.0.1:"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := bridge.Config{Site: http.HandlerFunc(whoSite)}
			if c.trusted {
				conf = trusting(conf)
			}
			h := open(t, conf)
			other := httptest.NewServer(h)
			t.Cleanup(other.Close)
			redirect := h.serveTCP(func(l net.Listener) error { return h.ServeSite(l, http.HandlerFunc(whoSite)) })
			for where, call := range map[string]func() net.Conn{
				"v2": h.callV2, "site": redirect,
				"another program's": func() net.Conn {
					nc, err := net.Dial("tcp", other.Listener.Addr().String())
					if err != nil {
						t.Fatal(err)
					}
					return nc
				},
			} {
				nc := h.keep(call())
				io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\n\r\n")
				answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(answer.Body)
				if !strings.HasPrefix(string(body), c.want) || !c.trusted && strings.Contains(string(body), "https") {
					t.Errorf("%s: %q, want %q", where, body, c.want)
				}
			}
		})
	}
}

// A WebSocket in another program's server has its client's address as well.
func TestForwardedToAnotherProgram(t *testing.T) {
	t.Parallel()
	conf := trusting(bridge.Config{PerIPLimit: 1})
	h := open(t, conf)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.callV2 = func() net.Conn {
		nc, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return nc
	}
	for i := range 3 {
		c := h.v2Via(fmt.Sprintf("203.0.113.%d", i))
		h.joins("v2", func() { c.join(fmt.Sprint("client-", i), "room") })
	}
	eve := &v2client{house: h, nc: h.keep(h.callV2())}
	eve.r = bufio.NewReader(eve.nc)
	request := strings.Replace(upgradeRequest("/", subprotocol), "\r\n\r\n", "\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n", 1)
	if err := upgrade(eve.nc, eve.r, request); err == nil {
		t.Error("let in over the limit")
	}
}
