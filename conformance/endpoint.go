package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// A Target is the server that is tested, and what is known about it.
type Target struct {
	// V1 is the host:port where it speaks v1 over TCP; empty: it does not.
	V1 string
	// V2 is the ws:// or wss:// address where it speaks v2; empty: it does not.
	V2 string
	// Key is the shared key of both dialects; empty: it has none.
	Key string
	// AddrKey is hashed behind addresses where there is no shared key.
	AddrKey string
	// TLS is for wss; nil: the system's roots, and the URL's host for a name.
	TLS *tls.Config
}

var (
	// ErrTarget is in errors about addresses that are none.
	ErrTarget = errors.New("no such address")
	// ErrUnreachable is in errors about a target that nobody answers at.
	ErrUnreachable = errors.New("target out of reach")
)

// An endpoint is a target made ready.
type endpoint struct {
	Target
	v2Addr string // host:port
	v2Host string // for the Host header
	v2Path string // with query
	v2TLS  *tls.Config
	groups bool // v1 without shared key: the server spells IPv4 in eight groups
}

// resolve checks the target's addresses.
func (tg Target) resolve() (*endpoint, error) {
	e := &endpoint{Target: tg}
	if tg.V1 != "" {
		if _, _, err := net.SplitHostPort(tg.V1); err != nil {
			return nil, fmt.Errorf("v1 address %q: %w: want host:port", tg.V1, ErrTarget)
		}
	}
	if tg.V2 == "" {
		return e, nil
	}
	u, err := url.Parse(tg.V2)
	if err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return nil, fmt.Errorf("v2 address %q: %w: want wss://host:port/ or ws://host:port/", tg.V2, ErrTarget)
	}
	port := u.Port()
	if u.Scheme == "wss" {
		e.v2TLS = tg.TLS.Clone()
		if e.v2TLS == nil {
			e.v2TLS = &tls.Config{}
		}
		if e.v2TLS.ServerName == "" {
			e.v2TLS.ServerName = u.Hostname()
		}
		if port == "" {
			port = "443"
		}
	} else if port == "" {
		port = "80"
	}
	e.v2Addr, e.v2Host, e.v2Path = net.JoinHostPort(u.Hostname(), port), u.Host, u.RequestURI()
	return e, nil
}

// reach connects to each address once.
func (e *endpoint) reach(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for _, address := range []string{e.V1, e.v2Addr} {
		if address == "" {
			continue
		}
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		if address == e.v2Addr && e.v2TLS != nil {
			err = tls.Client(nc, e.v2TLS).HandshakeContext(ctx)
		}
		nc.Close()
		if err != nil {
			return fmt.Errorf("%w: TLS with %s: %w", ErrUnreachable, address, err)
		}
	}
	return nil
}
