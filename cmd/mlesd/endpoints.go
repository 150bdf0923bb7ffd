package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"syscall"
)

// services are what serves the listeners of each flag. Listeners are opened before there is a gateway to serve them, so
// that clients wait rather than being refused while histories are loaded.
func (d *daemon) services(c *config) map[string]endpoint {
	admin := sync.OnceValue(d.serveAdmin)
	return map[string]endpoint{
		"--v1-listen": {serve: func(l net.Listener) error { return d.gw.ServeV1(l) }},
		"--v1-tls-listen": {tls: true, serve: func(l net.Listener) error {
			return d.gw.ServeV1TLS(l, d.certs.TLSConfig())
		}},
		"--v2-listen": {tls: true, serve: func(l net.Listener) error {
			return d.gw.ServeV2TLS(l, d.certs.TLSConfig(c.protocols()...))
		}},
		"--plain-listen":    {serve: func(l net.Listener) error { return d.gw.ServeV2(l) }},
		"--redirect-listen": {serve: d.serveRedirect},
		"--admin-listen": {tls: c.AdminTLS, serve: func(l net.Listener) error {
			if c.AdminTLS {
				l = tls.NewListener(l, d.certs.TLSConfig("http/1.1"))
			}
			return admin()(l)
		}},
	}
}

// at is e, open.
func (e endpoint) at(flag string, l net.Listener) endpoint {
	e.flag, e.Listener = flag, &door{Listener: l}
	return e
}

// listen opens every listener that is not off; if one cannot be opened, none is. An admin listener that nobody asked
// for is left out when its port is taken: a second gateway on this machine must start.
func (d *daemon) listen(ctx context.Context) ([]endpoint, error) {
	serve := d.services(d.conf)
	opener := newOpener(d.log)
	var endpoints []endpoint
	for flag, addr := range d.conf.listeners() {
		opened, err := d.conf.sockets[flag], error(nil)
		if len(opened) == 0 {
			opened, err = opener.open(ctx, flag, addr)
		}
		if flag == "--admin-listen" && d.conf.AdminListen == nil && errors.Is(err, syscall.EADDRINUSE) {
			d.log.Warn("going on without metrics and health: the usual port is taken, --admin-listen names another", "addr", addr.String())
			continue
		}
		if err != nil {
			closeAll(endpoints)
			return nil, err
		}
		for _, l := range opened {
			endpoints = append(endpoints, serve[flag].at(flag, l))
		}
	}
	return endpoints, nil
}
