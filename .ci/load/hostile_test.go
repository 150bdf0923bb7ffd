//go:build load

package load

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// An abuse writes something that is no Mles, nor TLS, nor HTTP, or only the beginning of it, to a new connection.
type abuse struct {
	name string
	do   func(tr transport, nc net.Conn, random *rand.Rand)
}

var abuses = []abuse{
	{"nothing", func(transport, net.Conn, *rand.Rand) {}},
	{"random bytes", func(_ transport, nc net.Conn, r *rand.Rand) { nc.Write(noise(r, 1+r.IntN(8192))) }},
	{"zeros", func(_ transport, nc net.Conn, r *rand.Rand) { nc.Write(make([]byte, 1+r.IntN(100_000))) }},
	{"truncated TLS hello", func(_ transport, nc net.Conn, r *rand.Rand) {
		hello := clientHello()
		nc.Write(hello[:1+r.IntN(len(hello)-1)])
	}},
	{"changed TLS hello", func(_ transport, nc net.Conn, r *rand.Rand) {
		hello := clientHello()
		for range 8 {
			hello[5+r.IntN(len(hello)-5)] ^= byte(1 + r.IntN(255))
		}
		nc.Write(hello)
	}},
	{"half HTTP header", inner(func(_ transport, nc net.Conn, r *rand.Rand) { io.WriteString(nc, upgrade[:1+r.IntN(len(upgrade)-1)]) })},
	{"oversized HTTP header", inner(func(_ transport, nc net.Conn, r *rand.Rand) {
		io.WriteString(nc, upgrade+"X-Filler: "+strings.Repeat("x", 20_000+r.IntN(200_000))+"\r\n"+subprotocol)
	})},
	{"random bytes inside", inner(func(_ transport, nc net.Conn, r *rand.Rand) { nc.Write(noise(r, 1+r.IntN(8192))) })},
	{"no subprotocol", inner(func(_ transport, nc net.Conn, r *rand.Rand) { io.WriteString(nc, upgrade+"\r\n") })},
	{"half v1 header", inner(func(_ transport, nc net.Conn, r *rand.Rand) { nc.Write([]byte("M\x00\x01\x00abcdefgh")[:1+r.IntN(12)]) })},
	{"wrong key", inner(func(_ transport, nc net.Conn, r *rand.Rand) {
		nc.Write(v1Frame(nil, r.Uint64(), "mallory", "honest", noise(r, 99)))
	})},
	{"body of noise", inner(func(_ transport, nc net.Conn, r *rand.Rand) {
		b := append(make([]byte, 16), noise(r, 300)...)
		v1Header(b, 300, v1Key(sharedKey, "", ""))
		nc.Write(b)
	})},
	{"random frames after the upgrade", inside(func(r *rand.Rand) []byte { return noise(r, 1+r.IntN(4096)) })},
	{"half hello", inside(func(r *rand.Rand) []byte {
		b := wsFrame(nil, opText, hello("mallory", "honest"))
		return b[:1+r.IntN(len(b)-1)]
	})},
	{"wrong auth", inside(func(r *rand.Rand) []byte {
		return wsFrame(nil, opText, fmt.Appendf(nil, `{"uid":"bob","channel":"honest","auth":"%x"}`, r.Uint64()))
	})},
	{"noise for a hello", inside(func(r *rand.Rand) []byte { return wsFrame(nil, opText, noise(r, 1+r.IntN(20_000))) })},
	{"unmasked", inside(func(r *rand.Rand) []byte { return append([]byte{final | opText, 50}, noise(r, 50)...) })},
	{"frame of 2^62 bytes", inside(func(r *rand.Rand) []byte {
		return append([]byte{final | opText, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0}, noise(r, 999)...)
	})},
	{"noise after the join", inside(func(r *rand.Rand) []byte {
		b := wsFrame(nil, opText, hello(fmt.Sprint("mallory-", r.Uint64()), "hostile"))
		return append(b, noise(r, 1+r.IntN(4096))...)
	})},
	{"text that is not UTF-8", inside(func(r *rand.Rand) []byte {
		b := wsFrame(nil, opText, hello(fmt.Sprint("mallory-", r.Uint64()), "hostile"))
		return wsFrame(b, opText, []byte{0xff, 0xfe})
	})},
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// clientHello is what a TLS client sends first.
func clientHello() []byte {
	var hello recorder
	tls.Client(&hello, &tls.Config{InsecureSkipVerify: true}).Handshake()
	return hello.Bytes()
}

// recorder is a connection that notes what is written and answers nothing.
type recorder struct {
	net.Conn
	bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) { return r.Buffer.Write(p) }
func (r *recorder) Read([]byte) (int, error)    { return 0, io.EOF }
func (r *recorder) Close() error                { return nil }

// inner does it within TLS where the listener has that.
func inner(do func(transport, net.Conn, *rand.Rand)) func(transport, net.Conn, *rand.Rand) {
	return func(tr transport, nc net.Conn, r *rand.Rand) {
		if tr == v1TLS || tr == v2TLS {
			tc := tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
			if tc.Handshake() != nil {
				return
			}
			nc = tc
		}
		do(tr, nc, r)
	}
}

// inside writes bytes to a WebSocket; v1 listeners get them as they are.
func inside(bytes func(*rand.Rand) []byte) func(transport, net.Conn, *rand.Rand) {
	return inner(func(tr transport, nc net.Conn, r *rand.Rand) {
		if !tr.v2() || upgraded(nc) == nil {
			nc.Write(bytes(r))
		}
	})
}

// TestHostile opens 2,000 connections over all listeners and abuses them; half are left open for the gateway to close.
// None of them is left behind, and an honest pair does not notice.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Parallel()
	}
	n := 2000
	if testing.Short() {
		n = 640
	}
	d := start(t, options{}, "--memory-limit=512MiB")
	pair := d.honest(t)
	d.joined(t, 2)
	descriptors, goroutines := d.descriptors(t), d.metric(t, "go_goroutines")
	held := d.metric(t, "mles_memory_bytes")
	var byGateway atomic.Int64
	err := each(n, n, func(i int) error {
		tr := []transport{v1TCP, v1TLS, v2TLS, v2Plain}[i%4]
		a := abuses[i/4%len(abuses)]
		nc, err := plainDialer.Dial("tcp", d.addr(tr))
		if err != nil {
			return err
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(starved))
		a.do(tr, nc, rand.New(rand.NewPCG(uint64(i), 8)))
		if i/(4*len(abuses))%2 == 1 {
			return nil // gone without a word
		}
		for buf := make([]byte, 4096); err == nil; {
			_, err = nc.Read(buf)
		}
		if timeout, ok := err.(net.Error); ok && timeout.Timeout() {
			return fmt.Errorf("%s on %s is left open", a.name, tr)
		}
		byGateway.Add(1)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	settles(t, "the number of connections", 2, starved, func() float64 { return d.metric(t, "mles_connections") })
	settles(t, "the number of members", 2, starved, func() float64 { return d.metric(t, "mles_members") })
	settles(t, "the number of descriptors", float64(descriptors)+2, starved, func() float64 { return float64(d.descriptors(t)) })
	settles(t, "the number of goroutines", goroutines+5, starved, func() float64 { return d.metric(t, "go_goroutines") })
	settles(t, "the counted memory", held+1<<20, starved, func() float64 { return d.metric(t, "mles_memory_bytes") })
	d.exchange(t, "after")
	report := pair.stop(t)
	d.within(t, memoryLimit)
	t.Logf("hostile: %d connections with %d kinds of abuse on 4 listeners, %d closed by the gateway, nothing left; %g refusals counted, %d log lines, peak %s; %s",
		n, len(abuses), byGateway.Load(), d.metric(t, "mles_refusals_total"), len(d.log("")), mib(d.status(t, "VmHWM")), report)
}
