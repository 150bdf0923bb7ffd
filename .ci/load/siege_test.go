//go:build load

package load

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// keptOut is how long a siege may keep an honest client out at most.
const keptOut = 2 * time.Second

// Attackers come from networks of their own, of which the listeners of a siege expect a PROXY protocol header from one.
const (
	behindProxies = 2 // 127.0.2.0/24
	direct        = 3 // 127.0.3.0/24
)

// from dials from an address of such a network.
func from(network, host byte) *net.Dialer {
	local := &net.TCPAddr{IP: net.IPv4(127, 0, network, host)}
	return &net.Dialer{Timeout: 5 * time.Second, LocalAddr: local, Control: smallBuffers}
}

// A slowness is a way not to join, as slowly as can be. It returns when the gateway has had enough.
type slowness struct {
	name string
	from byte // network
	do   func(tr transport, nc net.Conn)
}

var slownesses = []slowness{
	{"nothing", direct, func(_ transport, nc net.Conn) { drip(nc, nil) }},
	{"PROXY header byte by byte", behindProxies, func(_ transport, nc net.Conn) {
		drip(nc, []byte("PROXY TCP6 2001:0db8:0000:0000:0000:0000:0000:0007 2001:0db8:0000:0000:0000:0000:0000:0001 47111 8077\r\n"))
	}},
	{"no PROXY header", behindProxies, func(_ transport, nc net.Conn) { drip(nc, nil) }},
	{"PROXY header and nothing", behindProxies, func(_ transport, nc net.Conn) {
		io.WriteString(nc, "PROXY TCP4 203.0.113.7 192.0.2.1 4711 8077\r\n")
		drip(nc, nil)
	}},
	{"first header byte by byte", direct, within(func(tr transport, nc net.Conn) {
		if tr.v2() {
			drip(nc, []byte(upgrade+strings.Repeat("X-Filler: x\r\n", 100)))
			return
		}
		head := make([]byte, 16)
		v1Header(head, 1000, 0)
		drip(nc, append(head, make([]byte, 1000)...))
	})},
	{"TLS hello byte by byte", direct, func(_ transport, nc net.Conn) { drip(nc, clientHello()) }},
	{"TLS hello and nothing", direct, func(_ transport, nc net.Conn) {
		nc.Write(clientHello())
		drip(nc, nil)
	}},
	{"TLS done and nothing", direct, within(func(_ transport, nc net.Conn) { drip(nc, nil) })},
	{"upgraded and nothing", direct, within(func(tr transport, nc net.Conn) {
		if !tr.v2() || upgraded(nc) == nil {
			drip(nc, nil)
		}
	})},
	{"hello byte by byte", direct, within(func(tr transport, nc net.Conn) {
		if !tr.v2() || upgraded(nc) == nil {
			drip(nc, wsFrame(nil, opText, append(hello("mallory", "siege"), strings.Repeat(" ", 1000)...)))
		}
	})},
	{"half a first frame", direct, within(func(tr transport, nc net.Conn) {
		head := make([]byte, 16)
		v1Header(head, 0xffffff, v1Key(sharedKey, "mallory", "siege"))
		nc.Write(append(head, make([]byte, 100<<10)...))
		drip(nc, nil)
	})},
	{"refused, and stays", direct, within(func(tr transport, nc net.Conn) {
		nc.Write(v1Frame(nil, 1, "mallory", "siege", nil))
		drip(nc, nil)
	})},
}

// within does it within TLS where the listener has that.
func within(do func(transport, net.Conn)) func(transport, net.Conn) {
	f := inner(func(tr transport, nc net.Conn, _ *rand.Rand) { do(tr, nc) })
	return func(tr transport, nc net.Conn) { f(tr, nc, nil) }
}

// drip writes b, a byte each 100 ms, and waits for the end.
func drip(nc net.Conn, b []byte) {
	var waste [4096]byte
	for {
		if len(b) > 0 {
			if _, err := nc.Write(b[:1]); err != nil {
				return
			}
			b = b[1:]
		}
		patience := starved
		if len(b) > 0 {
			patience = 100 * time.Millisecond
		}
		nc.SetReadDeadline(time.Now().Add(patience))
		if _, err := nc.Read(waste[:]); err != nil && !isPatience(err) {
			return
		}
	}
}

