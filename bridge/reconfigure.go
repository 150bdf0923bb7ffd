package bridge

import (
	"crypto/tls"
	"maps"
	"slices"
	"time"

	"mles/v2"
)

// Changes tells what a change of configuration did.
type Changes struct {
	// Applied names the fields of [Config] that differ from before and hold now,
	// in the order of their names.
	Applied []string
	// Restart names those that differ and cannot change while a gateway runs:
	// the old values go on to hold, until a new gateway is made.
	Restart []string
	// Closed counts the connections that are no longer allowed and have been
	// closed, by reason: "wrong key", "wrong auth", "key does not open channel",
	// "key does not open dialect", "channel not allowed", "v1 is off".
	Closed map[string]int
}

// Reconfigure puts conf in the place of the configuration that the gateway was
// made with. Keys, channels, origins, upstreams, proxies, the history's and the connections'
// limits change at once, and V1ReadOnly with the next frames. V2Joins, WebproxyMask and MemoryLimit
// are only named in Changes.Restart; Logger, Site and Witness stay as they are. An
// upstream that is configured as before stays connected.
//
// Members who are still allowed notice nothing, and histories stay. Members who are
// not are closed: those who joined with a key or an address that is not accepted
// any more or does not open their channel any more, and those on a channel that their dialect may not join. When
// Reconfigure returns nobody joins any more by the configuration before, however
// early it connected.
//
// A configuration that does not fit changes nothing; the error says what is wrong.
func (g *Gateway) Reconfigure(conf Config) (Changes, error) {
	g.changing.Lock()
	defer g.changing.Unlock()
	if err := conf.Check(); err != nil {
		return Changes{}, err
	}
	given := conf
	conf.Logger, conf.V2Joins, conf.MemoryLimit = g.log, g.given.V2Joins, g.conf.MemoryLimit
	conf.WebproxyMask = MaskOff // what it was made with holds, whatever goes with that
	conf, err := conf.withDefaults()
	if err != nil {
		return Changes{}, err
	}
	if err := g.upstreams.configure(conf.Upstreams); err != nil {
		return Changes{}, err
	}
	changes := differences(g.given, given)

	g.admission.Lock()
	p := policyOf(conf)
	g.policy.Store(p)
	g.admission.Unlock()
	g.addresses.configure(addressLimitsOf(conf), g.eachSocket)
	g.bus.SetHistoryLimit(conf.HistoryLimit)
	changes.Closed = g.review(p)

	given.V2Joins, given.MemoryLimit, given.WebproxyMask = g.given.V2Joins, g.given.MemoryLimit, g.given.WebproxyMask
	g.given = given
	return changes, nil
}

// differences compares two configurations as they were given.
func differences(old, now Config) (c Changes) {
	for _, f := range []struct {
		name   string
		differ bool
	}{
		{"AddrKey", old.AddrKey != now.AddrKey},
		{"HistoryLimit", old.HistoryLimit != now.HistoryLimit},
		{"LimitExempt", !slices.Equal(old.LimitExempt, now.LimitExempt)},
		{"MaxConnections", old.MaxConnections != now.MaxConnections},
		{"Origins", !slices.Equal(old.Origins, now.Origins)},
		{"PerIPLimit", old.PerIPLimit != now.PerIPLimit},
		{"ProxyProtocol", !maps.EqualFunc(old.ProxyProtocol, now.ProxyProtocol, slices.Equal)},
		{"RateLimit", old.RateLimit != now.RateLimit},
		{"TrustedProxies", !slices.Equal(old.TrustedProxies, now.TrustedProxies)},
		{"Upstreams", !slices.EqualFunc(old.Upstreams, now.Upstreams, Upstream.equal)},
		{"V1AddressKeys", old.V1AddressKeys != now.V1AddressKeys},
		{"V1Channels", !slices.Equal(old.V1Channels, now.V1Channels)},
		{"V1KeyScopes", !slices.EqualFunc(old.V1KeyScopes, now.V1KeyScopes, Scope.equal)},
		{"V1Keys", !slices.Equal(old.V1Keys, now.V1Keys)},
		{"V1ReadOnly", old.V1ReadOnly != now.V1ReadOnly},
		{"V1WebSocket", old.V1WebSocket != now.V1WebSocket},
		{"V2Channels", !slices.Equal(old.V2Channels, now.V2Channels)},
		{"V2KeyScopes", !slices.EqualFunc(old.V2KeyScopes, now.V2KeyScopes, Scope.equal)},
		{"V2Keys", !slices.Equal(old.V2Keys, now.V2Keys)},
	} {
		if f.differ {
			c.Applied = append(c.Applied, f.name)
		}
	}
	if old.MemoryLimit != now.MemoryLimit {
		c.Restart = append(c.Restart, "MemoryLimit")
	}
	if old.V2Joins != now.V2Joins {
		c.Restart = append(c.Restart, "V2Joins")
	}
	if old.WebproxyMask != now.WebproxyMask {
		c.Restart = append(c.Restart, "WebproxyMask")
	}
	return c
}

// review closes whom p allows no longer, and counts them. Whoever joins meanwhile
// does so by p.
func (g *Gateway) review(p *policy) map[string]int {
	g.mu.Lock()
	sessions, _ := g.open()
	g.mu.Unlock()
	closed := make(map[string]int)
	for _, s := range sessions {
		if r := s.review(p); r != nil {
			closed[r.reason]++
			g.counters.count(&g.counters.revoked, r.reason)
		}
	}
	return closed
}

// A visitor of the site is no member, and may stay.
func (v *visit) review(*policy) *refusal { return nil }

func (c *v1conn) review(p *policy) *refusal {
	r := c.seat.review(p)
	if r != nil {
		c.revoke(r.reason)
	}
	return r
}

// revoke takes leave of a member that is no longer allowed, as of somebody who is refused: with the end of the
// stream behind a whole frame, and reading on for a moment.
func (c *v1conn) revoke(why string) {
	if !c.ends(&ending{reason: why}) {
		return
	}
	c.g.log.Warn("no longer allowed", "dialect", "v1", "client", c.sock.name(), "uid", c.uid, "channel", c.channel, "reason", why)
	c.seat.leave()
	written := c.writer.finish([]byte{})
	time.AfterFunc(lingerTime, c.abort)
	c.g.spawn(func() {
		<-written
		c.sock.shutWrite()
	}, c.sock)
}

func (c *wsconn) review(p *policy) *refusal {
	r := c.seat.review(p)
	if r != nil {
		c.g.log.Warn("no longer allowed", c.label(), "client", c.sock.name(), "uid", c.uid, "channel", c.channel, "reason", r.reason)
		c.part(v2.ClosePolicy, r.told(), &ending{reason: r.reason})
	}
	return r
}

// equal says whether two upstreams are configured alike.
func (u Upstream) equal(other Upstream) bool {
	return u.URL == other.URL && u.UID == other.UID && u.Key == other.Key && sameTLS(u.TLS, other.TLS) &&
		slices.Equal(u.Hold, other.Hold)
}

// sameTLS says whether two TLS configurations are the same, or trust the same
// certificates and say nothing else.
func sameTLS(a, b *tls.Config) bool {
	if a == b {
		return true
	}
	plain := func(c *tls.Config) bool {
		return c != nil && c.ServerName == "" && !c.InsecureSkipVerify && len(c.Certificates) == 0 &&
			c.GetClientCertificate == nil && c.VerifyPeerCertificate == nil && c.VerifyConnection == nil
	}
	return plain(a) && plain(b) && a.RootCAs.Equal(b.RootCAs)
}
