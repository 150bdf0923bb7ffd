package v1

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

// Dialer holds how a client connects and authenticates. Its zero value connects by TCP with an address
// key. It may be used for any number of connections, at the same time too, while nobody changes it.
type Dialer struct {
	Key     string // the key shared with the server; empty: the client's own address stands for it
	AddrKey string // follows the address in the hash; without meaning if Key is set
	// MappedAddr spells an IPv4 address as ::ffff:a.b.c.d, all groups written out. The reference server
	// sees IPv4 clients so, and refuses the dotted form that its own clients hash (spec.md, "Key").
	MappedAddr bool
	CID        uint32      // connection id; 0: the low half of the key
	TLS        *tls.Config // nil: no TLS; an empty ServerName is taken from the address
	Dialer     net.Dialer  // how to connect, with which time limit, from which address
}

// Dial connects to addr, "host:port" or "host" for DefaultPort, and joins channel as uid by sending the
// first frame, with first as its message; an empty one only joins. A v1 server answers nothing: a
// refusal shows as io.EOF or a reset when reading. ctx ends the attempt, not the connection. It fails
// with ErrTooLarge before connecting if first does not fit a frame.
func (d *Dialer) Dial(ctx context.Context, addr, uid, channel string, first []byte) (*ClientConn, error) {
	if len(first) > MaxMessage(uid, channel) {
		return nil, ErrTooLarge
	}
	if _, _, err := net.SplitHostPort(addr); err != nil {
		addr = net.JoinHostPort(strings.Trim(addr, "[]"), DefaultPort)
	}
	nc, err := d.connect(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("v1: %w", err)
	}
	c, err := d.join(ctx, nc, uid, channel, first)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("v1: join: %w", err)
	}
	return c, nil
}

func (d *Dialer) connect(ctx context.Context, addr string) (net.Conn, error) {
	if d.TLS == nil {
		return d.Dialer.DialContext(ctx, "tcp", addr)
	}
	t := tls.Dialer{NetDialer: &d.Dialer, Config: d.TLS}
	return t.DialContext(ctx, "tcp", addr)
}

func (d *Dialer) join(ctx context.Context, nc net.Conn, uid, channel string, first []byte) (*ClientConn, error) {
	key, err := d.key(nc.LocalAddr(), uid, channel)
	if err != nil {
		return nil, err
	}
	c := &ClientConn{Conn: NewConn(nc), uid: uid, channel: channel, key: key, cid: d.CID}
	if c.cid == 0 {
		c.cid = CID(key)
	}
	stop := context.AfterFunc(ctx, func() { nc.SetWriteDeadline(time.Unix(1, 0)) })
	err = c.Send(first)
	if !stop() {
		return nil, context.Cause(ctx)
	}
	return c, err
}

// key computes what authenticates a connection whose own address is local.
func (d *Dialer) key(local net.Addr, uid, channel string) (uint64, error) {
	if d.Key != "" {
		return Key(d.Key, uid, channel), nil
	}
	tcp, ok := local.(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("no address key without a TCP address: %v", local)
	}
	spellings := AddrSpellings(tcp.AddrPort())
	addr := spellings[0]
	if d.MappedAddr {
		addr = spellings[len(spellings)-1]
	}
	if d.AddrKey != "" {
		return Key(addr, d.AddrKey, uid, channel), nil
	}
	return Key(addr, uid, channel), nil
}

// ClientConn is a client's connection that has joined a channel. Send may be called beside Recv and by
// several goroutines.
type ClientConn struct {
	*Conn
	uid, channel string // fixed, as key and cid
	key          uint64
	cid          uint32

	out []byte // the frame being sent; guarded by wmu
}

// maxSpareOut bounds what a ClientConn keeps of the buffer for its frames, in bytes.
const maxSpareOut = 64 << 10

// Send sends a frame with the connection's uid and channel. The channel's other members receive it,
// the sender does not. It fails with ErrTooLarge, having sent nothing, or as WriteFrame does.
func (c *ClientConn) Send(message []byte) error {
	if len(message) > MaxMessage(c.uid, c.channel) {
		return ErrTooLarge
	}
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.out = AppendFrame(c.out[:0], c.cid, c.key, Msg{UID: c.uid, Channel: c.channel, Message: message})
	err := c.writeLocked(c.out)
	if cap(c.out) > maxSpareOut {
		c.out = nil
	}
	return err
}

// Recv waits for the next message of the channel, which is the caller's to keep: first those of the
// history, then live ones. An empty Message says that its UID has joined. What is no Msg, a ResyncMsg
// among them, is passed over. It fails as ReadFrame does.
func (c *ClientConn) Recv() (Msg, error) {
	for {
		f, err := c.ReadFrame()
		if err != nil {
			return Msg{}, err
		}
		if m, err := DecodeMsg(f.Body()); err == nil {
			m.Message = bytes.Clone(m.Message)
			return m, nil
		}
	}
}
