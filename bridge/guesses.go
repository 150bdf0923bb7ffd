package bridge

import (
	"maps"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"mles/v2"
)

// How those are slowed who come with wrong keys.
const (
	freeGuesses = 10          // of an address, that are answered at once
	guessEvery  = time.Second // one more of these
	longestHold = 3 * time.Second
	maxGuessers = 4096 // addresses that are known one by one
)

// guesses slows those who try keys on v2. Only the answer to a wrong key is held back:
// who has a right one waits for nobody, wherever he comes from. v1 has no other answer to a
// wrong key than the end of the connection, and none to a right one: its clients would take
// a late one for having been let in.
type guesses struct {
	mu     sync.Mutex
	of     map[netip.Addr]*rate.Limiter
	others *rate.Limiter // of all addresses that there is no room for
	swept  time.Time     // when those were forgotten last who are as if they had never been here

	waiting atomic.Int64 // as many as held has
	held    map[*socket]chan struct{}
}

func newGuesses() *guesses {
	return &guesses{of: make(map[netip.Addr]*rate.Limiter), others: newGuessLimiter(), held: make(map[*socket]chan struct{})}
}

func newGuessLimiter() *rate.Limiter { return rate.NewLimiter(rate.Every(guessEvery), freeGuesses) }

// wrong notes a wrong key from an address, and says how long its answer has to wait.
func (g *guesses) wrong(addr netip.Addr, now time.Time) time.Duration {
	r := g.limiter(countedAs(addr), now).ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > longestHold {
		r.CancelAt(now)
		wait = longestHold
	}
	return wait
}

func (g *guesses) limiter(who netip.Addr, now time.Time) *rate.Limiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l, known := g.of[who]; known {
		return l
	}
	if len(g.of) >= maxGuessers && now.Sub(g.swept) >= guessEvery {
		g.swept = now
		maps.DeleteFunc(g.of, func(_ netip.Addr, l *rate.Limiter) bool { return l.TokensAt(now) >= freeGuesses })
	}
	if len(g.of) >= maxGuessers {
		return g.others
	}
	l := newGuessLimiter()
	g.of[who] = l
	return l
}

// holdBack waits before the client of s is told that its key is wrong, or that it opens something
// else.
func (g *Gateway) holdBack(s *socket, r *refusal) {
	if r.told() != v2.ReasonAuth {
		return
	}
	wait := g.guesses.wrong(s.addr.Addr(), time.Now())
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-g.guesses.hold(s):
	case <-g.closing:
	}
	g.guesses.release(s)
}

// hold returns what is closed when s is, or released.
func (g *guesses) hold(s *socket) <-chan struct{} {
	released := make(chan struct{})
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held[s] = released
	g.waiting.Add(1)
	return released
}

// release has nobody wait any more because of s.
func (g *guesses) release(s *socket) {
	if g.waiting.Load() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if released, ok := g.held[s]; ok {
		close(released)
		delete(g.held, s)
		g.waiting.Add(-1)
	}
}
