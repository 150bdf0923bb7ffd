package bridge

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// A Rate is so many in a time, and no more than that at once. The zero value is
// no limit.
type Rate struct {
	N   int
	Per time.Duration
}

// limit is the rate in terms of x/time/rate.
func (r Rate) limit() rate.Limit { return rate.Every(r.Per / time.Duration(r.N)) }

// Reasons for which an address is refused, as they are counted.
const (
	reasonRate  = "rate limit"
	reasonPerIP = "per-ip limit"
)

// mostRates bounds the addresses whose rate is remembered, to some 4 MB. Whoever
// has more addresses than that is not held back by counting them.
const mostRates = 16 << 10

// addresses counts connections by the address of their clients, where that is
// limited: each for itself, IPv6 by networks of 64 bits, since that is what one
// customer has.
type addresses struct {
	mu     sync.Mutex
	limits addressLimits
	era    uint32                                    // counts how often they have changed
	open   map[netip.Addr]int                        // connections now; nil while they are not limited
	rates  *simplelru.LRU[netip.Addr, *rate.Limiter] // nil while they are not limited

	perIPLog, rateLog *bunched
}

func newAddresses() *addresses { return &addresses{perIPLog: newBunched(), rateLog: newBunched()} }

// addressLimits is what addresses are held to.
type addressLimits struct {
	rate   Rate
	perIP  int
	exempt networks
}

func addressLimitsOf(conf Config) addressLimits {
	return addressLimits{conf.RateLimit, conf.PerIPLimit, conf.LimitExempt}
}

// checkAddresses says what does not fit in what c says of addresses.
func (c Config) checkAddresses() error {
	switch r := c.RateLimit; {
	case c.PerIPLimit < 0 || r.N < 0:
		return errors.New("bridge: a limit is negative")
	case r.N > 0 && r.Per/time.Duration(r.N) <= 0:
		return fmt.Errorf("bridge: %d connections in %s is no rate", r.N, r.Per)
	}
	all := slices.Concat(c.LimitExempt, c.TrustedProxies)
	for service, from := range c.ProxyProtocol {
		if _, err := ParseService(service.String()); err != nil {
			return fmt.Errorf("bridge: PROXY protocol: %w", err)
		}
		all = append(all, from...)
	}
	for _, p := range all {
		if !p.IsValid() || p.Addr().Is4In6() {
			return fmt.Errorf("bridge: %s is no network of IPv4 or IPv6", p)
		}
	}
	return nil
}

// networks are ranges of addresses, IPv4 as such.
type networks []netip.Prefix

func (n networks) contain(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, p := range n {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// countedAs is the address under which a client's connections are counted.
func countedAs(addr netip.Addr) netip.Addr {
	if addr = addr.Unmap().WithZone(""); addr.Is6() {
		prefix, _ := addr.Prefix(64) // which fits
		return prefix.Addr()
	}
	return addr
}

// configure has other limits hold. Open connections count for them, and nobody is
// closed.
func (a *addresses) configure(l addressLimits, open func(yield func(*socket))) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l.rate != a.limits.rate {
		a.rates = nil
	}
	if l.rate.N > 0 && a.rates == nil {
		a.rates, _ = simplelru.NewLRU[netip.Addr, *rate.Limiter](mostRates, nil) // whose size is positive
	}
	a.limits, a.open = l, nil
	a.era++
	if l.perIP > 0 {
		a.open = make(map[netip.Addr]int)
	}
	open(func(s *socket) {
		if a.isLimited(s) {
			a.count(s)
		}
	})
}

// isLimited says whether s is held to the limits.
func (a *addresses) isLimited(s *socket) bool {
	return !s.byProxy && s.addr.IsValid() && !a.limits.exempt.contain(s.addr.Addr())
}

func (a *addresses) count(s *socket) {
	if a.open != nil {
		a.open[countedAs(s.addr.Addr())]++
		s.counted = a.era
	}
}

// take counts a connection, or says for which reason it must be refused.
func (a *addresses) take(s *socket) (reason string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.isLimited(s) {
		return ""
	}
	key := countedAs(s.addr.Addr())
	if a.open != nil && a.open[key] >= a.limits.perIP {
		return reasonPerIP
	}
	if a.rates != nil && !a.rateOf(key).Allow() {
		return reasonRate
	}
	a.count(s)
	return ""
}

// rateOf returns the rate of an address, which may be a new one.
func (a *addresses) rateOf(key netip.Addr) *rate.Limiter {
	l, ok := a.rates.Get(key)
	if !ok {
		l = rate.NewLimiter(a.limits.rate.limit(), a.limits.rate.N)
		a.rates.Add(key, l)
	}
	return l
}

// give takes a connection off the count.
func (a *addresses) give(s *socket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open == nil || s.counted != a.era {
		return
	}
	s.counted = 0
	key := countedAs(s.addr.Addr())
	if a.open[key]--; a.open[key] <= 0 {
		delete(a.open, key)
	}
}

// reveal notes whose connection s is, which a proxy has opened; that may be another
// proxy's.
func (a *addresses) reveal(s *socket, client netip.AddrPort, byProxy bool) {
	a.give(s)
	a.mu.Lock()
	defer a.mu.Unlock()
	s.addr, s.told, s.byProxy = client, true, byProxy
}

// nameOf is s.name() for others than the goroutines that serve s.
func (a *addresses) nameOf(s *socket) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return s.name()
}

// lets counts a connection for its client's address; it says, counts and logs why
// not, where that has too many.
func (g *Gateway) lets(s *socket) (ok bool, reason string) {
	a := g.addresses
	reason = a.take(s)
	switch reason {
	case reasonPerIP:
		a.perIPLog.do(func(n int64) {
			g.log.Warn("connection refused: too many at once from one address; raise --per-ip-limit, or name the address in --limit-exempt",
				"client", s.name(), "limit", a.inForce().perIP, "refused", n)
		})
	case reasonRate:
		a.rateLog.do(func(n int64) {
			r := a.inForce().rate
			g.log.Warn("connection refused: too many in a short time from one address; raise --rate-limit, or name the address in --limit-exempt",
				"client", s.name(), "limit", r.N, "per", r.Per, "refused", n)
		})
	default:
		return true, ""
	}
	g.counters.refused(reason)
	return false, reason
}

func (a *addresses) inForce() addressLimits {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.limits
}

// bunched has something logged at most once a second, with how often it has
// happened since the last time.
type bunched struct {
	times atomic.Int64
	often rate.Sometimes
}

func newBunched() *bunched { return &bunched{often: rate.Sometimes{Interval: time.Second}} }

func (b *bunched) do(log func(times int64)) {
	b.times.Add(1)
	b.often.Do(func() { log(b.times.Swap(0)) })
}
