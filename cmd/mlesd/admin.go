package main

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"mles/bridge"
	"mles/internal/status"
	"mles/internal/web"
)

// serveAdmin returns what serves an admin listener until it is closed.
func (d *daemon) serveAdmin(gw *bridge.Gateway) func(net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("/", web.Admin(func() bool { return !gw.Draining() }, newMetrics(gw)))
	source := &status.Source{Gateway: gw, Seen: d.seen, Version: version(), Started: d.started, Listeners: d.listening}
	source.Register(mux)
	return func(l net.Listener) error {
		srv := &http.Server{
			Handler:           web.OnlyLocal(mux),
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       10 * time.Second,
			WriteTimeout:      30 * time.Second,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(d.log.Handler(), slog.LevelWarn),
		}
		defer srv.Close() // connections kept alive
		if err := srv.Serve(l); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
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
