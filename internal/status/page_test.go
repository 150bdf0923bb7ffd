package status

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// Page by page everything comes once and in order, however it is shown, and pages are full.
func TestPages(t *testing.T) {
	var all []string
	for i := range 1000 {
		all = append(all, strconv.Itoa(i))
	}
	want := slices.Sorted(slices.Values(all))
	for _, limit := range []int{1, 7, 999, 1000, 1001} {
		var got []string
		for mark := ""; ; {
			after, err := parseMark(mark)
			if err != nil {
				t.Fatal(err)
			}
			p := page[string]{after: after, limit: limit}
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			for _, s := range all {
				p.add(place{s, "x"}, func() string { return s })
			}
			var some []string
			some, mark = p.list()
			if got = append(got, some...); len(some) > limit || mark != "" && len(some) < limit {
				t.Fatalf("%d on a page of %d", len(some), limit)
			}
			if mark == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("in pages of %d: %d items", limit, len(got))
		}
	}
	none := page[string]{}
	none.add(place{"a"}, func() string { t.Error("made in vain"); return "" })
	if got, mark := none.list(); got == nil || len(got) > 0 || mark != "" {
		t.Errorf("%q, %q", got, mark)
	}
}

func TestMarksOfOthers(t *testing.T) {
	for _, s := range []string{"x", "!", "bnVsbA", "W10", "Im4i", place{"ok"}.mark() + "="} {
		if p, err := parseMark(s); err == nil {
			t.Errorf("%q is %q", s, p)
		}
	}
}
