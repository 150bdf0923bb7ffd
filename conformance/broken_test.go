package conformance

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mles/conformance/internal/scripted"
)

// A fault is one thing that a broken server does wrong.
type fault struct {
	name string
	// breaks turns right rules into wrong ones.
	breaks func(r *scripted.Rules)
	// finds are the cases that must fail on it, as a pattern for whole IDs. There
	// may be others.
	finds string
	// keyless servers have no shared key.
	keyless bool
	// slow faults take more than 20 s to be found: with CONFORMANCE_SLOW only.
	slow bool
	// scope is where it can show at all.
	scope *regexp.Regexp
}

func takes(remarks ...scripted.Remark) func(r *scripted.Rules) {
	return verdict(scripted.Ignore, remarks...)
}

func refuses(remarks ...scripted.Remark) func(r *scripted.Rules) {
	return verdict(scripted.Cut, remarks...)
}

func verdict(v scripted.Verdict, remarks ...scripted.Remark) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		for _, about := range remarks {
			r.Verdicts[about] = v
		}
	}
}

// faults returns all of them. Where a group of them can only show in some cases,
// TestMatrix tries no others.
func faults() []fault {
	var all []fault
	for _, group := range []struct {
		scope  string
		faults []fault
	}{
		{"^v1/(framing|join|leave|history|forward)/", v1FrameFaults()},
		{"^v1/(key|join|history|resync|names)/|^bridge/(header|notice)/", v1KeyFaults()},
		{"^v1/(decode|names|resync)/", v1BodyFaults()},
		{"", forwardFaults()},
		{"^(v1/(key|join|leave|history|forward)|v2/(duplicate|leave|history|join|close)|bridge/(identity|leave|notice|live))/", joinFaults()},
		{"^(v1/(names|isolation)|v2/(hello|channel)|bridge/name)/", nameFaults()},
		{"^(v1/(history|join|resync|key)|v2/(history|join|duplicate|hello)|bridge/(history|joins|replay|seam|resync|notice))/", historyFaults()},
		{"resync", resyncFaults()},
		{"^v2/opening/", openingFaults()},
		{"^v2/(hello|close|duplicate|auth)/", helloFaults()},
		{"^v2/(auth|hello|duplicate)/", authFaults()},
		{"^v2/(message|limit|history|utf8|hello|close|ping)/", messageFaults()},
		{"^v2/(frame|close|ping|pong|message|hello|history|join|slow)/", controlFaults()},
		{"^(v2/(history|hello|join)|bridge/(notice|replay))/", noticeFaults()},
		{"^bridge/", bridgeFaults()},
		{"", furtherFaults()},
		{"/(slow|limit)/", timeFaults()},
		{"/(hostile|limit)/", loadFaults()},
	} {
		for _, f := range group.faults {
			f.scope = regexp.MustCompile(group.scope)
			all = append(all, f)
		}
	}
	return all
}

// brokenKey is the shared key of servers that have one.
const brokenKey = "swordfish"

// scriptedTarget starts a scripted server.
func scriptedTarget(t *testing.T, rules *scripted.Rules, key string) Target {
	t.Helper()
	s, err := scripted.Start(rules, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return Target{V1: s.V1(), V2: s.V2(), Key: key}
}

// on runs cases against a server with the fault.
func (f fault) on(cases []Case, o Options) (*Report, error) {
	rules := scripted.Correct()
	f.breaks(rules)
	key := brokenKey
	if f.keyless {
		key = ""
	}
	s, err := scripted.Start(rules, key)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	o.Cases = slices.Clone(cases)
	for i := range o.Cases {
		if o.Cases[i].Needs&Slow == 0 {
			o.Cases[i].Deadline = min(o.Cases[i].deadline(), 8*time.Second)
		}
	}
	return Run(context.Background(), Target{V1: s.V1(), V2: s.V2(), Key: key}, o)
}

// The scripted server is right as long as nothing is changed in it.
func TestScriptedServerPassesEveryCase(t *testing.T) {
	for name, key := range map[string]string{"with a key": brokenKey, "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allPass(t, scriptedTarget(t, scripted.Correct(), key), Options{Timeout: 10 * time.Second, Hostile: true})
		})
	}
}

// TestMatrix tries every case on every broken server and writes, for each of
// these, how many fail, and which, to the file that the environment's
// CONFORMANCE_MATRIX names: for whoever adds a fault or a case. It takes minutes.
// CONFORMANCE_FAULT is a pattern for names of faults.
func TestMatrix(t *testing.T) {
	name := os.Getenv("CONFORMANCE_MATRIX")
	if name == "" {
		t.Skip("no CONFORMANCE_MATRIX in the environment")
	}
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	only := regexp.MustCompile(os.Getenv("CONFORMANCE_FAULT"))
	o := Options{Timeout: 2500 * time.Millisecond, Parallel: 40, Connections: 300, Slow: os.Getenv("CONFORMANCE_SLOW") != ""}
	o.Hostile = os.Getenv("CONFORMANCE_HOSTILE") != ""
	var mu sync.Mutex
	gate := make(chan struct{}, 5)
	var all sync.WaitGroup
	for _, broken := range faults() {
		if !only.MatchString(broken.name) || broken.slow && !o.Slow {
			continue
		}
		all.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			start := time.Now()
			o := o
			o.Pattern = broken.scope
			report, err := broken.on(Cases(), o)
			if err != nil {
				t.Errorf("%s: %v", broken.name, err)
				return
			}
			var failed []string
			for _, r := range report.Results {
				if r.Outcome != Pass {
					failed = append(failed, r.Case.ID)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(f, "%s\t%d\t%.1fs\t%s\n", broken.name, len(failed), time.Since(start).Seconds(), strings.Join(failed, " "))
		})
	}
	all.Wait()
}
