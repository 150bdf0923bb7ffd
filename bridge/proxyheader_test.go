package bridge_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// behind is a gateway whose listeners all expect a PROXY header from loopback, and
// from the bubble's 10.0.0.0/8.
func behind(conf bridge.Config) bridge.Config {
	from := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	conf.ProxyProtocol = map[bridge.Service][]netip.Prefix{
		bridge.OnV1: from, bridge.OnV1TLS: from, bridge.OnV2: from, bridge.OnV2TLS: from,
	}
	return conf
}

// proxyV2 is a header of version 2: command, family, and what follows its length.
func proxyV2(command, family byte, rest []byte) []byte {
	b := append([]byte("\r\n\r\n\x00\r\nQUIT\n"), 0x20|command, family)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(rest))), rest...)
}

const (
	proxyLocal, proxyProxy          = 0, 1
	proxyNone, proxyTCP4, proxyTCP6 = 0x00, 0x11, 0x21
	proxyUDP4, proxyUnix            = 0x12, 0x31
)

// addresses4 and addresses6 are from port 4711 to port 8077.
func addresses4(from string) []byte {
	a := netip.MustParseAddr(from).As4()
	return append(append(a[:], 192, 0, 2, 1), 0x12, 0x67, 0x1f, 0x8d)
}

func addresses6(from string) []byte {
	a := netip.MustParseAddr(from).As16()
	return append(append(a[:], make([]byte, 16)...), 0x12, 0x67, 0x1f, 0x8d)
}

// Behind a load balancer a client has its own address: for keys, for the status and
// for the log, on every listener, and whatever is in the header besides.
func TestBehindProxies(t *testing.T) {
	t.Parallel()
	tlv := append([]byte{0x02, 0, 11}, "example.org"...)
	for name, c := range map[string]struct{ header, addr string }{
		"version 1":                    {"PROXY TCP4 203.0.113.7 192.0.2.1 4711 8077\r\n", "203.0.113.7:4711"},
		"version 1, IPv6":              {"PROXY TCP6 2001:db8::7 2001:db8::1 4711 8077\r\n", "[2001:db8::7]:4711"},
		"version 1, mapped":            {"PROXY TCP6 ::ffff:203.0.113.7 ::1 4711 8077\r\n", "203.0.113.7:4711"},
		"version 1, unknown":           {"PROXY UNKNOWN\r\n", ""},
		"version 1, unknown at length": {"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n", ""},
		"version 2":                    {string(proxyV2(proxyProxy, proxyTCP4, addresses4("203.0.113.7"))), "203.0.113.7:4711"},
		"version 2, IPv6":              {string(proxyV2(proxyProxy, proxyTCP6, addresses6("2001:db8::7"))), "[2001:db8::7]:4711"},
		"version 2, with more":         {string(proxyV2(proxyProxy, proxyTCP4, append(addresses4("203.0.113.7"), tlv...))), "203.0.113.7:4711"},
		"version 2, long":              {string(proxyV2(proxyProxy, proxyTCP4, append(addresses4("203.0.113.7"), append([]byte{0xee, 0x0f, 0x00}, make([]byte, 0xf00)...)...))), "203.0.113.7:4711"},
		"version 2, local":             {string(proxyV2(proxyLocal, proxyNone, nil)), ""},
		"version 2, local, addresses":  {string(proxyV2(proxyLocal, proxyTCP4, addresses4("203.0.113.7"))), ""},
		"version 2, no family":         {string(proxyV2(proxyProxy, proxyNone, []byte("what"))), ""},
		"version 2, Unix":              {string(proxyV2(proxyProxy, proxyUnix, make([]byte, 216))), ""},
	} {
		for transport, open := range transports {
			t.Run(name+", "+transport, func(t *testing.T) {
				t.Parallel()
				h := open(t, behind(bridge.Config{}))
				below := map[bool]func() net.Conn{true: h.tcpV1, false: h.callV1}[h.tcpV1 != nil]
				for _, slowly := range []bool{false, true} {
					nc := h.keep(below())
					addr := c.addr
					if addr == "" {
						addr = nc.LocalAddr().String()
					}
					if slowly {
						trickle(nc, []byte(c.header)[:len(c.header)/2], len(c.header)/4, time.Millisecond)
						nc.Write([]byte(c.header)[len(c.header)/2:])
					}
					var head []byte
					if !slowly {
						head = []byte(c.header) // with the first frame, in one segment
					}
					frame := keyed(v1Key(dotted(addrOf(addr)), "alice", "room"), msgBody("alice", "room", ""))
					over := nc
					if h.tcpV1 != nil {
						nc.Write(head)
						head, over = nil, overTLS(func() net.Conn { return nc })()
					}
					h.joins("v1", func() { over.Write(append(head, frame...)) })
					for m := range h.Members() {
						if m.Addr.String() != addr {
							t.Errorf("the member's address is %s, want %s", m.Addr, addr)
						}
					}
					h.until("the log names "+addr, func() bool { return len(h.log.lines("msg=joined", "client="+addr)) > 0 })
					nc.Close()
					h.members(0)
				}
			})
		}
	}
}

