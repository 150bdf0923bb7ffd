package main

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"mles/v1"
)

// address is where a server is and which dialect it is spoken to.
type address struct {
	scheme string // v1, v1s, ws, wss, v1+ws or v1+wss
	host   string // a name or an IP address, without brackets
	port   string // always set
	path   string // WebSockets: what is asked for, beginning with "/"
}

const addressForms = "want v1://HOST[:PORT], v1s://HOST[:PORT], ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH]; v1+ws:// or v1+wss:// for v1 over WebSocket"

// defaultPorts also says which schemes there are.
func defaultPort(scheme string) (port string, known bool) {
	switch scheme {
	case "v1", "v1s":
		return v1.DefaultPort, true
	case "ws", "v1+ws":
		return "80", true
	case "wss", "v1+wss":
		return "443", true
	}
	return "", false
}

// parseAddress reads an address as the command line takes it. IPv6 stands in
// brackets. Its errors are of the usage kind.
func parseAddress(text string) (address, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return address{}, usage("address %q has no scheme: %s", text, addressForms)
	}
	scheme = strings.ToLower(scheme)
	port, known := defaultPort(scheme)
	if !known {
		return address{}, usage("address %q: nothing speaks %q: %s", text, scheme, addressForms)
	}
	u, err := url.Parse("mles://" + rest)
	switch {
	case err != nil:
		return address{}, usage("address %q: %v", text, err.(*url.Error).Err)
	case u.User != nil:
		return address{}, usage("address %q: a user has no place in it; see --uid", text)
	case u.Fragment != "":
		return address{}, usage("address %q: nothing may follow a #", text)
	case u.Hostname() == "":
		return address{}, usage("address %q has no host: %s", text, addressForms)
	case strings.Contains(u.Hostname(), ":") && !strings.HasPrefix(u.Host, "["):
		return address{}, usage("address %q: an IPv6 address stands in brackets, as in %s://[::1]", text, scheme)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return address{}, usage("address %q: port %q is none of 1 … 65535", text, port)
	}
	a := address{scheme: scheme, host: u.Hostname(), port: port}
	return a, a.setPath(text, u)
}

// setPath takes over path and query, which only the WebSocket has.
func (a *address) setPath(text string, u *url.URL) error {
	if !a.overTCP() {
		a.path = u.RequestURI()
		return nil
	}
	if (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		return usage("address %q: v1 over TCP knows no path; the channel is an argument of its own", text)
	}
	return nil
}

func (a address) isV1() bool    { return strings.HasPrefix(a.scheme, "v1") }
func (a address) overTCP() bool { return a.scheme == "v1" || a.scheme == "v1s" }
func (a address) secure() bool  { return a.scheme == "v1s" || strings.HasSuffix(a.scheme, "wss") }

// hostPort is the address for a dialer of TCP.
func (a address) hostPort() string { return net.JoinHostPort(a.host, a.port) }

// url is the address for a dialer of WebSockets.
func (a address) url() string {
	return strings.TrimPrefix(a.scheme, "v1+") + "://" + a.hostPort() + a.path
}

// String is the address as people write it.
func (a address) String() string {
	return strings.TrimSuffix(a.scheme+"://"+a.hostPort()+a.path, "/")
}

// onLocalhost tells whether the host is this machine by one of the names that
// mlesd's own self-signed certificate is made for.
func (a address) onLocalhost() bool {
	if strings.EqualFold(a.host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(a.host)
	return err == nil && (ip == netip.IPv6Loopback() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}))
}
