package bridge

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

// keepAlive finds out that a silent peer is gone: asked after 60 s, given up
// after 15 minutes.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: time.Minute, Count: 14}

// refusalSlack is how many connections over the limit are open at a time only
// to be told so.
const refusalSlack = 64

// acceptor takes connections from listeners: it counts them against the limit,
// survives whatever accepting may fail with, and does the TLS handshakes.
type acceptor struct {
	g     *Gateway
	slots chan struct{} // one for each TLS handshake that is being computed

	// overfull are the connections over the limit that are open to be told so. They
	// take nobody's place, however long they take over being told.
	overfull atomic.Int64

	fullLog *bunched
	failLog rate.Sometimes
}

func newAcceptor(g *Gateway) *acceptor {
	return &acceptor{
		g:     g,
		slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0)),

		fullLog: newBunched(),
		failLog: rate.Sometimes{Interval: time.Second},
	}
}

// A socket is an accepted connection below TLS.
type socket struct {
	net.Conn
	tcp      *net.TCPConn // nil where it is none
	via      net.Listener // that accepted it; nil where another program did
	g        *Gateway
	accepted time.Time
	in       inbox
	out      outlet

	// Guarded by g.addresses.mu until it joins, and fixed then.
	addr    netip.AddrPort // the client's; invalid where it has none
	told    bool           // … as a proxy says, and not the connection's other end
	byProxy bool           // that one is a proxy which has yet to say whose the connection is
	counted uint32         // for its address, in that era of g.addresses; 0: not

	// Guarded by g.unjoined.mu.
	wait     *wait // nil: it does not
	admitted bool  // is let in, or a visit
	gone     bool  // is closed

	// As accepted. Here they fill a gap: there is a socket for each connection.
	behind   bool // begins with a PROXY protocol header
	overfull bool // over the limit on connections: to be refused

	slot   atomic.Bool           // holds a handshake slot
	shakes atomic.Bool           // is amid a handshake, which has had one
	spoke  atomic.Bool           // the client has sent something
	asked  atomic.Bool           // … a whole request, which is answered
	joined atomic.Bool           // the time for joining is over
	visit  atomic.Pointer[visit] // it has asked a site something
	closed sync.Once
}

// Read reads from the connection. A TLS handshake that waits for the client
// computes nothing and so needs no slot.
func (s *socket) Read(p []byte) (int, error) {
	s.freeSlot()
	n, err := s.receive(p)
	if n > 0 && !s.spoke.Load() {
		s.spoke.Store(true)
	}
	if n > 0 && s.shakes.Load() {
		if late := s.takeSlot(); late != nil {
			return 0, late
		}
	}
	return n, err
}

// receive takes bytes out of the inbox, or past it where it has no source.
func (s *socket) receive(p []byte) (int, error) {
	if s.in.source == nil {
		if s.in.idle != nil {
			s.in.idle()
		}
		return s.Conn.Read(p)
	}
	if s.in.block == nil {
		if err := s.in.fill(); err != nil {
			return 0, err
		}
	}
	return s.in.take(p), nil
}

// SetReadDeadline sets when reading gives up: until the client has joined not
// later than there is time for that, whatever layers above think.
func (s *socket) SetReadDeadline(t time.Time) error {
	if by := s.accepted.Add(joinTime); !s.joined.Load() && (t.IsZero() || t.After(by)) {
		t = by
	}
	return s.Conn.SetReadDeadline(t)
}

