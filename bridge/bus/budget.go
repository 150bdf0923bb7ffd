package bus

import "sync/atomic"

// A Budget counts the memory that depends on what others send or fail to read:
// stored events, chunks of logs, frames half received. Adding never blocks;
// the bus brings the sum down again when it passes the limit.
type Budget struct {
	limit int64
	used  atomic.Int64
	over  chan struct{} // holds a token while the janitor has been told
}

func newBudget(limit int64) *Budget {
	return &Budget{limit: limit, over: make(chan struct{}, 1)}
}

// Limit returns the bound in bytes.
func (b *Budget) Limit() int64 { return b.limit }

// Used returns the bytes counted now.
func (b *Budget) Used() int64 { return b.used.Load() }

// Add counts n bytes more, or fewer where n is negative.
func (b *Budget) Add(n int64) {
	if b.used.Add(n) > b.high() && n > 0 {
		b.alarm()
	}
}

// alarm tells the janitor.
func (b *Budget) alarm() {
	select {
	case b.over <- struct{}{}:
	default:
	}
}

// high is where the janitor begins to drop histories: before the limit, so
// that in the usual case nobody is made to wait.
func (b *Budget) high() int64 { return b.limit / 8 * 7 }

// low is how far it goes on.
func (b *Budget) low() int64 { return b.limit / 8 * 6 }
