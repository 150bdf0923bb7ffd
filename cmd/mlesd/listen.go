package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
)

// opener opens listeners. Its net is net.ListenConfig's Listen but in tests, which stand in for machines without IPv6.
type opener struct {
	net func(ctx context.Context, network, address string) (net.Listener, error)
	log *slog.Logger
}

func newOpener(log *slog.Logger) *opener {
	conf := new(net.ListenConfig)
	// Whether a silent v1 client is alive is asked with TCP_INFO, which Multipath TCP's sockets do not answer alike.
	conf.SetMultipathTCP(false)
	return &opener{net: conf.Listen, log: log}
}

// listenError is a listener that could not be opened: which flag asked for it, and why not.
type listenError struct {
	flag string
	addr address
	err  error
}

func (e *listenError) Error() string {
	why := e.err
	if errno := syscall.Errno(0); errors.As(why, &errno) {
		why = errno
	} else if op := (*net.OpError)(nil); errors.As(why, &op) {
		why = op.Err
	}
	return fmt.Sprintf("%s %s: %v", e.flag, e.addr, why)
}

func (e *listenError) Unwrap() error { return e.err }

// open listens at a, on one port: with all addresses of the machine on one listener for both families, or on one of
// IPv4 where there is no IPv6; with localhost on each loopback address that the machine has, which net.Listen does not.
func (o *opener) open(ctx context.Context, flag string, a address) ([]net.Listener, error) {
	var ls []net.Listener
	var err error
	port := strconv.Itoa(a.port)
	switch {
	case a.wildcard():
		ls, err = o.one(ctx, "tcp", net.JoinHostPort("::", port))
		if unavailable(err) {
			o.log.Warn("this machine has no IPv6, listening on IPv4 alone", "flag", flag)
			ls, err = o.one(ctx, "tcp4", net.JoinHostPort("0.0.0.0", port))
		}
	case a.host == "localhost":
		ls, err = o.loopbacks(ctx, a.port)
	default:
		ls, err = o.one(ctx, "tcp", net.JoinHostPort(a.host, port))
	}
	if err != nil {
		return nil, &listenError{flag, a, err}
	}
	return ls, nil
}

func (o *opener) one(ctx context.Context, network, address string) ([]net.Listener, error) {
	l, err := o.net(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// loopbacks listens on 127.0.0.1 and ::1 with the same port. With port 0 the system chooses one that is free on the
// first; if the second has it taken, another is chosen.
func (o *opener) loopbacks(ctx context.Context, port int) ([]net.Listener, error) {
	const tries = 20
	for try := 1; ; try++ {
		v4, err := o.net(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if unavailable(err) {
			return o.one(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(port)))
		}
		if err != nil {
			return nil, err
		}
		chosen := v4.Addr().(*net.TCPAddr).Port
		v6, err := o.net(ctx, "tcp6", net.JoinHostPort("::1", strconv.Itoa(chosen)))
		if unavailable(err) {
			return []net.Listener{v4}, nil
		}
		if err == nil {
			return []net.Listener{v4, v6}, nil
		}
		_ = v4.Close()
		if port != 0 || try == tries || !errors.Is(err, syscall.EADDRINUSE) {
			return nil, err
		}
	}
}

// unavailable reports whether err means that the machine lacks the address or its whole family.
func unavailable(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}
