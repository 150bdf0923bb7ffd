package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// address is where a listener listens, as a flag says it: host:port, :port (all addresses of the machine), a port
// alone (on the flag's usual host), or off.
type address struct {
	off  bool
	host string // name or literal address, unbracketed; empty: all
	port int
	bare bool // the port alone was given

	// passed are the addresses of sockets that systemd listens at, by spaces; "": the gateway listens itself. host and
	// port are those of the first.
	passed string
}

// UnmarshalText reads an address; "off", in this spelling, is nowhere.
func (a *address) UnmarshalText(text []byte) error {
	s := string(text)
	*a = address{}
	switch {
	case s == "":
		return errors.New("empty, want host:port or off")
	case s == "off":
		a.off = true
		return nil
	}
	port := s
	if _, err := strconv.Atoi(s); err == nil {
		a.bare = true
	} else if a.host, port, err = net.SplitHostPort(s); err != nil {
		return fmt.Errorf("%q is not host:port, a port or off", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("%q has no port from 0 to 65535", s)
	}
	a.port = int(n)
	return nil
}

// or is what the flag a means when def is its default; a is nil if it was not given.
func (a *address) or(def address) address {
	switch {
	case a == nil:
		return def
	case a.bare:
		return address{host: def.host, port: a.port}
	}
	return *a
}

func (a address) String() string {
	switch {
	case a.off:
		return "off"
	case a.passed != "":
		return a.passed
	}
	return net.JoinHostPort(a.host, strconv.Itoa(a.port))
}

// wildcard reports whether a means all addresses of the machine, of both families.
func (a address) wildcard() bool { return a.host == "" || a.host == "::" }

// loopback reports whether only this machine can reach a.
func (a address) loopback() bool {
	if a.passed != "" {
		return !slices.ContainsFunc(strings.Fields(a.passed), func(s string) bool {
			ap, err := netip.ParseAddrPort(s)
			return err != nil || !ap.Addr().Unmap().IsLoopback()
		})
	}
	ip, err := netip.ParseAddr(a.host)
	return a.host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