func addrOf(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

// So has a v2 client, over TLS and without: v1 members see the key of its address.
func TestV2BehindProxies(t *testing.T) {
	t.Parallel()
	for transport, open := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			h := open(t, behind(bridge.Config{V2Keys: nil, V1Keys: nil}))
			h.headed(&h.callV1, &h.tcpV1, "PROXY UNKNOWN\r\n")
			h.headed(&h.callV2, &h.tcpV2, "PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n")
			alice := h.v1Joins("alice", "room", "")
			bob := h.v2Joins("bob", "room")
			bob.gets(notice("alice", "room"))
			alice.gets(keyed(v1Key("203.0.113.7:4711", "bob", "room"), msgBody("bob", "room", "")))
		})
	}
}

// A headedConn writes a header in one segment with what is written first.
type headedConn struct {
	net.Conn
	header []byte
}

func (c *headedConn) Write(p []byte) (int, error) {
	header := c.header
	c.header = nil
	n, err := c.Conn.Write(append(header, p...))
	return max(0, n-len(header)), err
}

// headed has connections begin with a header.
func (h *house) headed(call, tcp *func() net.Conn, header string) {
	below := *call
	if *tcp != nil {
		below = *tcp
	}
	begin := func() net.Conn {
		return &headedConn{Conn: below(), header: []byte(header)}
	}
	if *tcp != nil {
		*tcp, *call = begin, overTLS(begin)
		return
	}
	*call = begin
}

// A header that is none, or broken, or too long is refused, with a line in the log
// that says what it was.
func TestBrokenProxyHeaders(t *testing.T) {
	t.Parallel()
	h := open(t, behind(secret))
	for name, c := range map[string]struct{ sends, says string }{
		"none on v1":          {string(keyed(v1Key("swordfish", "alice", "room"), msgBody("alice", "room", ""))), "does not begin with a PROXY protocol header, as --proxy-protocol demands"},
		"HTTP":                {"POST / HTTP/1.1\r\n\r\n", "does not begin with"},
		"almost 1":            {"PROXX TCP4", "does not begin with"},
		"almost 2":            {"\r\n\r\n\x00\r\nQUIX\n", "does not begin with"},
		"a line without end":  {"PROXY TCP4 " + strings.Repeat("1", 200), "too long"},
		"version 1, family":   {"PROXY TCP5 203.0.113.7 192.0.2.1 1 1\r\n", "not valid"},
		"version 1, address":  {"PROXY TCP4 203.0.113.777 192.0.2.1 1 1\r\n", "not valid"},
		"version 1, no port":  {"PROXY TCP4 203.0.113.7 192.0.2.1\r\n", "not valid"},
		"version 1, line":     {"PROXY TCP4 203.0.113.7 192.0.2.1 1 1\nM", "not valid"},
		"version 1, short":    {"PROXY \n\n\n\n\n\n\n\n\n", "not valid"},
		"version 3":           {"\r\n\r\n\x00\r\nQUIT\n\x31\x11\x00\x00", "not valid"},
		"version 2, command":  {string(proxyV2(7, proxyTCP4, addresses4("203.0.113.7"))), "not valid"},
		"version 2, family":   {string(proxyV2(proxyProxy, 0x44, addresses4("203.0.113.7"))), "not valid"},
		"version 2, short":    {string(proxyV2(proxyProxy, proxyTCP4, []byte("ab"))), "not valid"},
		"version 2, too long": {"\r\n\r\n\x00\r\nQUIT\n\x21\x11\xff\xff", "too long"},
	} {
		before := len(h.log.lines("level=WARN", "refused", c.says))
		nc := h.keep(h.callV1())
		io.WriteString(nc, c.sends)
		if rest, err := io.ReadAll(nc); len(rest) > 0 || err != nil && !closedSomehow(err) {
			t.Errorf("%s: answered %q, %v", name, rest, err)
		}
		h.until(name+" in the log", func() bool { return len(h.log.lines("level=WARN", "refused", c.says)) == before+1 })
	}
	for range 3 { // checks of the port
		h.keep(h.callV1()).Close()
	}
	half := h.keep(h.callV1())
	io.WriteString(half, "PROXY TCP4 203")
	closeWrite(t, half)
	h.until("half a header in the log", func() bool { return len(h.log.lines("level=WARN", "cut off")) == 1 })
	h.until("all have gone", func() bool { return h.Stats().Connections == 0 })
	if n := h.refusals("proxy header"); n != 16 {
		t.Errorf("%d refusals counted, want 16", n)
	}
}

