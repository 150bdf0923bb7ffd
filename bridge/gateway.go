package bridge

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"mles/bridge/bus"
)

// A Gateway serves both generations of Mles on one bus of channels.
type Gateway struct {
	identity  string // among gateways
	conf      Config
	log       *slog.Logger
	policy    atomic.Pointer[policy]
	upstreams *upstreams
	links     *maskLinks // with --webproxy-mask=link; else nil
	masks     *masks     // where v1 WebSocket members are on masked channels; else nil
	bus       *bus.Bus
	intake    *intake
	places    *places
	acceptor  *acceptor
	addresses *addresses
	unjoined  *unjoined
	wheel     *wheel
	visits    *visits
	guesses   *guesses
	crew      crew
	counters  counters

	changing  sync.Mutex   // held by Reconfigure
	given     Config       // guarded by changing: what holds, before defaults
	admission sync.RWMutex // read while somebody joins, written while the policy changes

	draining atomic.Bool
	closing  chan struct{} // closed by Close
	ended    sync.WaitGroup

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]struct{}
	sockets   map[*socket]session // all that are open; nil until they are sessions
	idle      chan struct{}       // closed when the last socket is, if somebody waits
}

// A session is a connection that speaks one of the dialects.
type session interface {
	// shutdown ends the session because the gateway goes away: politely, and
	// without waiting for that.
	shutdown()
	// abort ends it at once.
	abort()
	// retire ends it because the listener that accepted it goes away: politely,
	// as if its side had been switched off.
	retire()
	// review ends it if it has joined and p, which holds by now, allows that no
	// longer, and says why.
	review(p *policy) *refusal
	// kick ends it, politely, if one of its memberships is such a one, and says whether.
	kick(whom func(*bus.Member) bool) bool
}

// New makes a gateway, which serves nothing yet. Close frees what it holds.
func New(conf Config) (*Gateway, error) {
	given := conf
	conf, err := conf.withDefaults()
	if err != nil {
		return nil, err
	}
	identity := newIdentity()
	g := &Gateway{
		conf:      conf,
		given:     given,
		log:       conf.Logger,
		identity:  identity,
		closing:   make(chan struct{}),
		listeners: make(map[net.Listener]struct{}),
		sockets:   make(map[*socket]session),
	}
	g.policy.Store(policyOf(conf))
	if conf.WebproxyMask == MaskOnly {
		g.masks = newMasks(&g.counters)
	}
	if conf.WebproxyMask == MaskLink {
		g.links = newMaskLinks(g)
	}
	g.bus = bus.New(bus.Config{
		Codec:        codec{joins: conf.V2Joins, identity: identity, counters: &g.counters, masks: g.masks},
		HistoryLimit: conf.HistoryLimit,
		MemoryLimit:  budgetOf(conf.MemoryLimit),
	})
	g.intake = newIntake(g.bus.Budget())
	g.places = newPlaces(g.bus.Budget(), g.links != nil)
	g.acceptor = newAcceptor(g)
	g.addresses = newAddresses()
	g.addresses.configure(addressLimitsOf(conf), g.eachSocket)
	g.unjoined = newUnjoined()
	g.wheel = newWheel()
	g.visits = newVisits(conf)
	g.guesses = newGuesses()
	if conf.Restore != nil {
		conf.Restore(g.restore)
	}
	g.upstreams = newUpstreams(g)
	if err := g.upstreams.configure(conf.Upstreams); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// budgetOf is the part of the process's memory that the budget may take; the
// rest is for what is not counted and for what the garbage collector has yet to
// find.
func budgetOf(limit int64) int64 { return limit / 2 }

// ServeV1 serves v1 to whoever connects to l, until the gateway is shut down,
// and then returns nil.
func (g *Gateway) ServeV1(l net.Listener) error {
	return g.acceptor.run(l, OnV1, func(s *socket) { g.spawn(func() { g.serveV1(s, s) }, s) })
}

// ServeV1TLS does the same over TLS.
func (g *Gateway) ServeV1TLS(l net.Listener, conf *tls.Config) error {
	conf = g.acceptor.bounded(conf)
	return g.acceptor.run(l, OnV1TLS, func(s *socket) {
		g.spawn(func() {
			if tc, err := g.acceptor.handshake(s, conf); err == nil {
				g.serveV1(s, tc)
			}
		}, s)
	})
}

// ServeV2 serves v2 without TLS, as behind a terminator of it, until the gateway
// is shut down, and then returns nil.
func (g *Gateway) ServeV2(l net.Listener) error {
	return g.serveHTTP(l, OnV2, g.serve, func(s *socket, ready func(net.Conn)) { ready(s) })
}

// ServeSite serves HTTP without TLS and nothing of Mles, such as a redirect on
// port 80, with the bounds that the gateway's connections have, until it is shut
// down, and then returns nil.
func (g *Gateway) ServeSite(l net.Listener, site http.Handler) error {
	visit := func(w http.ResponseWriter, r *http.Request) {
		r, whose := g.asAsked(r)
		g.visit(w, whose.asTold(r), site)
	}
	return g.serveHTTP(l, OnSite, visit, func(s *socket, ready func(net.Conn)) { ready(s) })
}

// ServeV2TLS does the same over TLS. Where conf offers h2, Config.Site is served
// over HTTP/2, too; WebSockets need a client that offers http/1.1 or nothing, as
// all do.
func (g *Gateway) ServeV2TLS(l net.Listener, conf *tls.Config) error {
	conf = g.acceptor.bounded(conf)
	return g.serveHTTP(l, OnV2TLS, g.serve, func(s *socket, ready func(net.Conn)) {
		g.spawn(func() {
			tc, err := g.acceptor.handshake(s, conf)
			if err != nil {
				return
			}
			if tc.ConnectionState().NegotiatedProtocol == "acme-tls/1" {
				tc.Close() // the handshake was all that the certificate authority wanted
				return
			}
			ready(tc)
		}, s)
	})
}

// spawn runs f, which owns s, unless the gateway has been closed.
func (g *Gateway) spawn(f func(), s *socket) bool {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		s.Close() // which takes the lock
		return false
	}
	g.ended.Add(1)
	g.mu.Unlock()
	go func() {
		defer g.ended.Done()
		f()
	}()
	return true
}

