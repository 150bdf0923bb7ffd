//go:build interop

package interop

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// upstream2 is where mles 2.9.4 is when the gateway is its client.
const upstream2 = "wss://localhost:9443/"

// startBehind runs the gateway with the v2 server at url upstream. It trusts the certificate because SSL_CERT_FILE names it.
func (h *host) startBehind(t *testing.T, key string, c hosts.Certificate, url string, flags ...string) *program {
	t.Helper()
	argv := append([]string{filepath.Join(programs, "mlesd"), "--tls-cert", c.Cert, "--tls-key", c.Key, "--log-level=debug",
		"--upstream", url, "--upstream-uid", "gate"}, flags...)
	p := h.start(t, "mlesd", append(keyEnv(key), "HOME="+t.TempDir(), "SSL_CERT_FILE="+c.Cert), argv...)
	h.Listening(t, "127.0.0.1:8077")
	h.serving(t, "localhost:8443", c)
	return p
}

// mles 2.9.4 is upstream of the gateway: what clients of either say reaches the clients of the other, byte for byte, live
// and from history. On the gateway are mles-client 1.1.7 and a client of bytes on v1, another on v2; on mles 2.9.4 websocat
// and a client of bytes; and on both mles-client 2.2.0.
func TestUpstreamMles2(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "upstream key", "no key": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, crt := newHost(t), hosts.NewCertificate(t, "localhost")
			h.startMles2(t, key, crt, "9443")
			fay := h.claimV2(t, upstream2, crt, key, "fay", "yard")
			fay.send(t, bin("fay » before\n"))
			h.startBehind(t, key, crt, upstream2)
			vera := h.joinV1(t, "127.0.0.1:8077", key, "vera", "yard", "", nil)
			var atVera []string
			veraGets := func(uid string, messages ...string) {
				t.Helper()
				for _, m := range messages {
					atVera = append(atVera, v1Body(uid, "yard", m))
				}
				vera.getsBodies(t, atVera...)
			}
			veraGets("fay", "")
			veraGets("gate", "fay » before\n")
			olga := h.startConsole(t, "127.0.0.1", key, "olga", "yard")
			veraGets("olga", "")
			rita := h.joinV2(t, crt, key, "rita", "yard")
			veraGets("rita", "")

			// From the gateway upwards.
			var atFay []wsMessage
			fayGets := func(said ...wsMessage) {
				t.Helper()
				atFay = append(atFay, said...)
				fay.getsBesidesHellos(t, atFay...)
			}
			olga.Types(t, "olga » päivää")
			veraGets("olga", "olga » päivää\n")
			fayGets(bin("olga » päivää\n"))
			rita.send(t, text("rita » text\n"))
			veraGets("rita", "rita » text\n")
			rita.send(t, bin("rita \x00\xff\n"))
			veraGets("rita", "rita \x00\xff\n")
			rita.send(t, bin(""))
			fayGets(text("rita » text\n"), bin("rita \x00\xff\n"), bin(""))
			veraGets("rita", "")
			large := strings.Repeat("0123456789abcdef", 1<<18) + "\n"
			vera.send(t, large)
			fayGets(bin(large))

			// And down.
			walt := h.start(t, "walt (websocat)", []string{"SSL_CERT_FILE=" + crt.Cert}, ref(websocat), "--protocol", "mles-websocket", upstream2)
			walt.Types(t, hello("walt", "yard", key))
			walt.Says(t, "rita » text")
			walt.Types(t, "walt » a text")
			veraGets("gate", "walt » a text\n")
			fayGets(text("walt » a text\n"))
			for _, said := range []string{"fay \xff\x00\n", "!" + large, "fay » after\n"} {
				fay.send(t, bin(said))
				veraGets("gate", said)
			}
			rita.gets(t, noticeOf("vera", "yard"), noticeOf("fay", "yard"), bin("fay » before\n"), noticeOf("olga", "yard"),
				bin("olga » päivää\n"), bin(large), text("walt » a text\n"), bin("fay \xff\x00\n"), bin("!"+large), bin("fay » after\n"))
			olga.shows(t, onConsole, line{"gate", "fay » before"}, line{"rita", "rita » text"}, line{"gate", "walt » a text"}, line{"gate", "fay » after"})
			h.upstreamEncrypted(t, crt, key)
			proved(t, "%s: mles 2.9.4 as upstream: bytes and websocat there, mles-client 1.1.7 and bytes of v1 and v2 on the gateway read each other, and so do two mles-client 2.2.0", name)
		})
	}
}

// upstreamEncrypted has two mles-client 2.2.0 read each other, one on mles 2.9.4 and one on the gateway.
func (h *host) upstreamEncrypted(t *testing.T, crt hosts.Certificate, key string) {
	t.Helper()
	const words = "correct horse battery staple"
	vic := h.joinV1(t, "127.0.0.1:8077", key, "vic", "vault", "", nil)
	alice := h.startClient2(t, "wss://localhost:8443", crt, key, "alice", "vault", words)
	vic.counts(t, "alice:")
	said := []line{{"alice", "alice » to bob"}, {"bob", "bob » to alice, päivää"}, {"alice", "alice » that is all"}}
	alice.Types(t, said[0].text)
	vic.counts(t, "alice:", "alice:…")
	bob := h.startClient2(t, strings.TrimSuffix(upstream2, "/"), crt, key, "bob", "vault", words)
	bob.draws(t, said[0])
	bob.Types(t, said[1].text)
	alice.draws(t, said[:2]...)
	alice.Types(t, said[2].text)
	bob.draws(t, said...)
	alice.draws(t, said...)
	vic.counts(t, "alice:", "alice:…", "gate:…", "alice:…")
}

