package conformance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// A Target is the server that is tested, and what is known about it.
type Target struct {
	// V1 is the host:port where it speaks v1 over TCP; empty: it does not.
	V1 string
	// V2 is the ws:// or wss:// address where it speaks v2; empty: it does not.
	V2 string
	// V1WS is the ws:// or wss:// address where it speaks v1 over WebSocket, which
	// may be that of V2; empty: it does not.
	V1WS string
	// Key is the shared key of v1 over TCP and of v2; empty: it has none.
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
	v2, v1ws webAddress
	groups   bool // v1 without shared key: the server spells IPv4 in eight groups
}

// A webAddress is a ws:// or wss:// URL in its parts.
type webAddress struct {
	addr string // host:port; empty: none
	host string // for the Host header
	path string // with query
	tls  *tls.Config
}

// resolve checks the target's addresses.
func (tg Target) resolve() (*endpoint, error) {
	e := &endpoint{Target: tg}
	if tg.V1 != "" {
		if _, _, err := net.SplitHostPort(tg.V1); err != nil {
			return nil, fmt.Errorf("v1 address %q: %w: want host:port", tg.V1, ErrTarget)
		}
	}
	var err error
	if e.v2, err = tg.webAddress("v2", tg.V2); err != nil {
		return nil, err
	}
	e.v1ws, err = tg.webAddress("v1 WebSocket", tg.V1WS)
	return e, err
}

func (tg Target) webAddress(dialect, at string) (w webAddress, err error) {
	if at == "" {
		return w, nil
	}
	u, err := url.Parse(at)
	if err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return w, fmt.Errorf("%s address %q: %w: want wss://host:port/ or ws://host:port/", dialect, at, ErrTarget)
	}
	port := u.Port()
	if u.Scheme == "wss" {
		w.tls = tg.TLS.Clone()
		if w.tls == nil {
			w.tls = &tls.Config{}
		}
		if w.tls.ServerName == "" {
			w.tls.ServerName, _, _ = strings.Cut(u.Hostname(), "%") // certificates name no zone
		}
		if port == "" {
			port = "443"
		}
	} else if port == "" {
		port = "80"
	}
	w.addr, w.host, w.path = net.JoinHostPort(u.Hostname(), port), u.Host, u.RequestURI()
	return w, nil
}

// reach connects to each address once.
func (e *endpoint) reach(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	for _, w := range []webAddress{{addr: e.V1}, e.v2, e.v1ws} {
		if w.addr == "" {
			continue
		}
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", w.addr)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		if w.tls != nil {
			err = tls.Client(nc, w.tls).HandshakeContext(ctx)
		}
		nc.Close()
		if err != nil {
			return fmt.Errorf("%w: TLS with %s: %w", ErrUnreachable, w.addr, err)
		}
	}
	return nil
}
