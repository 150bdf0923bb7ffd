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

	"mles/internal/status"
	"mles/internal/web"
)

// serveAdmin returns what serves an admin listener until it is closed.
func (d *daemon) serveAdmin() func(net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("/", web.Admin(func() bool { return !d.gw.Draining() }, newMetrics(d.gw)))
	source := &status.Source{Gateway: d.gw, Seen: d.seen, Version: version(), Started: d.started, Listeners: d.listening}
	source.Register(mux)
	mux.HandleFunc("POST /reload", d.answerReload)
	return func(l net.Listener) error {
		srv := &http.Server{
			Handler:           web.OnlyLocal(mux),
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
