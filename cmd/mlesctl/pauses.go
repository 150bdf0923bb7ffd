package main

import (
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// eager is how many pauses are of a second: a server that is restarted is back by then, and whoever waited longer would wait in
// vain.
const eager = 10

// pauses are those between attempts to connect, as docs/operations.md wants them of every client: the first up to a second,
// so that not all who lost the same server come back at once; then about a second each; then twice as long
// each time, up to half a minute.
type pauses struct {
	n     int
	later backoff.ExponentialBackOff
}

func newPauses() *pauses {
	p := &pauses{later: backoff.ExponentialBackOff{
		InitialInterval: 2 * time.Second, RandomizationFactor: 0.3, Multiplier: 2, MaxInterval: 30 * time.Second,
	}}
	p.reset()
	return p
}

// reset begins anew, after a connection that lasted.
func (p *pauses) reset() {
	p.n = 0
	p.later.Reset()
}

func (p *pauses) next() time.Duration {
	switch p.n++; {
	case p.n == 1:
		return rand.N(time.Second)
	case p.n <= eager:
		return 700*time.Millisecond + rand.N(600*time.Millisecond)
	}
	return p.later.NextBackOff()
}
