package bench

import (
	"context"
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

const (
	dialTime = 30 * time.Second
	// receiveBuffer is asked for on each subscriber's socket, for every server
	// alike: so much can be under way to it.
	receiveBuffer = 1 << 20
)

// A link is one connection, joined to one channel.
type link struct {
	target    Target
	wire      wire
	conn      net.Conn
	tcp       *net.TCPConn // conn, or what is below its TLS
	uid       string
	channel   string
	publishes bool // subscribes to nothing, where the dialect can tell
	keep      int  // floor: bytes that the channel should keep for joiners
	size      int  // of messages

	key   uint64 // of v1 headers
	seed  uint32 // of mask
	mask  uint64 // what messages are XORed with
	early []byte // what came with the answer to the join

	dropped atomic.Bool // closed by us, before the trial is over
}

// role is how a link is opened.
type role struct {
	target    Target
	uid       string
	channel   string
	publishes bool
	keep      int
	small     bool // the kernel should buffer little of what the server sends
}

// open connects and joins.
func (t *trial) open(r role) (*link, error) {
	w, err := wireOf(r.target.Dialect)
	if err != nil {
		return nil, err
	}
	l := &link{target: r.target, wire: w, uid: r.uid, channel: r.channel, publishes: r.publishes, keep: r.keep, size: t.size, seed: rand.Uint32()}
	ctx, cancel := context.WithTimeout(t.ctx, dialTime)
	defer cancel()
	if err := l.connect(ctx, t.source(r.target.Addr), r.small); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", r.target.Addr, err)
	}
	stop := context.AfterFunc(ctx, func() { l.conn.Close() })
	l.early, err = w.join(l)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err == nil && !t.adopt(l) {
		err = context.Cause(t.ctx)
	}
	if err != nil {
		l.conn.Close()
		return nil, fmt.Errorf("join %s at %s: %w", r.channel, r.target.Addr, err)
	}
	t.moved.Add(1)
	return l, nil
}

// source is where a connection to addr comes from: on loopback one of 200
// addresses in turn.
func (t *trial) source(addr string) net.Addr {
	if !onLoopback(addr) {
		return nil
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+t.sources.Add(1)%200))}
}

func (l *link) connect(ctx context.Context, from net.Addr, small bool) error {
	d := net.Dialer{LocalAddr: from}
	nc, err := d.DialContext(ctx, "tcp", l.target.Addr)
	if err != nil {
		return err
	}
	l.conn = nc
	l.tcp, _ = nc.(*net.TCPConn)
	if l.tcp != nil {
		size := receiveBuffer
		if small {
			size = 4 << 10
		}
		l.tcp.SetReadBuffer(size)
	}
	if l.target.TLS == nil {
		return nil
	}
	tc := tls.Client(nc, l.target.TLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		nc.Close()
		return err
	}
	l.conn = tc
	return nil
}

func (l *link) localAddr() (netip.AddrPort, bool) {
	a, ok := l.conn.LocalAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	return a.AddrPort(), true
}

// close drops the connection without any farewell.
func (l *link) close() {
	if l.tcp != nil {
		l.tcp.Close()
		return
	}
	l.conn.Close()
}

// receive hands what comes to in until in is done, something is wrong, or the
// connection ends. moved counts messages.
func (l *link) receive(in *inbox, t *trial) error {
	src := l.source(in.size)
	if len(l.early) > 0 {
		rest, err := l.give(l.early, in, t)
		if err != nil || in.done() {
			return err
		}
		src.begin(rest)
		l.early = nil
	}
	for {
		buf, err := src.next()
		if err != nil {
			return fmt.Errorf("%s: after %d messages: %w", l.uid, in.got, err)
		}
		rest, err := l.give(buf, in, t)
		src.keep(rest)
		if err != nil || in.done() {
			return err
		}
	}
}

// give takes the whole frames at the front of buf and returns the rest.
func (l *link) give(buf []byte, in *inbox, t *trial) ([]byte, error) {
	before := in.got
	if in.lateBy != nil {
		in.now = now()
		in.lateBy.mu.Lock()
	}
	used, err := l.wire.scan(buf, in)
	if in.lateBy != nil {
		in.lateBy.mu.Unlock()
	}
	t.moved.Add(int64(in.got - before))
	if len(in.replies) > 0 && err == nil {
		_, err = l.conn.Write(in.replies)
		in.replies = in.replies[:0]
	}
	if in.fault != nil {
		err = in.fault
	} else if err != nil {
		err = fmt.Errorf("%s: %w", l.uid, err)
	}
	return buf[used:], err
}

var start = time.Now()

// now is the time in ns on the clock that messages are stamped by.
func now() int64 { return int64(time.Since(start)) }