// note adds an open socket, unless the gateway or its listener closes.
func (g *Gateway) note(s *socket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, served := g.listeners[s.via]; g.closed || g.draining.Load() || s.via != nil && !served {
		return false
	}
	g.sockets[s] = nil
	return true
}

// enter makes a socket a session, unless the gateway closes or has closed it.
func (g *Gateway) enter(s *socket, as session) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, open := g.sockets[s]; !open || g.closed || g.draining.Load() {
		return false
	}
	g.sockets[s] = as
	return true
}

// forget takes a closed socket off.
func (g *Gateway) forget(s *socket) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sockets, s)
	if g.idle != nil && len(g.sockets) == 0 {
		close(g.idle)
		g.idle = nil
	}
}

// listen notes a listener so that it is closed with the gateway.
func (g *Gateway) listen(l net.Listener) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.draining.Load() {
		return false
	}
	g.listeners[l] = struct{}{}
	return true
}

func (g *Gateway) unlisten(l net.Listener) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.listeners, l)
}

func (g *Gateway) isClosed() bool {
	select {
	case <-g.closing:
		return true
	default:
		return g.draining.Load()
	}
}

// Draining says whether Shutdown has been called.
func (g *Gateway) Draining() bool { return g.draining.Load() }

// drainStep is the most time between two connections closed by Shutdown.
const drainStep = 10 * time.Millisecond

// drainSpread is the most time between the first and the last: who is closed first waits for so long, and then for the
// next gateway. Clients spread over a second by themselves.
const drainSpread = time.Second

// Shutdown accepts nobody any more and closes every connection, v2 ones with
// 1001: one by one over a second, or a quarter of the time until ctx's deadline, at most, so that
// not all come back at once, and those who went first do not wait for long where
// another gateway is to take the place of this one. Then it closes the gateway. The
// error is ctx's where some had to be cut off.
func (g *Gateway) Shutdown(ctx context.Context) error {
	sessions, idle := g.drain()
	step := drainStep
	if deadline, ok := ctx.Deadline(); ok && len(sessions) > 0 {
		step = min(step, min(time.Until(deadline)/4, drainSpread)/time.Duration(len(sessions)))
	}
	start := time.Now()
	for i, s := range sessions {
		s.shutdown()
		if ahead := time.Duration(i+1)*step - time.Since(start); ahead > time.Millisecond {
			select {
			case <-time.After(ahead):
			case <-ctx.Done():
			}
		}
	}
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.Close()
	return err
}

// drain closes the listeners and the sockets that are no sessions yet. It returns
// the sessions, and a channel that is closed when they have ended.
func (g *Gateway) drain() ([]session, <-chan struct{}) {
	g.mu.Lock()
	g.draining.Store(true)
	for l := range g.listeners {
		l.Close()
	}
	idle := make(chan struct{})
	if len(g.sockets) == 0 || g.idle != nil {
		close(idle)
	} else {
		g.idle = idle
	}
	sessions, others := g.open()
	g.mu.Unlock()
	for _, s := range others {
		s.Close()
	}
	return sessions, idle
}

// eachSocket yields all sockets that are open.
func (g *Gateway) eachSocket(yield func(*socket)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for s := range g.sockets {
		yield(s)
	}
}

// open returns the sessions, and the sockets that are none. The caller holds mu.
func (g *Gateway) open() (sessions []session, others []*socket) {
	for s, as := range g.sockets {
		if as == nil {
			others = append(others, s)
		} else {
			sessions = append(sessions, as)
		}
	}
	return sessions, others
}

// Close ends everything at once.
func (g *Gateway) Close() error {
	g.mu.Lock()
	if !g.closed {
		g.closed = true
		close(g.closing)
	}
	for l := range g.listeners {
		l.Close()
	}
	sessions, others := g.open()
	g.mu.Unlock()
	for _, s := range others {
		s.Close()
	}
	for _, s := range sessions {
		s.abort()
	}
	g.ended.Wait()
	g.upstreams.close()
	if g.links != nil {
		g.links.close()
	}
	g.wheel.close()
	g.bus.Close()
	return nil
}

// ServeHTTP upgrades a request to v2, for programs that run an HTTP server of
// their own. Requests that are no upgrade go to Config.Site.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.serve(w, r) }

// ServeAnyOrigin does the same for upgrades alone, whatever Config.Origins says, for
// programs that have looked at the request's Origin themselves.
func (g *Gateway) ServeAnyOrigin(w http.ResponseWriter, r *http.Request) {
	r, whose := g.asAsked(r)
	g.upgrade(w, r, whose)
}
