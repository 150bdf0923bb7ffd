package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"mles/internal/admin"
	"mles/internal/console"
	"mles/internal/control"
	"mles/internal/status"
)

// maxScrapes are answered at once; each goes through all members.
const maxScrapes = 4

// serveAdmin returns what serves an admin listener until it is closed.
func (d *daemon) serveAdmin() func(net.Listener) error {
	routes := d.adminRoutes()
	return func(l net.Listener) error {
		srv := &http.Server{
			Handler:           console.TokenInProtocol(routes.Handler(onLoopback(l.Addr()))),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelWarn),
		}
		defer shutDown(srv)
		if err := srv.Serve(l); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// adminRoutes are what the admin listener answers, and to whom.
func (d *daemon) adminRoutes() *admin.Routes {
	routes := admin.New(admin.Config{Token: &d.token, Logger: d.log})
	routes.Health(d.unready)
	routes.Read("GET /metrics", promhttp.HandlerFor(d.newMetrics(), promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes}))
	source := &status.Source{
		Gateway: d.gw, Seen: d.seen, Version: version(), Started: d.started,
		Listeners: d.listening, Certificates: d.showing,
	}
	source.Register(routes.Read)
	routes.Read("POST /reload", http.HandlerFunc(d.answerReload))
	d.pprofRoutes(routes)
	d.adminPages(routes)
	(&control.Routes{Gateway: d.gw, Log: d.log, Purged: d.savePurged}).Register(routes.Act)
	return routes
}

// unready says why no more clients should be sent here; "": they should.
func (d *daemon) unready() string {
	if d.gw.Draining() {
		return "draining"
	}
	return ""
}

// onLoopback reports whether only this machine reaches a listener's address.
func onLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// showing describes the certificates that clients are shown.
func (d *daemon) showing() (all []status.Certificate) {
	for _, s := range d.certs.current.Load().Status() {
		all = append(all, status.Certificate{
			Domain: s.Domain, Source: s.Source, NotAfter: s.NotAfter.UTC(), Problem: s.Problem, ProblemAt: s.At.UTC(),
		})
	}
	return all
}

// shutDown ends connections that are kept alive, and lets the answer be written to a reload that has closed the listener.
func shutDown(srv *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = srv.Shutdown(ctx)
	_ = srv.Close()
}

// answerReload answers POST /reload: with what changed or, in the member "error", why nothing has.
func (d *daemon) answerReload(w http.ResponseWriter, r *http.Request) {
	report, err := d.reload(context.WithoutCancel(r.Context()))
	d.logReload(report, err)
	status, answer := http.StatusOK, any(report)
	if err != nil {
		status, answer = reloadStatus(err), map[string]string{"error": err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // who asked has gone, perhaps
}

// reloadStatus is the HTTP status of a reload that failed.
func reloadStatus(err error) int {
	switch {
	case errors.Is(err, errStopping):
		return http.StatusServiceUnavailable
	case errors.As(err, new(*listenError)):
		return http.StatusConflict
	case errors.As(err, new(*usageError)):
		return http.StatusUnprocessableEntity
	}
	return http.StatusInternalServerError
}

// replaceOpen puts another listener in the place of an open one.
func (d *daemon) replaceOpen(i int, e endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = slices.Clone(d.open)
	d.open[i] = e
}

// nowOpen notes which listeners there are.
func (d *daemon) nowOpen(endpoints []endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = endpoints
}

// listening describes them.
func (d *daemon) listening() []status.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]status.Listener, 0, len(d.open))
	for _, e := range d.open {
		all = append(all, status.Listener{Flag: e.flag, Address: e.Addr().String(), TLS: e.tls})
	}
	return all
}
