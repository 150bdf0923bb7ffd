package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestQuantiles holds the histogram's against those of the sorted values.
func TestQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h, odd Histogram
	var all []float64
	for i := range 20_000 {
		v := int64(math.Exp(rng.Float64() * 25))
		all = append(all, float64(v))
		if i%2 == 0 {
			h.Add(v)
		} else {
			odd.Add(v)
		}
	}
	h.Merge(&odd)
	h.Merge(new(Histogram))
	slices.Sort(all)
	if h.Count() != uint64(len(all)) {
		t.Errorf("%d counted, want %d", h.Count(), len(all))
	}
	for _, q := range []float64{0, .25, .5, .9, .99, .999, 1} {
		want := all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
		if got := h.Quantile(q); math.Abs(got-want) > want/100 {
			t.Errorf("quantile %g is %g, want %g within 1 %%", q, got, want)
		}
	}
	if got := new(Histogram).Quantile(.5); got != 0 {
		t.Errorf("median of nothing is %g", got)
	}
}

// TestBuckets: each begins where the one before ends.
func TestBuckets(t *testing.T) {
	last := 0
	for ns := int64(0); ns < 1<<20; ns++ {
		b := bucketOf(ns)
		if b != last && b != last+1 {
			t.Fatalf("%d ns is in bucket %d, the ns before in %d", ns, b, last)
		}
		last = b
	}
	if m := middleOf(bucketOf(1 << 30)); m < 1<<30 || m > 1.01*(1<<30) {
		t.Errorf("the middle of the bucket of 2³⁰ is %g", m)
	}
}