// A wireCutter stands between two programs on a host and can cut all connections through it.
type wireCutter struct {
	h    *host
	to   string
	mu   sync.Mutex
	ends []net.Conn
}

// cutter listens on the port and connects to another, or to an address of another host.
func (h *host) cutter(t *testing.T, port, to string) *wireCutter {
	t.Helper()
	c := &wireCutter{h: h, to: to}
	var l net.Listener
	var err error
	h.Do(func() { l, err = net.Listen("tcp", "127.0.0.1:"+port) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); c.cut() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			go c.join(nc)
		}
	}()
	return c
}

func (c *wireCutter) join(near net.Conn) {
	to := c.to
	if !strings.Contains(to, ":") {
		to = "127.0.0.1:" + to
	}
	far, err := c.h.Dial(to)
	if err != nil {
		near.Close()
		return
	}
	c.mu.Lock()
	c.ends = append(c.ends, near, far)
	c.mu.Unlock()
	go func() { io.Copy(far, near); far.Close() }()
	io.Copy(near, far)
	near.Close()
}

func (c *wireCutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, nc := range c.ends {
		nc.(*net.TCPConn).SetLinger(0)
		nc.Close()
	}
	c.ends = nil
}

// The connection to mles 2.9.4 is cut again and again, and the server restarted, while somebody there goes on, also with
// what he has said before: on the gateway everything arrives once and in order.
func TestUpstreamMles2ComesAndGoes(t *testing.T) {
	t.Parallel()
	const key = "upstream key"
	h, crt := newHost(t), hosts.NewCertificate(t, "localhost")
	server := h.startMles2(t, key, crt, "9443")
	wires := h.cutter(t, "9444", "9443")
	gate := h.startBehind(t, key, crt, "wss://localhost:9444/")
	vera := h.joinV1(t, "127.0.0.1:8077", key, "vera", "yard", "", nil)
	gate.connected(t, 1)
	var messages []string // of gate, at vera
	check := func() {
		t.Helper()
		hosts.Eventually(t, func() error {
			all, end := vera.received()
			var got, want [][]byte
			for _, f := range all {
				if m := string(f[16:]); !strings.HasSuffix(m, "message\x40") { // no arrival
					got = append(got, f[16:])
				}
			}
			for _, m := range messages {
				want = append(want, []byte(v1Body("gate", "yard", m)))
			}
			return differ("vera", got, want, end)
		})
	}
	fay := h.claimV2(t, upstream2, crt, key, "fay", "yard")
	says := func(said ...string) {
		t.Helper()
		for _, m := range said {
			fay.send(t, bin(m))
			messages = append(messages, m)
		}
	}
	vera.send(t, "before")
	says("on", "on", "off", "on")
	check()
	times := 1
	for i := range 4 {
		wires.cut()
		says("on", "off", fmt.Sprint("number ", i))
		times++
		gate.connected(t, times)
		check()
		vera.send(t, fmt.Sprint("vera ", i))
		hosts.Eventually(t, func() error { return fay.has(bin(fmt.Sprint("vera ", i))) })
		says("on", "on")
		check()
	}
	server.Kill()
	fay.ends(t)
	server = h.startMles2(t, key, crt, "9443")
	fay = h.claimV2(t, upstream2, crt, key, "fay", "yard")
	says("on", "on", "off", "after the restart")
	times++
	gate.connected(t, times)
	check()
	says("on")
	check()
	proved(t, "mles 2.9.4 as upstream, its connection cut %d times and the server restarted: nothing doubled or lost on the gateway", 4)
}

// connected waits until the gateway has begun to pass on what is said n times.
func (p *program) connected(t *testing.T, n int) {
	t.Helper()
	for start := time.Now(); strings.Count(p.Screen(), "upstream connected") < n; time.Sleep(50 * time.Millisecond) {
		if time.Since(start) > time.Minute { // the pauses between attempts grow
			t.Fatalf("not connected %d times", n)
		}
	}
}

// has says whether c has been sent a message.
func (c *wsClient) has(m wsMessage) error {
	all, end := c.received()
	for _, got := range all {
		if got == m {
			return nil
		}
	}
	return fmt.Errorf("%s has no %q (%v)", c.name, m, end)
}

// Channels that mles 2.9.4 does not let the gateway join stand in its log with the reason, and the others are connected.
func TestUpstreamMles2Limits(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 40 {
		many = append(many, fmt.Sprintf("room%d", i))
	}
	for name, of := range map[string]struct{ hold, logs []string }{
		"names":       {[]string{"room", "päivä"}, []string{"channel=päivä", "the channel's name is not ASCII: mles 2 takes no other"}},
		"connections": {many, []string{"closed before it answered, while", "mles 2.9.4 takes 32 connections from an address"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, crt := newHost(t), hosts.NewCertificate(t, "localhost")
			h.startMles2With(t, "", crt, "9443")
			hold := filepath.Join(t.TempDir(), "hold")
			hosts.WriteFile(t, hold, []byte(strings.Join(of.hold, "\n")))
			gate := h.startBehind(t, "", crt, upstream2, "--upstream-hold", hold)
			gate.logs(t, append([]string{"upstream not connected"}, of.logs...)...)
			proved(t, "mles 2.9.4 as upstream: what cannot be joined there is logged with the reason (%s)", name)
		})
	}
}
