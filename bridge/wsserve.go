package bridge

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"mles/v2"
)

// maxHeader bounds the HTTP header of an upgrade request.
const maxHeader = 16 << 10

// serveHTTP runs an HTTP server on the connections of l, each of which prepare
// hands on when it is ready for HTTP. When the gateway is shut down, requests that
// are being answered end first.
func (g *Gateway) serveHTTP(l net.Listener, service Service, handler http.HandlerFunc, prepare func(s *socket, ready func(net.Conn))) error {
	q := &queue{addr: l.Addr(), conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: joinTime,
		IdleTimeout:       joinTime,
		MaxHeaderBytes:    maxHeader,
		HTTP2: &http.HTTP2Config{ // as TLS's ALPN has it
			MaxConcurrentStreams:          64,
			MaxReceiveBufferPerConnection: 256 << 10,
			MaxReceiveBufferPerStream:     64 << 10,
			WriteByteTimeout:              visitStall,
		},
		ErrorLog: slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
		ConnState: func(c net.Conn, state http.ConnState) {
			if s := below(c); s != nil && state == http.StateClosed && !s.joined.Load() {
				g.sawNoRequest(s)
			}
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, socketKey{}, below(c))
		},
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.Serve(q)
	}()
	err := g.acceptor.run(l, service, func(s *socket) { prepare(s, q.push) })
	q.Close()
	<-done
	g.waitFor(server)
	return err
}

// sawNoRequest logs a connection that was closed before it had asked anything.
// Where there is a site, that is a browser which connected in case it would.
func (g *Gateway) sawNoRequest(s *socket) {
	if s.asked.Load() { // and has been told, as the log has
		return
	}
	if g.conf.Site == nil || s.overfull {
		g.refuseSocket(s, "no request", nil)
		return
	}
	g.log.Debug("closed before a request", "client", s.name())
}

// waitFor lets a server's requests end until the gateway is closed.
func (g *Gateway) waitFor(server *http.Server) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-g.closing:
			cancel()
		case <-ctx.Done():
		}
	}()
	server.Shutdown(ctx)
	server.Close()
}

// socketKey finds the socket of a request's connection in its context.
type socketKey struct{}

func socketOf(r *http.Request) *socket {
	s, _ := r.Context().Value(socketKey{}).(*socket)
	return s
}

// below returns the socket that carries c, or nil where it is another's.
func below(c net.Conn) *socket {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	s, _ := c.(*socket)
	return s
}

// queue is a listener of connections that others have accepted.
type queue struct {
	addr   net.Addr
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (q *queue) push(c net.Conn) {
	select {
	case q.conns <- c:
	case <-q.closed:
		c.Close()
	}
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.closed:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.once.Do(func() { close(q.closed) })
	return nil
}

func (q *queue) Addr() net.Addr { return q.addr }

// serve has the site answer a request, or makes a WebSocket of it where the page that
// asks for that may.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	if s := socketOf(r); s != nil {
		s.asked.Store(true)
	}
	r, whose := g.asAsked(r)
	if g.isForSite(r) {
		g.visit(w, whose.asTold(r), g.conf.Site)
		return
	}
	if g.admitsOrigin(w, r) {
		g.upgrade(w, r, whose)
	}
}

// upgrade makes a WebSocket of a request and serves what its first frame begins.
func (g *Gateway) upgrade(w http.ResponseWriter, r *http.Request, of whose) {
	s := socketOf(r)
	if of.told && s != nil && !g.letsVia(w, s, of.client) {
		return
	}
	c := &wsconn{g: g, gateway: identityIn(r.Header)}
	var header http.Header
	if c.gateway != "" {
		header = http.Header{gatewayHeader: {g.identity}}
	}
	ws, err := v2.UpgradeWith(&hijacker{ResponseWriter: w, conn: c, r: r, whose: of}, r, header)
	if err != nil {
		if of.told && s != nil { // the proxy may ask for another client next
			g.addresses.reveal(s, of.client, true)
		}
		const reason = "no upgrade"
		g.counters.refused(reason)
		g.log.Warn("refused", "dialect", "v2", "client", r.RemoteAddr, "reason", reason+": "+err.Error())
		if c.wire != nil {
			c.wire.Close()
		}
		return
	}
	c.start(ws)
}

// letsVia has a connection of a trusted proxy be its client's, unless that has too many.
func (g *Gateway) letsVia(w http.ResponseWriter, s *socket, client netip.AddrPort) bool {
	g.addresses.reveal(s, client, false)
	g.unjoined.move(s, client.Addr())
	ok, reason := g.lets(s)
	if !ok {
		w.Header().Set("Connection", "close")
		w.Header().Set("Retry-After", "10")
		http.Error(w, reason, http.StatusTooManyRequests)
	}
	return ok
}

// hijacker puts a wire of ours below the WebSocket that takes over a request's
// connection.
type hijacker struct {
	http.ResponseWriter
	conn *wsconn
	r    *http.Request
	whose
}

var errOverfull = errors.New("too many connections")

var errNoHijack = errors.New("the HTTP server does not give its connection away")

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	under, ok := h.ResponseWriter.(http.Hijacker)
	if !ok {
		return nil, nil, errNoHijack
	}
	nc, buffered, err := under.Hijack()
	if err != nil {
		return nil, nil, err
	}
	s := socketOf(h.r)
	if s == nil { // another program's HTTP server
		if s = h.conn.g.acceptor.admit(nc, nil, ofOthers); s == nil {
			return nil, nil, errOverfull
		}
		nc = s
		if h.told {
			h.conn.g.addresses.reveal(s, h.client, false)
			if ok, _ := h.conn.g.lets(s); !ok {
				s.Close()
				return nil, nil, errOverfull
			}
		}
	}
	s.mustJoin()
	h.conn.sock = s
	w := &wire{Conn: nc, c: h.conn}
	h.conn.wire = w
	if buffered.Reader.Buffered() == 0 { // else gorilla refuses what came too early
		w.buffer = bufio.NewReaderSize(w, wireBuffer)
		buffered.Reader = w.buffer
	}
	return w, buffered, nil
}
