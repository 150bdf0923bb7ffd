package bench

import (
	"math"
	"math/bits"
	"sync"
)

// Histogram counts durations in ns, in buckets that are less than 1 % wide.
type Histogram struct {
	counts []uint64
	n      uint64
	max    int64
	min    int64
	sum    float64
}

const (
	subBits    = 7 // buckets in each doubling: 1<<subBits
	subBuckets = 1 << subBits
	maxLatency = int64(1) << 40 // 18 minutes: all that is longer counts as this
)

// Add counts one duration.
func (h *Histogram) Add(ns int64) {
	if h.counts == nil {
		h.counts = make([]uint64, bucketOf(maxLatency)+1)
		h.min = math.MaxInt64
	}
	ns = min(max(ns, 0), maxLatency)
	h.counts[bucketOf(ns)]++
	h.n++
	h.sum += float64(ns)
	h.max, h.min = max(h.max, ns), min(h.min, ns)
}

// Merge adds all that o has counted.
func (h *Histogram) Merge(o *Histogram) {
	if o.n == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make([]uint64, len(o.counts))
		h.min = math.MaxInt64
	}
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.sum += o.sum
	h.max, h.min = max(h.max, o.max), min(h.min, o.min)
}

// Count returns how many durations were counted.
func (h *Histogram) Count() uint64 { return h.n }

// Quantile returns the duration in ns that a part q, 0 … 1, of all did not
// exceed; 0 if there are none.
func (h *Histogram) Quantile(q float64) float64 {
	if h.n == 0 {
		return 0
	}
	rank := min(uint64(math.Ceil(q*float64(h.n))), h.n)
	var seen uint64
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= rank {
			return min(max(middleOf(i), float64(h.min)), float64(h.max))
		}
	}
	return float64(h.max)
}

// Mean returns the mean in ns.
func (h *Histogram) Mean() float64 { return h.sum / float64(max(h.n, 1)) }

// bucketOf is exact below 1<<subBits and logarithmic above.
func bucketOf(ns int64) int {
	if ns < subBuckets {
		return int(ns)
	}
	shift := bits.Len64(uint64(ns)) - subBits - 1
	return (shift+1)<<subBits + int(ns>>shift)&(subBuckets-1)
}

func middleOf(bucket int) float64 {
	if bucket < subBuckets {
		return float64(bucket)
	}
	shift := bucket>>subBits - 1
	low := int64(subBuckets+bucket&(subBuckets-1)) << shift
	return float64(low) + float64(int64(1)<<shift)/2
}

// recorder is a histogram that some connections share.
type recorder struct {
	mu sync.Mutex
	h  Histogram
}

// add is called with mu held, once for the messages of a whole read.
func (r *recorder) add(ns int64) { r.h.Add(ns) }

// record adds one duration by itself.
func (r *recorder) record(ns int64) {
	r.mu.Lock()
	r.h.Add(ns)
	r.mu.Unlock()
}

// recorders are several, so that connections seldom wait for each other.
type recorders [16]recorder

func (r *recorders) of(i int) *recorder { return &r[i%len(r)] }

func (r *recorders) merged() *Histogram {
	var h Histogram
	for i := range r {
		h.Merge(&r[i].h)
	}
	return &h
}
