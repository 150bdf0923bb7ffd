package main

import (
	"context"
	"errors"
	"net"
	"syscall"

	"mles/bridge"
	"mles/internal/web"
)

// listen opens every listener that is not off; if one cannot be opened, none is. An admin listener that nobody asked
// for is left out when its port is taken: a second gateway on this machine must start.
func (d *daemon) listen(ctx context.Context, gw *bridge.Gateway, certs *web.Certificates) ([]endpoint, error) {
	serve := map[string]endpoint{
		"--v1-listen": {serve: gw.ServeV1},
		"--v1-tls-listen": {tls: true, serve: func(l net.Listener) error {
			return gw.ServeV1TLS(l, certs.TLSConfig())
		}},
		"--v2-listen": {tls: true, serve: func(l net.Listener) error {
			return gw.ServeV2TLS(l, certs.TLSConfig(d.conf.protocols()...))
		}},
		"--plain-listen":    {serve: gw.ServeV2},
		"--redirect-listen": {}, // once it is known where to
		"--admin-listen":    {serve: d.serveAdmin(gw)},
	}
	opener := newOpener(d.log)
	var endpoints []endpoint
	for flag, addr := range d.conf.listeners() {
		opened, err := opener.open(ctx, flag, addr)
		if flag == "--admin-listen" && d.conf.AdminListen == nil && errors.Is(err, syscall.EADDRINUSE) {
			d.log.Warn("going on without metrics and health: the usual port is taken, --admin-listen names another", "addr", addr.String())
			continue
		}
		if err != nil {
			closeAll(endpoints)
			return nil, err
		}
		for _, l := range opened {
			e := serve[flag]
			e.flag, e.Listener = flag, l
			endpoints = append(endpoints, e)
		}
	}
	d.redirectFrom(endpoints, gw, certs)
	return endpoints, nil
}
