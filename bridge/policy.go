package bridge

import (
	"net/netip"

	"mles/v2"
)

// policy is the part of a gateway's configuration that may change while it runs.
// It is immutable; a change puts another in its place.
type policy struct {
	keys           keyring
	v1, v2         globs // channels that each side may join
	origins        origins
	v1WebSocket    bool
	v1ReadOnly     bool
	maxConnections int64
	trusted        networks // proxies whose X-Forwarded-For counts
	headers        map[Service][]netip.Prefix
}

// policyOf returns what a complete configuration demands.
func policyOf(conf Config) *policy {
	return &policy{
		keys:           newKeyring(conf),
		v1:             conf.V1Channels,
		v2:             conf.V2Channels,
		origins:        originsOf(conf),
		v1WebSocket:    conf.V1WebSocket,
		v1ReadOnly:     conf.V1ReadOnly,
		maxConnections: int64(conf.MaxConnections),
		trusted:        conf.TrustedProxies,
		headers:        conf.ProxyProtocol,
	}
}

// forwards says whether requests from addr may be other clients'.
func (p *policy) forwards(on Service, addr netip.AddrPort) bool {
	return on.speaksHTTP() && addr.IsValid() && p.trusted.contain(addr.Addr())
}

// hasHeader says whether a connection from addr begins with a PROXY protocol header.
func (p *policy) hasHeader(on Service, addr netip.AddrPort) bool {
	from := networks(p.headers[on])
	return addr.IsValid() && from.contain(addr.Addr())
}

// keys are those that hold at the moment.
func (g *Gateway) keys() *keyring { return &g.policy.Load().keys }

// shown is what a v1 client showed when it joined.
type shown struct {
	key          uint64
	addr         netip.AddrPort
	uid, channel string
}

// reasonKey is a v1 key that is none of the accepted ones.
const reasonKey = "wrong key"

// admitsV1 says by what a v1 client may join, or be there, or why not.
func (p *policy) admitsV1(s shown) (Credential, *refusal) {
	by, r := p.keys.admitsV1(s)
	if r == nil && !p.v1.fit(s.channel) {
		r = &refusal{reason: v2.ReasonChannel}
	}
	return by, r
}

// admitsV1WS says why a v1 WebSocket may not join a channel, or be there; nil: it
// may.
func (p *policy) admitsV1WS(channel string) *refusal {
	switch {
	case !p.v1WebSocket:
		return &refusal{reason: reasonOff}
	case !p.v1.fit(channel):
		return &refusal{reason: v2.ReasonChannel}
	}
	return nil
}

// admitsV2 says by what a v2 client may join, or be there, or why not.
func (p *policy) admitsV2(h v2.Hello) (Credential, *refusal) {
	by, r := p.keys.admitsV2(h)
	if r == nil && !p.v2.fit(h.Channel) {
		r = &refusal{reason: v2.ReasonChannel}
	}
	return by, r
}
