package bridge

import (
	"bufio"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"mles/v2"
)

// An Upgrader is a Config.Site that answers some requests for an upgrade of the
// connection itself, such as those that it passes on to another server. All
// others are for the gateway.
type Upgrader interface {
	http.Handler
	// Upgrades reports whether r, which asks for an upgrade, is the site's.
	Upgrades(r *http.Request) bool
}

// visitCost is about what a connection takes, in bytes, that asks a site
// something, HTTP/2 above all.
const visitCost = 64 << 10

// visitStall is how long an HTTP/2 client may take nothing of what is sent to it.
const visitStall = 30 * time.Second

// visits bounds the connections that ask a site something, and the requests that
// are being answered, of which HTTP/2 has many on a connection: each has a buffer
// and, as a rule, a file open.
type visits struct {
	limit    int64 // of either
	open     atomic.Int64
	requests atomic.Int64
	fullLog  rate.Sometimes
}

// newVisits bounds both to an eighth of the budget and of the connections that
// conf allows: pages must not drive messages out.
func newVisits(conf Config) *visits {
	limit := min(budgetOf(conf.MemoryLimit)/visitCost, int64(conf.MaxConnections)) / 8
	return &visits{limit: max(16, limit), fullLog: rate.Sometimes{Interval: time.Second}}
}

// A visit is the session of a connection that has asked a site something. Its
// requests end in their own time: the HTTP server waits for them when the gateway
// is shut down. It does not know of connections that it gave away.
type visit struct {
	s        *socket
	hijacked atomic.Bool
}

func (v *visit) shutdown() {
	if v.hijacked.Load() {
		v.s.Close()
	}
}

func (v *visit) abort() { v.s.Close() }

// isForSite tells whether a request on a listener of WebSockets is the site's.
func (g *Gateway) isForSite(r *http.Request) bool {
	if g.conf.Site == nil {
		return false
	}
	if !v2.IsUpgrade(r) {
		return true
	}
	u, ok := g.conf.Site.(Upgrader)
	return ok && u.Upgrades(r)
}

// visit has a site answer a request.
func (g *Gateway) visit(w http.ResponseWriter, r *http.Request, site http.Handler) {
	s := socketOf(r)
	if s == nil { // another program's HTTP server, and bounds
		site.ServeHTTP(w, r)
		return
	}
	v := s.visit.Load()
	if v == nil {
		if v = g.newVisit(s); v == nil {
			w.Header().Set("Connection", "close")
			http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
			return
		}
	}
	defer g.visits.requests.Add(-1)
	if g.visits.requests.Add(1) > g.visits.limit {
		g.tooManyVisits(s, "requests")
		w.Header().Set("Retry-After", "1")
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	site.ServeHTTP(&visitWriter{w, v}, r)
}

// tooManyVisits logs and counts a request that is refused.
func (g *Gateway) tooManyVisits(s *socket, of string) {
	g.counters.refused("too many visitors")
	g.visits.fullLog.Do(func() {
		g.log.Warn("request for a page refused: too many "+of+" at once; raise --memory-limit or --max-connections", "limit", g.visits.limit, "client", s.name())
	})
}

// newVisit makes a connection a visit, unless there are too many or the gateway
// closes. HTTP/2 has several requests make one at a time.
func (g *Gateway) newVisit(s *socket) *visit {
	v := &visit{s: s}
	if s.overfull {
		return nil
	}
	if g.visits.open.Add(1) > g.visits.limit {
		g.visits.open.Add(-1)
		g.tooManyVisits(s, "connections")
		return nil
	}
	if !s.visit.CompareAndSwap(nil, v) {
		g.visits.open.Add(-1)
		return s.visit.Load()
	}
	if !g.enter(s, v) {
		s.leaveSite()
		return nil
	}
	s.hasJoined()
	g.unjoined.admit(s)
	return v
}

// A visitWriter lets a site take over a connection, and notes it.
type visitWriter struct {
	http.ResponseWriter
	v *visit
}

// Hijack implements [http.Hijacker].
func (w *visitWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.v.hijacked.Store(true)
	if w.v.s.g.isClosed() { // shutdown may have looked before
		return nil, nil, net.ErrClosed
	}
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for [http.ResponseController].
func (w *visitWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
