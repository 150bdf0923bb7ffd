package conformance

import (
	"context"
	"net"
	"net/http"
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
	// keyless servers have no shared key.
	keyless bool
	// slow faults take more than 20 s to be found: with CONFORMANCE_SLOW only.
	slow bool
	// scope is where it can show at all, as a pattern for IDs.
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
// TestUpdateBroken tries no others.
func faults() []fault {
	var all []fault
	for _, group := range []struct {
		scope  string
		faults []fault
	}{
		{"^(v1/(framing|join|leave|history|forward)|v2/(message|leave|hello)|bridge/(live|leave|size))/", v1FrameFaults()},
		{"^v1/(key|join|history|resync|names)/|^bridge/(header|notice)/", v1KeyFaults()},
		{"^(v1/(decode|names|resync)|bridge/body)/", v1BodyFaults()},
		{"", forwardFaults()},
		{"^(v1/(key|join|leave|history|forward)|v2/(duplicate|leave|history|join|close)|bridge/(identity|leave|notice|live))/", joinFaults()},
		{"^(v1/(names|isolation)|v2/(hello|channel)|bridge/name)/", nameFaults()},
		{"^(v1/(history|join|resync|key)|v2/(history|join|duplicate|hello)|bridge/(history|joins|replay|seam|resync|notice))/", historyFaults()},
		{"resync", resyncFaults()},
		{"^v2/opening/", openingFaults()},
		{"^(v2/(hello|close|duplicate|auth|history)|bridge/(notice|name))/", helloFaults()},
		{"^(v2/(auth|hello|duplicate)|bridge/notice)/", authFaults()},
		{"^(v2/(message|limit|history|utf8|hello|close|ping)|bridge/(live|replay|size|name|leave))/", messageFaults()},
		{"^(v2/(frame|close|ping|pong|message|hello|history|join|limit|leave)|bridge/(live|leave))/", controlFaults()},
		{"^(v2/(history|hello|join)|bridge/(notice|replay))/", noticeFaults()},
		{"^bridge/", bridgeFaults()},
		{"", furtherFaults()},
		{"^v1ws/", v1wsFaults()},
		{"/(slow|limit)/", timeFaults()},
		{"/(hostile|limit)/", loadFaults()},
	} {
		for _, f := range group.faults {
			if f.scope == nil {
				f.scope = regexp.MustCompile(group.scope)
			}
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
	return Target{V1: s.V1(), V2: s.V2(), V1WS: s.V1WS(), Key: key}
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
	return Run(context.Background(), Target{V1: s.V1(), V2: s.V2(), V1WS: s.V1WS(), Key: key}, o)
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

// Servers that are right in another way pass every case, too.
func TestOtherRightServers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	for name, differs := range map[string]func(r *scripted.Rules){
		"tells of arrivals as they happen": func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool) [][]byte {
				return right(ch, e, to, replay || e.Arrival)
			}
		},
		"pings often": func(r *scripted.Rules) { r.PingEvery, r.PingMisses = 200*time.Millisecond, 100 },
		"writes late": func(r *scripted.Rules) {
			right := r.Write
			r.Write = func(to net.Conn, batch [][]byte) error {
				time.Sleep(20 * time.Millisecond)
				return right(to, batch)
			}
		},
		"writes in small pieces": func(r *scripted.Rules) {
			r.Write = func(to net.Conn, batch [][]byte) error {
				all := slices.Concat(batch...)
				for piece := range slices.Chunk(all, max(7, len(all)/50)) {
					if _, err := to.Write(piece); err != nil {
						return err
					}
				}
				return nil
			}
		},
		"has its own way with headers": func(r *scripted.Rules) {
			right := r.Accept
			r.Accept = func(req *http.Request, sum string) []string {
				lines := []string{"server: other", "date: Sat, 01 Jan 2022 00:00:00 GMT"}
				for _, line := range right(req, sum) {
					name, value, _ := strings.Cut(line, ":")
					lines = append(lines, strings.ToLower(name)+":"+strings.TrimSpace(value))
				}
				return lines
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rules := scripted.Correct()
			differs(rules)
			allPass(t, scriptedTarget(t, rules, brokenKey), Options{Timeout: 10 * time.Second, Parallel: 64, Connections: 300})
		})
	}
}

// TestBrokenServers holds each broken server to the cases that testdata/broken.txt
// says find it: all must fail. Every case must be there, so that no case is of no
// use. See CONTRIBUTING.md, "The suite's own test".
func TestBrokenServers(t *testing.T) {
	cases := casesByID()
	proofs := readProofs(t)
	found := make(map[string]bool)
	var some []proof
	for _, broken := range faults() {
		ids, ok := proofs[broken.name]
		delete(proofs, broken.name)
		if !ok {
			t.Errorf("%s: not in testdata/broken.txt: no case finds it", broken.name)
			continue
		}
		for _, id := range ids {
			if _, ok := cases[id]; !ok {
				t.Errorf("%s: no case %s, which testdata/broken.txt says finds it", broken.name, id)
			}
			found[id] = true
		}
		if !broken.slow || os.Getenv("CONFORMANCE_SLOW") != "" {
			some = append(some, proof{broken, ids})
		}
	}
	for i, unproved := range try(t, cases, some) {
		for _, id := range unproved {
			t.Errorf("%s: %s does not fail, and must", some[i].broken.name, id)
		}
	}
	for name := range proofs {
		t.Errorf("testdata/broken.txt has a server that is not in the table: %s", name)
	}
	for id := range cases {
		if !found[id] {
			t.Errorf("%s fails on no broken server: what does it catch?", id)
		}
	}
}

func casesByID() map[string]Case {
	cases := make(map[string]Case)
	for _, c := range Cases() {
		cases[c.ID] = c
	}
	return cases
}

// A proof is a broken server with the cases that are to find it.
type proof struct {
	broken fault
	ids    []string
}

// try runs the cases of each proof, and no others, and returns those that do not
// fail. Most of that time is waiting.
func try(t *testing.T, cases map[string]Case, proofs []proof) (unproved [][]string) {
	unproved = make([][]string, len(proofs))
	o := Options{Timeout: 2500 * time.Millisecond, Parallel: 24, Connections: 200, Slow: true, Hostile: true}
	var running sync.WaitGroup
	gate := make(chan struct{}, 64)
	for i, p := range proofs {
		if len(p.ids) == 0 {
			continue
		}
		var finding []Case
		for _, id := range p.ids {
			finding = append(finding, cases[id])
		}
		gate <- struct{}{}
		running.Go(func() {
			defer func() { <-gate }()
			report, err := p.broken.on(finding, o)
			if err != nil {
				t.Errorf("%s: %v", p.broken.name, err)
				return
			}
			for _, r := range report.Results {
				if r.Outcome != Fail {
					unproved[i] = append(unproved[i], r.Case.ID)
				}
			}
		})
	}
	running.Wait()
	return unproved
}

const proofsFile = "testdata/broken.txt"

// readProofs reads which cases find which broken server: its name in a line, and
// then lines that begin with a tab, with the cases' IDs.
func readProofs(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(proofsFile)
	if err != nil {
		t.Fatal(err)
	}
	proofs := make(map[string][]string)
	name := ""
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "\t") {
			proofs[name] = append(proofs[name], strings.Fields(line)...)
		} else if name = strings.TrimSpace(line); proofs[name] != nil {
			t.Errorf("%s: %q is there twice", proofsFile, name)
		}
	}
	return proofs
}
