package admin

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// How often an address may send a wrong token.
const (
	guessEvery = time.Second
	guessBurst = 10
	maxGuesser = 1024 // addresses known one by one
)

// guesses slows those who send wrong tokens, by address, and tells the log of them.
type guesses struct {
	log *slog.Logger

	mu     sync.Mutex
	by     map[netip.Prefix]*rate.Limiter
	others *rate.Limiter // of all addresses that there is no room for

	told   rate.Sometimes
	untold atomic.Int64 // wrong tokens since the last line
}

func newGuesses(log *slog.Logger) *guesses {
	return &guesses{
		log: log, by: make(map[netip.Prefix]*rate.Limiter), others: newGuessLimiter(),
		told: rate.Sometimes{Interval: time.Second},
	}
}

func newGuessLimiter() *rate.Limiter { return rate.NewLimiter(rate.Every(guessEvery), guessBurst) }

// allowed reports whether the client may be asked for its token at all.
func (g *guesses) allowed(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, known := g.by[guesser(r)]
	if !known {
		return len(g.by) < maxGuesser || g.others.Tokens() >= 1
	}
	return l.Tokens() >= 1
}

// wrong notes a wrong token.
func (g *guesses) wrong(r *http.Request) {
	g.limiter(guesser(r)).Allow()
	g.untold.Add(1)
	g.told.Do(func() {
		g.log.Warn("a wrong token for the admin listener", "client", r.RemoteAddr, "path", r.URL.Path, "count", g.untold.Swap(0))
	})
}

// limiter is the one that an address has, from now on.
func (g *guesses) limiter(who netip.Prefix) *rate.Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	l, known := g.by[who]
	if known {
		return l
	}
	if len(g.by) >= maxGuesser {
		for old, l := range g.by {
			if l.Tokens() >= guessBurst { // as if it had never been here
				delete(g.by, old)
			}
		}
	}
	if len(g.by) >= maxGuesser {
		return g.others
	}
	l = newGuessLimiter()
	g.by[who] = l
	return l
}

// guesser is whom a request counts against: its address, or the network that an IPv6 one is in.
func guesser(r *http.Request) netip.Prefix {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := ap.Addr().Unmap().WithZone(""), 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}