func isPatience(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// siege keeps n besiegers at the gates until it is stopped: whoever is thrown out comes again.
type siege struct {
	stopped chan struct{}
	running sync.WaitGroup
	comings atomic.Int64

	mu   sync.Mutex
	open map[net.Conn]bool
}

var gates = []transport{v1TCP, v1TLS, v2TLS, v2Plain}

func (d *daemon) besiege(n, addresses int) *siege {
	s := &siege{stopped: make(chan struct{}), open: make(map[net.Conn]bool)}
	for i := range n {
		s.running.Go(func() {
			for !s.over() {
				how, tr := slownesses[i%len(slownesses)], gates[i/len(slownesses)%len(gates)]
				nc, err := from(how.from, byte(1+i%addresses)).Dial("tcp", d.addr(tr))
				if err != nil {
					time.Sleep(50 * time.Millisecond)
					continue
				}
				s.comings.Add(1)
				if s.keep(nc) {
					nc.SetWriteDeadline(time.Now().Add(starved))
					how.do(tr, nc)
				}
				s.drop(nc)
			}
		})
	}
	return s
}

// flood has hands open connections as fast as they can, and keep the last few of them.
func (s *siege) flood(d *daemon, hands, each int) {
	for i := range hands {
		s.running.Go(func() {
			var held []net.Conn
			for k := i; !s.over(); k++ {
				nc, err := from(direct, byte(1+i%2)).Dial("tcp", d.addr(gates[k%len(gates)]))
				if err != nil {
					time.Sleep(10 * time.Millisecond)
					continue
				}
				s.comings.Add(1)
				s.keep(nc)
				if held = append(held, nc); len(held) > each {
					s.drop(held[0])
					held = held[1:]
				}
			}
			for _, nc := range held {
				s.drop(nc)
			}
		})
	}
}

func (s *siege) over() bool {
	select {
	case <-s.stopped:
		return true
	default:
		return false
	}
}

func (s *siege) keep(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[nc] = true
	return !s.over()
}

func (s *siege) drop(nc net.Conn) {
	nc.(*net.TCPConn).SetLinger(0) // thousands of ports would have to wait otherwise
	nc.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, nc)
}

func (s *siege) stop() {
	close(s.stopped)
	s.mu.Lock()
	for nc := range s.open {
		nc.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// getsIn joins as an honest client does that comes again when it is refused, and returns how long it took until it was
// given the channel's history.
func (d *daemon) getsIn(tr transport, uid string) (took time.Duration, tries int, err error) {
	begun := time.Now()
	for tries = 1; ; tries++ {
		if err = d.getsInOnce(tr, uid); err == nil {
			return time.Since(begun), tries, nil
		}
		if time.Since(begun) > 10*keptOut {
			return time.Since(begun), tries, fmt.Errorf("%s on %s: %w", uid, tr, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (d *daemon) getsInOnce(tr transport, uid string) error {
	c, err := d.join(&net.Dialer{Timeout: keptOut}, tr, uid, "siege", "")
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * keptOut))
	message, err := c.recv()
	if err == nil && string(message) != "inside" {
		err = fmt.Errorf("received %q", message)
	}
	return err
}

// TestSiege has 200 slow attackers and a flood of connections at all listeners, while honest clients come and go: with
// room for all, with less room than there are attackers, and with limits for each address.
func TestSiege(t *testing.T) {
	lasts := 20 * time.Second
	if testing.Short() {
		lasts = 5 * time.Second
	}
	const proxies = "127.0.2.0/24"
	proxy := "--proxy-protocol=v1=" + proxies + ",v1-tls=" + proxies + ",v2=" + proxies + ",plain=" + proxies
	for _, c := range []struct {
		name      string
		addresses int // of attackers
		flags     []string
	}{
		{"room for all", 1, nil},
		{"less room", 1, []string{"--max-connections=150"}},
		{"less room, an address each", 200, []string{"--max-connections=150"}},
		{"limits", 1, []string{"--max-connections=150", "--per-ip-limit=20", "--rate-limit=30/s", "--limit-exempt=127.0.0.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := start(t, options{}, append([]string{proxy, "--memory-limit=512MiB", "--log-level=info"}, c.flags...)...)
			resident := d.member(t, v1TCP, "resident", "siege")
			if err := resident.send([]byte("inside")); err != nil {
				t.Fatal(err)
			}
			pair := d.honest(t)
			d.joined(t, 3)
			s := d.besiege(200, c.addresses)
			time.Sleep(time.Second) // they are all there
			s.flood(d, 4, 50)

			var mu sync.Mutex
			var times []time.Duration
			refused := 0
			var honest sync.WaitGroup
			for i, tr := range gates {
				honest.Go(func() {
					for begun, k := time.Now(), 0; time.Since(begun) < lasts; k++ {
						took, tries, err := d.getsIn(tr, fmt.Sprintf("honest-%d-%d", i, k))
						mu.Lock()
						times = append(times, took)
						refused += tries - 1
						mu.Unlock()
						if err != nil {
							t.Error(err)
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
				})
			}
			honest.Wait()
			s.stop()
			slices.Sort(times)
			if worst := times[len(times)-1]; worst > keptOut && !raceDetector {
				t.Errorf("an honest client was kept out for %s", worst)
			}
			settles(t, "the number of connections", 3, starved, func() float64 { return d.metric(t, "mles_connections") })
			report := pair.stop(t)
			d.within(t, memoryLimit)
			t.Logf("siege, %s: %d connections of attackers, %g refused; %d honest ones in, after %d refusals, median %s, worst %s; %d log lines, peak %s; %s",
				c.name, s.comings.Load(), d.metric(t, "mles_refusals_total"), len(times), refused, times[len(times)/2].Round(time.Millisecond),
				times[len(times)-1].Round(time.Millisecond), len(d.log("")), mib(d.status(t, "VmHWM")), report)
		})
	}
}
