package main

import (
	"crypto/tls"
	"sync/atomic"

	"mles/internal/web"
)

// liveCertificates are certificates that may be exchanged for others while listeners show them.
type liveCertificates struct {
	current atomic.Pointer[web.Certificates]
}

// TLSConfig returns a configuration for one listener that shows, in each handshake, what is current then. The keys of session tickets are its own, so that sessions outlive a change.
func (c *liveCertificates) TLSConfig(protocols ...string) *tls.Config {
	type made struct {
		of   *web.Certificates
		conf *tls.Config
	}
	var last atomic.Pointer[made]
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			certs := c.current.Load()
			m := last.Load()
			if m == nil || m.of != certs {
				m = &made{certs, certs.TLSConfig(protocols...)}
				last.Store(m)
			}
			return m.conf, nil
		},
	}
}