// SetDeadline does the same, and sets when writing gives up.
func (s *socket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// hasJoined ends the time for joining.
func (s *socket) hasJoined() {
	s.joined.Store(true)
	s.SetReadDeadline(time.Time{})
}

// mustJoin begins the time for joining anew, for a connection that has asked a
// site something before. Nobody else may use it.
func (s *socket) mustJoin() {
	if s.leaveSite() {
		s.accepted = time.Now()
		s.joined.Store(false)
		s.SetReadDeadline(time.Time{})
		s.g.unjoined.again(s)
	}
}

// leaveSite takes the connection off the count of those that ask sites.
func (s *socket) leaveSite() bool {
	v := s.visit.Swap(nil)
	if v != nil {
		s.g.visits.open.Add(-1)
	}
	return v != nil
}

// Close closes the connection and takes it off the count.
func (s *socket) Close() error {
	s.closed.Do(func() {
		s.freeSlot()
		s.g.unjoined.forget(s)
		s.g.forget(s)
		s.g.addresses.give(s)
		s.g.guesses.release(s)
		s.leaveSite()
		s.g.counters.connections.Add(-1)
		if s.overfull {
			s.g.acceptor.overfull.Add(-1)
		}
		s.g.bus.Budget().Add(-connectionCost)
	})
	return s.Conn.Close()
}

// shutWrite ends the stream towards the client, where the transport can.
func (s *socket) shutWrite() {
	if s.tcp != nil {
		s.tcp.CloseWrite()
	}
}

// name is the client's address for the log.
func (s *socket) name() string {
	switch {
	case !s.told:
		return s.Conn.RemoteAddr().String()
	case s.addr.Port() == 0: // X-Forwarded-For does not say
		return s.addr.Addr().String()
	}
	return s.addr.String()
}

// RemoteAddr is the client's address, which what is above the socket goes by.
func (s *socket) RemoteAddr() net.Addr {
	if !s.told {
		return s.Conn.RemoteAddr()
	}
	return net.TCPAddrFromAddrPort(s.addr)
}

// connectionCost is about what a connection takes by itself, in bytes.
const connectionCost = 16 << 10

// admit counts a new connection and gives it the time there is for joining. It
// returns nil where there are too many even to say so, or the gateway is closing.
func (a *acceptor) admit(nc net.Conn, via net.Listener, service Service) *socket {
	g := a.g
	p := g.policy.Load()
	s := &socket{Conn: nc, via: via, g: g, accepted: time.Now(), addr: addressOf(nc.RemoteAddr().String())}
	s.behind = p.hasHeader(service, s.addr)
	s.byProxy = s.behind || p.forwards(service, s.addr)
	g.counters.accepted.Add(1)
	if ok, _ := g.lets(s); !ok {
		nc.Close()
		return nil
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		s.tcp = tcp
		s.in.source = lazy(tcp)
		s.out.raw = rawWriter(tcp)
		tcp.SetKeepAliveConfig(keepAlive)
		boundUnsent(tcp)
	}
	g.bus.Budget().Add(connectionCost)
	n := g.counters.connections.Add(1) - a.overfull.Load()
	if !g.note(s) {
		s.Close()
		return nil
	}
	if limit := p.maxConnections; n > limit && !g.makeRoom(s.addr.Addr(), limit) {
		s.overfull = true
		told := a.overfull.Add(1)
		g.counters.refused("over limit")
		a.fullLog.do(func(times int64) {
			g.log.Warn("connection refused: too many connections; raise --max-connections, --memory-limit or the limit on open files",
				"limit", limit, "client", s.name(), "refused", times)
		})
		if told > refusalSlack {
			s.Close()
			return nil
		}
	}
	if !s.overfull {
		g.unjoined.enter(s, s.addr.Addr())
	}
	s.SetReadDeadline(time.Time{})
	return s
}

// run accepts until the listener or the gateway is closed.
func (a *acceptor) run(l net.Listener, service Service, handle func(*socket)) error {
	if !a.g.listen(l) {
		l.Close()
		return nil
	}
	defer a.g.unlisten(l)
	delay := time.Duration(0)
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			delay = 0
			a.take(nc, l, service, handle)
		case errors.Is(err, net.ErrClosed) || a.g.isClosed():
			return nil
		default:
			a.complain(l, err)
			if isOutOfDescriptors(err) && a.g.putOut(a.g.unjoined.leavingForAnybody(), a.g.policy.Load().maxConnections) {
				delay = 0
				continue
			}
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			select {
			case <-time.After(delay):
			case <-a.g.closing:
			}
		}
	}
}

// take has a connection handled, as far as it is let in, once it is known whose it is.
func (a *acceptor) take(nc net.Conn, l net.Listener, service Service, handle func(*socket)) {
	s := a.admit(nc, l, service)
	switch {
	case s == nil:
	case s.behind:
		a.g.spawn(func() { a.g.serveBehind(s, service, handle) }, s)
	default:
		handle(s)
	}
}

func isOutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// complain logs why nobody can be accepted at the moment.
func (a *acceptor) complain(l net.Listener, err error) {
	msg := "cannot accept a connection; trying on"
	if isOutOfDescriptors(err) {
		msg = "cannot accept a connection: out of file descriptors; raise the limit on open files (ulimit -n, LimitNOFILE=) or lower --max-connections"
	}
	a.failLog.Do(func() { a.g.log.Error(msg, "listener", l.Addr().String(), "error", err) })
}

// refuseSocket logs and counts a connection that never came to speak Mles. One
// that never spoke at all is a check of the port.
func (g *Gateway) refuseSocket(s *socket, reason string, err error) {
	if errors.Is(err, net.ErrClosed) { // by us, which has been logged
		return
	}
	if !s.spoke.Load() {
		g.log.Debug("closed before a byte came", "client", s.name())
		return
	}
	g.counters.refused(reason)
	if err != nil {
		reason = reason + ": " + err.Error()
	}
	g.log.Warn("refused", "client", s.name(), "reason", reason)
}
