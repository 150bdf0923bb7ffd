package web

import (
	"crypto/tls"
	"net/http"
	"slices"
)

// Certificates is where the TLS listeners of one gateway get their certificate. It is safe for use by several
// listeners at once; a certificate that is renewed or replaced is shown from the next handshake on, connections that
// stand are not touched.
type Certificates struct {
	// Fixed after construction.
	get   func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	alpn  []string                             // negotiated beside the listener's own protocols
	http  func(next http.Handler) http.Handler // nil: nothing is proved over HTTP
	tasks *tasks                               // nil: nothing runs in the background
	start func()                               // nil: nothing to start

	status func() []CertificateStatus // nil: there are none
}

// Start begins what can only work once the listeners are served: an ACME authority connects to them. It is called
// once, and returns at once.
func (c *Certificates) Start() {
	if c.start != nil {
		c.start()
	}
}

// TLSConfig returns a new configuration for one listener that speaks the named application protocols, "http/1.1" for
// WebSockets. Without any, as for v1 over TLS, whatever a client offers is let through unanswered: v1 has no name there,
// and a client library that always offers something must not be refused for it.
func (c *Certificates) TLSConfig(protocols ...string) *tls.Config {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
	if len(protocols) > 0 {
		conf.NextProtos = slices.Concat(protocols, c.alpn)
	}
	return conf
}

// HTTPHandler returns the handler of a listener on port 80, where an ACME authority may prove a name, too (HTTP-01,
// RFC 8555, 8.3): it answers the authority, and next everybody else. It is called before Start.
func (c *Certificates) HTTPHandler(next http.Handler) http.Handler {
	if c.http == nil {
		return next
	}
	return c.http(next)
}

// Close ends what runs in the background and returns when it has ended. Configurations that were given out keep
// showing the last certificate. Close may be called more than once.
func (c *Certificates) Close() error {
	if c.tasks != nil {
		c.tasks.stop()
	}
	return nil
}