// A header that does not come, or byte by byte, has the 10 s that there are for
// joining.
func TestTimeForProxyHeader(t *testing.T) {
	t.Parallel()
	header := "PROXY TCP6 2001:db8::7 2001:db8::1 4711 8077\r\n"
	for name, send := range map[string]func(net.Conn){
		"silent":       func(net.Conn) {},
		"half":         func(nc net.Conn) { io.WriteString(nc, header[:9]) },
		"byte by byte": func(nc net.Conn) { trickle(nc, []byte(header), 1, time.Second) },
		"version 2": func(nc net.Conn) {
			trickle(nc, proxyV2(proxyProxy, proxyTCP4, addresses4("203.0.113.7")), 1, time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				s := openStreet(t, behind(secret))
				for _, l := range []*pipeListener{s.v1, s.v2} {
					nc := s.keep(l.dialFrom("10.0.0.1:9"))
					start := time.Now()
					sent := make(chan struct{})
					go func() { defer close(sent); send(nc) }()
					endsAfter(t, nc, start, 10*time.Second)
					<-sent
				}
			})
		})
	}
}

// From other addresses connections are taken as they are, and what they say of
// themselves is not looked at.
func TestNotFromProxies(t *testing.T) {
	in(t, func(t *testing.T) {
		s := openStreet(t, behind(bridge.Config{}))
		addr := "203.0.113.7:4711"
		if !s.knock(s.v1.dialFrom(addr), v1Key(addr, "alice", "room"), "alice", "room") {
			t.Error("refused without a header")
		}
		nc := s.keep(s.v1.dialFrom(addr))
		go io.WriteString(nc, "PROXY TCP4 10.0.0.1 192.0.2.1 1 1\r\n")
		if n, err := nc.Read(make([]byte, 1)); n > 0 || !closedSomehow(err) {
			t.Errorf("reads %d bytes, %v", n, err)
		}
		synctest.Wait()
		if s.refusals("proxy header") != 0 || s.refusals("not a frame") != 1 {
			t.Errorf("%+v", s.Stats())
		}
	})
}

// Limits are for the client and not for the proxy, which is never refused.
func TestLimitsBehindProxies(t *testing.T) {
	in(t, func(t *testing.T) {
		conf := behind(secret)
		conf.PerIPLimit = 2
		s := openStreet(t, conf)
		come := func(addr string) (net.Conn, bool) {
			nc := s.keep(s.v1.dialFrom("10.0.0.1:9"))
			io.WriteString(nc, addr)
			synctest.Wait()
			nc.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := nc.Read(make([]byte, 1))
			nc.SetDeadline(time.Now().Add(s.patience))
			return nc, errors.Is(err, os.ErrDeadlineExceeded)
		}
		line := func(addr string, port int) string {
			return fmt.Sprintf("PROXY TCP4 %s 192.0.2.1 %d 8077\r\n", addr, port)
		}
		first, _ := come(line("203.0.113.7", 1))
		for i, want := range []bool{true, false, false} {
			if _, ok := come(line("203.0.113.7", 2+i)); ok != want {
				t.Errorf("connection %d: %t", 2+i, ok)
			}
		}
		for i := range 5 {
			if _, ok := come(line(fmt.Sprintf("203.0.113.%d", 10+i), 1)); !ok {
				t.Error("another client is refused")
			}
			if _, ok := come("PROXY UNKNOWN\r\n"); !ok {
				t.Error("the proxy's own connection is refused")
			}
		}
		first.Close()
		synctest.Wait()
		if _, ok := come(line("203.0.113.7", 9)); !ok {
			t.Error("no room after one has left")
		}
		if n := s.refusals("per-ip limit"); n != 2 {
			t.Errorf("%d refusals counted, want 2", n)
		}
		if lines := s.log.lines("--per-ip-limit", "client=203.0.113.7:"); len(lines) == 0 {
			t.Error("the log does not name the client")
		}
	})
}

// A check of health, which says nothing behind the header, is nothing to warn of.
func TestHealthChecksOfProxies(t *testing.T) {
	t.Parallel()
	h := open(t, behind(secret))
	for _, header := range [][]byte{proxyV2(proxyLocal, proxyNone, nil), []byte("PROXY UNKNOWN\r\n")} {
		for _, call := range []func() net.Conn{h.callV1, h.callV2} {
			nc := h.keep(call())
			nc.Write(header)
			closeWrite(t, nc)
			io.Copy(io.Discard, nc)
		}
	}
	h.until("all have gone", func() bool { return h.Stats().Connections == 0 })
	if lines := h.log.lines("level=WARN"); len(lines) > 0 {
		t.Errorf("%q", lines)
	}
}

// The lot in one write, with more than one frame behind it: nothing is lost.
func TestNothingLostBehindTheHeader(t *testing.T) {
	t.Parallel()
	h := open(t, behind(secret))
	h.headed(&h.callV1, &h.tcpV1, "PROXY UNKNOWN\r\n")
	bob := h.v1Joins("bob", "room", "")
	alice := h.v1On(h.callV1())
	alice.uid, alice.channel, alice.key = "alice", "room", v1Key("swordfish", "alice", "room")
	var all bytes.Buffer
	var frames [][]byte
	for i := range 300 {
		frames = append(frames, alice.frame(strings.Repeat("x", i)))
		all.Write(frames[i])
	}
	go alice.nc.Write(all.Bytes())
	bob.gets(frames...)
}
