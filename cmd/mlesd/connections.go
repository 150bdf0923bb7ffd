package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"mles/bridge"
)

// connectionFlags are the flags of who may connect how often, and of proxies, which connect for others.
type connectionFlags struct {
	RateLimit      *connectionRate `name:"rate-limit" env:"MLESD_RATE_LIMIT" group:"Connections" placeholder:"N" help:"Connections that one address may open in a minute; N/s, N/m, N/h: in a second, minute or hour (default: any number)."`
	PerIPLimit     *int            `name:"per-ip-limit" env:"MLESD_PER_IP_LIMIT" group:"Connections" placeholder:"N" help:"Connections that one address may have open at once; 0 is any number (default: any number)."`
	LimitExempt    networks        `name:"limit-exempt" env:"MLESD_LIMIT_EXEMPT" group:"Connections" placeholder:"CIDR" help:"Addresses and networks that these two limits are not for: 10.0.0.0/8, 192.0.2.1. Repeat, or separate by commas."`
	TrustedProxies networks        `name:"trusted-proxies" env:"MLESD_TRUSTED_PROXIES" group:"Connections" placeholder:"CIDR" help:"Proxies in front of WebSockets and the site, whose X-Forwarded-For tells the client's address. Repeat, or separate by commas."`
	ProxyProtocol  proxyListeners  `name:"proxy-protocol" env:"MLESD_PROXY_PROTOCOL" group:"Connections" placeholder:"LISTENER" help:"Listeners whose connections begin with a PROXY protocol header if they come from these addresses: v1, v1-tls, v2, plain, redirect; v1=10.0.0.1,10.1.0.0/16, or v1 alone for those of --trusted-proxies. Repeat, or separate by commas."`
}

// connectionRate is a number of connections in a time, as a flag says it.
type connectionRate struct{ bridge.Rate }

// UnmarshalText reads "100", "100/m", "5/s", "1000/h". 0 is no limit.
func (r *connectionRate) UnmarshalText(text []byte) error {
	number, unit, some := strings.Cut(strings.TrimSpace(string(text)), "/")
	per, known := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if !some {
		per, known = time.Minute, true // as with mles 2.9.4
	}
	n, err := strconv.Atoi(number)
	if err != nil || !known || n < 0 || n > 1_000_000 {
		return fmt.Errorf("%q: want a number of connections, up to a million, in a minute, or N/s, N/m, N/h", text)
	}
	*r = connectionRate{bridge.Rate{N: n, Per: per}}
	if n == 0 {
		*r = connectionRate{}
	}
	return nil
}

// networks are addresses and ranges of them, as a flag lists them.
type networks []netip.Prefix

// Decode reads one value of the flag, by which it adds networks.
func (n *networks) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("CIDR", &text); err != nil {
		return err
	}
	for part := range strings.SplitSeq(text, ",") {
		network, err := parseNetwork(part)
		if err != nil {
			return err
		}
		*n = append(*n, network)
	}
	return nil
}

// parseNetwork reads an address or a network. A network is named by its first address: another one is a slip.
func parseNetwork(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return p, fmt.Errorf("%q is no address or network, such as 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32", s)
	case p.Addr().Is4In6():
		return p, fmt.Errorf("%q: write it as IPv4", s)
	case p != p.Masked():
		return p, fmt.Errorf("%q: the network is %s", s, p.Masked())
	}
	return p, nil
}

// proxyListeners are listeners behind proxies that speak the PROXY protocol, each with the networks of these; none:
// those of --trusted-proxies.
type proxyListeners map[bridge.Service]networks

// Decode reads one value of the flag, LISTENER[=CIDR,…],…: what is neither a listener nor has one before it is a network
// of the listener before.
func (p *proxyListeners) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("LISTENER", &text); err != nil {
		return err
	}
	if *p == nil {
		*p = make(proxyListeners)
	}
	var last bridge.Service
	for part := range strings.SplitSeq(text, ",") {
		name, network, given := strings.Cut(strings.TrimSpace(part), "=")
		if service, err := bridge.ParseService(name); err == nil {
			last = service
			if _, twice := (*p)[last]; twice {
				return fmt.Errorf("%s stands there twice", name)
			}
			(*p)[last] = nil
			if !given {
				continue
			}
		} else if given || last == 0 {
			return err
		} else {
			network = name
		}
		n, err := parseNetwork(network)
		if err != nil {
			return err
		}
		(*p)[last] = append((*p)[last], n)
	}
	return nil
}

// proxyHeaders says for each listener who has to begin with a PROXY protocol header.
func (c *config) proxyHeaders() map[bridge.Service][]netip.Prefix {
	headers := make(map[bridge.Service][]netip.Prefix)
	for service, from := range c.ProxyProtocol {
		if len(from) == 0 {
			from = c.TrustedProxies
		}
		headers[service] = from
	}
	return headers
}

// rate is what --rate-limit says.
func (c *config) rate() bridge.Rate {
	if c.RateLimit == nil {
		return bridge.Rate{}
	}
	return c.RateLimit.Rate
}

// perIP is what --per-ip-limit says.
func (c *config) perIP() int {
	if c.PerIPLimit == nil {
		return 0
	}
	return *c.PerIPLimit
}

// checkConnections checks that the flags fit to each other, and to the listeners.
func (c *config) checkConnections() error {
	var f faults
	f.when(c.perIP() < 0, "--per-ip-limit %d is negative", c.perIP())
	f.when(len(c.LimitExempt) > 0 && c.RateLimit == nil && c.PerIPLimit == nil,
		"--limit-exempt is for --rate-limit and --per-ip-limit, neither of which is given")
	f.when(len(c.TrustedProxies) > 0 && len(c.ProxyProtocol) == 0 && c.v2.off && c.plain.off && c.redirect.off,
		"--trusted-proxies: --v2-listen and --plain-listen are both off, and X-Forwarded-For is read there alone; v1 through a proxy needs --proxy-protocol")
	off := map[bridge.Service]bool{
		bridge.OnV1: c.v1.off, bridge.OnV1TLS: c.v1TLS.off, bridge.OnV2TLS: c.v2.off, bridge.OnV2: c.plain.off, bridge.OnSite: c.redirect.off,
	}
	for service := bridge.OnV1; service <= bridge.OnSite; service++ {
		if from, given := c.ProxyProtocol[service]; given {
			f.when(off[service], "--proxy-protocol %s: --%s-listen is off", service, service)
			f.when(len(from) == 0 && len(c.TrustedProxies) == 0,
				"--proxy-protocol %s: from which addresses? Name them, %s=192.0.2.1, or give --trusted-proxies", service, service)
		}
	}
	return f.err()
}

// connectionWarnings are what somebody should know who has such flags.
func (c *config) connectionWarnings() (all []string) {
	for _, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			all = append(all, fmt.Sprintf("--trusted-proxies %s: every client can say which address it has", p))
		}
	}
	for service := bridge.OnV1; service <= bridge.OnSite; service++ {
		for _, p := range c.ProxyProtocol[service] {
			if p.Bits() == 0 {
				all = append(all, fmt.Sprintf("--proxy-protocol %s=%s: whoever connects can say which address it has", service, p))
			}
		}
	}
	return all
}
