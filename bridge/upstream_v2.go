package bridge

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"mles/bridge/bus"
	"mles/v1"
	"mles/v2"
)

// v2transport reaches a v2 server, or another gateway, over WebSocket.
type v2transport struct {
	g    *Gateway
	conf Upstream
	at   address
	tls  *tls.Config // nil: without
	open atomic.Int32
}

func newV2Transport(g *Gateway, conf Upstream, at address) *v2transport {
	t := &v2transport{g: g, conf: conf, at: at}
	if at.scheme == "wss" {
		t.tls = tlsTo(conf.TLS, at.host).Clone()
		t.tls.NextProtos = []string{"http/1.1"}
	}
	return t
}

func (t *v2transport) dialect() bus.Dialect { return onLink }
func (t *v2transport) borrows() bool        { return false }
func (t *v2transport) reminds() bool        { return false }

// inspect implements [transport]. Arrivals are the gateway's own texts; see
// [appendArrival].
func (t *v2transport) inspect(p []byte) (size int, d digest, who string, arrives bool) {
	f := firstFrameOf(p)
	if f.op == v2.OpText {
		who, arrives = parseArrival(f.payload, t.g.identity)
	}
	if arrives {
		return f.size, arrivalDigest(who), who, true
	}
	return f.size, messageDigest(f.op, f.payload), "", false
}

func (t *v2transport) digest(e *bus.Event) digest {
	if e.Join {
		return arrivalDigest(e.UID)
	}
	return messageDigest(e.Op, e.Message)
}

// messageDigest tells apart messages that differ in their opcode only.
func messageDigest(op byte, message []byte) digest {
	d := digestOf(message)
	d.lo ^= uint64(op)
	return d
}

// arrivalDigest is no message's.
func arrivalDigest(uid string) digest {
	d := digestOf([]byte(uid))
	d.lo ^= 0xff
	return d
}

// A linkFrame is a frame as the bus gives it to members of onLink: final, with its
// payload as it is.
type linkFrame struct {
	op      byte
	payload []byte
	size    int // with what stands before the payload
}

// firstFrameOf returns the first of whole frames.
func firstFrameOf(p []byte) linkFrame {
	for n := 2; n <= len(p); n++ {
		if size, ok := payloadSize(p[:n]); ok && size <= uint64(len(p)-n) {
			end := n + int(size)
			return linkFrame{op: p[0] & 0x0f, payload: p[n:end:end], size: end}
		}
		if n == 10 {
			break
		}
	}
	panic("bridge: the bus gave half a frame as a whole one")
}

// key is the shared key of the server, "" where it has none.
func (t *v2transport) key(channel string) string {
	if t.conf.Key != "" {
		return t.conf.Key
	}
	if known := knownElsewhere(t.g.keys().v2, channel); len(known) > 0 {
		return known[0]
	}
	return ""
}

// dial connects and upgrades.
func (t *v2transport) dial(ctx context.Context, channel string) (uplink, error) {
	if channel == "" {
		return nil, &unjoinable{"v2 has no channel without a name"}
	}
	l := &v2uplink{t: t, channel: channel, max: v1.MaxMessage("", channel)}
	url := t.at.scheme + "://" + t.at.host + t.at.path
	d := websocket.Dialer{
		NetDialContext:    l.connect(nil),
		NetDialTLSContext: l.connect(t.tls),
		Subprotocols:      []string{v2.Subprotocol},
		ReadBufferSize:    pieceBytes,
		WriteBufferSize:   256, // for the request: it writes its own frames
	}
	ws, answer, err := d.DialContext(ctx, url, http.Header{gatewayHeader: {t.g.identity}})
	if err == nil && ws.Subprotocol() != v2.Subprotocol {
		ws.Close()
		err = websocket.ErrBadHandshake
	}
	if err != nil {
		return nil, t.failed(ctx, err, answer)
	}
	if err := l.upgraded(ws, identityIn(answer.Header)); err != nil {
		ws.Close()
		return nil, err
	}
	return l, nil
}

// connect returns what dials for gorilla, which heeds the deadline of a context
// but not its end.
func (l *v2uplink) connect(conf *tls.Config) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, host string) (net.Conn, error) {
		nc, _, err := l.t.conf.connect(ctx, host, conf)
		if err != nil {
			return nil, err
		}
		l.wire = &uplinkWire{Conn: nc, l: l}
		l.wire.stop = context.AfterFunc(ctx, func() { nc.Close() })
		return l.wire, nil
	}
}

// failed says why a server cannot be reached.
func (t *v2transport) failed(ctx context.Context, err error, answer *http.Response) error {
	n := t.open.Load()
	switch {
	case ctx.Err() != nil:
		return errors.Join(ctx.Err(), err)
	case n > 0 && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)):
		return &unjoinable{fmt.Sprintf("closed before it answered, while %d other channels are connected: "+
			"mles 2.9.4 takes 32 connections from an address unless told otherwise (--per-ip-limit)", n)}
	case errors.Is(err, websocket.ErrBadHandshake) && answer != nil:
		return &v2.DialError{URL: t.conf.URL, Status: answer.StatusCode, Err: err}
	}
	return err
}

// asciiOnly says whether mles 2 takes s for a name.
func asciiOnly(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
