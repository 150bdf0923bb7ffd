package conformance

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestUpdateBroken tries all cases on all broken servers, and writes
// testdata/broken.txt anew, if the environment has CONFORMANCE_BROKEN=update. That
// takes about half an hour. CONFORMANCE_FAULT is a pattern for names of servers, and
// the others stay as they are in the file; so do slow ones without
// CONFORMANCE_SLOW. With -v it prints all that fails.
func TestUpdateBroken(t *testing.T) {
	if os.Getenv("CONFORMANCE_BROKEN") != "update" {
		t.Skip("without CONFORMANCE_BROKEN=update in the environment")
	}
	only, slow := regexp.MustCompile(os.Getenv("CONFORMANCE_FAULT")), os.Getenv("CONFORMANCE_SLOW") != ""
	all := faults()
	failed := make([][]string, len(all))
	var running sync.WaitGroup
	gate := make(chan struct{}, 8)
	for i, broken := range all {
		if !only.MatchString(broken.name) || broken.slow && !slow {
			continue
		}
		gate <- struct{}{}
		running.Go(func() {
			defer func() { <-gate }()
			o := Options{Pattern: broken.scope, Timeout: 2500 * time.Millisecond, Parallel: 40, Connections: 300, Hostile: true, Slow: slow}
			report, err := broken.on(Cases(), o)
			if err != nil {
				t.Errorf("%s: %v", broken.name, err)
				return
			}
			for _, r := range report.Results {
				if r.Outcome == Fail {
					failed[i] = append(failed[i], r.Case.ID)
				}
			}
			t.Logf("%s: %d of %d fail: %s", broken.name, len(failed[i]), len(report.Results), strings.Join(failed[i], " "))
		})
	}
	running.Wait()
	old := readProofs(t)
	var text strings.Builder
	for i, ids := range proven(t, all, failed) {
		name := all[i].name
		if failed[i] == nil {
			ids = old[name]
		}
		if len(ids) == 0 {
			t.Errorf("%s: no case finds it", name)
			continue
		}
		fmt.Fprintf(&text, "%s\n", name)
		for some := range slices.Chunk(ids, 4) {
			fmt.Fprintf(&text, "\t%s\n", strings.Join(some, " "))
		}
	}
	if err := os.WriteFile(proofsFile, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// proven chooses, and leaves out what fails beside other cases only, or not each
// time: of a server with a case like that, each case that fails is tried alone.
func proven(t *testing.T, all []fault, failed [][]string) [][]string {
	cases, fickle := casesByID(), make(map[int]bool)
	for {
		chosen := choose(failed, fickle)
		doubtful := make(map[int][]string)
		for range 4 {
			for i, unproved := range try(t, cases, proofs(all, chosen)) {
				if len(unproved) > 0 {
					doubtful[i] = append(doubtful[i], unproved...)
				}
			}
		}
		if len(doubtful) == 0 {
			return chosen
		}
		for i, ids := range doubtful {
			left := slices.DeleteFunc(slices.Clone(failed[i]), func(id string) bool { return slices.Contains(ids, id) })
			if !fickle[i] {
				left = alone(t, cases, all[i], left)
			}
			t.Logf("%s: %d of %d fail alone, each time: %s", all[i].name, len(left), len(failed[i]), strings.Join(left, " "))
			failed[i], fickle[i] = left, true
		}
	}
}

func proofs(all []fault, ids [][]string) []proof {
	some := make([]proof, len(all))
	for i := range all {
		some[i] = proof{all[i], ids[i]}
	}
	return some
}

// alone returns those of the cases that fail each time, on a server of their own.
func alone(t *testing.T, cases map[string]Case, broken fault, ids []string) []string {
	for range 3 {
		var some []proof
		for _, id := range ids {
			some = append(some, proof{broken, []string{id}})
		}
		var left []string
		for i, unproved := range try(t, cases, some) {
			if len(unproved) == 0 {
				left = append(left, ids[i])
			}
		}
		ids = left
	}
	return append([]string{}, ids...)
}

// choose returns, of the cases that fail on each server, those that prove most:
// each case stands for the server on which the fewest fail with it, one that is
// not fickle if there is any, and a server that would have none gets the two that
// fail on the fewest servers, or if it is fickle on the most.
func choose(failed [][]string, fickle map[int]bool) [][]string {
	chosen := make([][]string, len(failed))
	better := func(i, j int) bool {
		if fickle[i] != fickle[j] {
			return fickle[j]
		}
		return len(failed[i]) < len(failed[j])
	}
	best, on := make(map[string]int), make(map[string]int)
	for i, ids := range failed {
		for _, id := range ids {
			if at, ok := best[id]; !ok || better(i, at) {
				best[id] = i
			}
			on[id]++
		}
	}
	for i, ids := range failed {
		for _, id := range ids {
			if best[id] == i {
				chosen[i] = append(chosen[i], id)
			}
		}
		if chosen[i] == nil {
			some := slices.Clone(ids)
			slices.SortStableFunc(some, func(a, b string) int {
				if fickle[i] {
					a, b = b, a
				}
				return on[a] - on[b]
			})
			chosen[i] = some[:min(2, len(some))]
		}
	}
	return chosen
}
