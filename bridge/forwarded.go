package bridge

import (
	"net/http"
	"net/netip"
	"strings"
)

// addressOf is the address of a connection as net has it: IPv4 as such.
func addressOf(text string) netip.AddrPort {
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

// clientOf is whose request r is: the connection's other end or, where that is a
// trusted proxy, whom X-Forwarded-For names. Each proxy adds the address from which
// it was asked at the end, so the list is read from there, as far as proxies are
// trusted and addresses can be read. The port is 0 where the header has none.
func (p *policy) clientOf(r *http.Request) (client netip.AddrPort, told bool) {
	client = addressOf(r.RemoteAddr)
	if !client.IsValid() || !p.trusted.contain(client.Addr()) {
		return client, false
	}
	lines := r.Header.Values("X-Forwarded-For")
	for i := range lines {
		rest, more := lines[len(lines)-1-i], true
		for more {
			var entry string
			rest, entry, more = cutLast(rest, ",")
			addr, ok := forwardedAddress(entry)
			if !ok {
				return client, true
			}
			if client = addr; !p.trusted.contain(client.Addr()) {
				return client, true
			}
		}
	}
	return client, true
}

// cutLast cuts s around the last separator; without one, all is after it.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

// forwardedAddress reads what proxies write: 192.0.2.1, 192.0.2.1:5000, 2001:db8::1,
// [2001:db8::1], [2001:db8::1]:5000.
func forwardedAddress(entry string) (addr netip.AddrPort, ok bool) {
	entry = strings.Trim(entry, " \t")
	if whole, err := netip.ParseAddrPort(entry); err == nil {
		return netip.AddrPortFrom(whole.Addr().Unmap().WithZone(""), whole.Port()), true
	}
	if inner, ok := strings.CutPrefix(entry, "["); ok {
		entry, _ = strings.CutSuffix(inner, "]")
	}
	alone, err := netip.ParseAddr(entry)
	return netip.AddrPortFrom(alone.Unmap().WithZone(""), 0), err == nil
}

// whose is who asks: a client that has connected itself, or one that a trusted proxy
// tells of.
type whose struct {
	client netip.AddrPort
	told   bool
}

// asAsked is a request as what answers it shall see it: from its client.
func (g *Gateway) asAsked(r *http.Request) (*http.Request, whose) {
	client, told := g.policy.Load().clientOf(r)
	if told {
		r = r.WithContext(r.Context()) // a copy: the request may be another program's
		r.RemoteAddr = client.String()
	}
	return r, whose{client, told}
}

// asTold is a request as a site shall see it: it says by which scheme it was made only
// where that can be trusted.
func (w whose) asTold(r *http.Request) *http.Request {
	const scheme = "X-Forwarded-Proto"
	if !w.told && r.Header[scheme] != nil {
		r = r.WithContext(r.Context())
		r.Header = r.Header.Clone()
		r.Header.Del(scheme)
	}
	return r
}
