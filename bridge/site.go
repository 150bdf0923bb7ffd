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

// visits bounds the connections that ask a site something.
type visits struct {
	limit   int64
	open    atomic.Int64
	fullLog rate.Sometimes
}

// newVisits bounds them to an eighth of a budget in bytes: pages must not drive
// messages out.
func newVisits(budget int64) *visits {
	return &visits{limit: max(16, budget/8/visitCost), fullLog: rate.Sometimes{Interval: time.Second}}
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
	site.ServeHTTP(&visitWriter{w, v}, r)
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
		g.counters.refused("too many visitors")
		g.visits.fullLog.Do(func() {
			g.log.Warn("request refused: too many connections that ask for pages; raise --memory-limit", "limit", g.visits.limit, "client", s.name())
		})
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
