package v2

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/gorilla/websocket"
)

// Dialer holds what a client needs to join a channel of a v2 server. The zero
// Dialer joins servers that have no key. A Dialer is not changed by dialing and
// may be used by several goroutines at once.
type Dialer struct {
	Key    string      // shared key; "": the hello carries no auth
	TLS    *tls.Config // for wss; nil: Go's defaults
	Header http.Header // added to the upgrade request, for proxies in between; may be nil

	// ReadLimit is the longest message that Recv takes, in bytes; 0: MaxMessage.
	// The reference server passes on one byte more than that.
	ReadLimit int64

	// NetDial connects to host:port, below TLS; nil: a net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Proxy tells the HTTP proxy for a request, as http.ProxyFromEnvironment
	// does; nil: none.
	Proxy func(*http.Request) (*url.URL, error)
}

// DialError is a failure to join. It tells a server that is not there from one
// that does not speak v2 at that address.
type DialError struct {
	URL    string
	Status int // HTTP status of a server that answered but did not upgrade; 0: no answer
	Err    error
}

func (e *DialError) Error() string {
	switch {
	case e.Status == http.StatusSwitchingProtocols:
		return fmt.Sprintf("v2: %s upgraded, but not to subprotocol %s: it is no Mles server", e.URL, Subprotocol)
	case e.Status != 0:
		return fmt.Sprintf("v2: %s answered %d %s instead of a WebSocket with subprotocol %s: it is no Mles server, or has none at this path",
			e.URL, e.Status, http.StatusText(e.Status), Subprotocol)
	}
	return fmt.Sprintf("v2: dial %s: %v", e.URL, e.Err)
}

func (e *DialError) Unwrap() error { return e.Err }

// Dial connects to rawURL (ws:// or wss://), offers Subprotocol and sends the
// hello of uid and channel, with their auth if d.Key is set.
//
// Success says nothing about the hello: a server answers it only if it refuses,
// by closing, which Recv then returns (as *websocket.CloseError).
//
// ctx bounds connecting, upgrading and sending; it has no bearing on the
// connection afterwards. Names that no server takes are a *HelloError or
// ErrUTF8 at once; every other error is a *DialError.
func (d *Dialer) Dial(ctx context.Context, rawURL, uid, channel string) (*ClientConn, error) {
	hello, err := d.hello(uid, channel)
	if err != nil {
		return nil, err
	}
	return d.dial(ctx, rawURL, hello)
}

// DialWithoutHello connects as Dial does and sends nothing: for the other dialect of
// the subprotocol, v1 over WebSocket, in which every message is a binary one that
// names uid and channel itself. Its errors are those of Dial; d.Key is not used.
func (d *Dialer) DialWithoutHello(ctx context.Context, rawURL string) (*ClientConn, error) {
	return d.dial(ctx, rawURL, nil)
}

// dial joins with a hello, if there is one.
func (d *Dialer) dial(ctx context.Context, rawURL string, hello []byte) (*ClientConn, error) {
	c, status, err := d.join(ctx, rawURL, hello)
	if ctx.Err() != nil && err != nil {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return nil, &DialError{URL: rawURL, Status: status, Err: err}
	}
	return c, nil
}

// hello makes the first frame, and holds it to what a server will.
func (d *Dialer) hello(uid, channel string) ([]byte, error) {
	h := Hello{UID: uid, Channel: channel}
	if d.Key != "" {
		h.Auth, h.HasAuth = FormatAuth(Auth(uid, channel, d.Key)), true
	}
	text := h.Append(nil)
	back, err := ParseHello(text)
	if err == nil && back != h { // Append mended invalid UTF-8
		err = ErrUTF8
	}
	return text, err
}

// join connects, upgrades and sends the hello, unless that is nil. The status is that of the
// server's answer where that was the trouble, else 0.
func (d *Dialer) join(ctx context.Context, rawURL string, hello []byte) (*ClientConn, int, error) {
	// gorilla heeds the deadline of a context but not its cancellation, once it
	// has connected.
	var hangUp func() bool
	connect := func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := d.netDial(ctx, network, addr)
		if err == nil {
			hangUp = context.AfterFunc(ctx, func() { nc.Close() })
		}
		return nc, err
	}
	conn, status, err := d.upgrade(ctx, rawURL, connect)
	if err != nil {
		return nil, status, err
	}
	c := newClientConn(conn, d.ReadLimit)
	if hello != nil {
		err = c.Send(OpText, hello)
	}
	if hangUp != nil && !hangUp() && err == nil {
		err = net.ErrClosed
	}
	if err != nil {
		conn.Close()
		return nil, 0, err
	}
	return c, 0, nil
}

func (d *Dialer) netDial(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.NetDial != nil {
		return d.NetDial(ctx, network, addr)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, addr)
}

// upgrade opens the WebSocket; connect makes the connection below TLS.
func (d *Dialer) upgrade(ctx context.Context, rawURL string,
	connect func(context.Context, string, string) (net.Conn, error)) (*websocket.Conn, int, error) {
	ws := websocket.Dialer{
		NetDialContext:  connect,
		Proxy:           d.Proxy,
		TLSClientConfig: d.TLS,
		Subprotocols:    []string{Subprotocol},
		WriteBufferSize: 1024,
		WriteBufferPool: noBuffers{}, // ClientConn writes its own frames
	}
	conn, answer, err := ws.DialContext(ctx, rawURL, d.Header)
	switch {
	case errors.Is(err, websocket.ErrBadHandshake) && answer != nil:
		return nil, answer.StatusCode, err
	case err != nil:
		return nil, 0, err
	case conn.Subprotocol() != Subprotocol:
		conn.Close()
		return nil, http.StatusSwitchingProtocols, websocket.ErrBadHandshake
	}
	return conn, 0, nil
}
