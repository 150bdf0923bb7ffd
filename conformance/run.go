package conformance

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

// Options say which cases run, how, and what is expected of them. The zero value
// runs all that need neither Slow nor Hostile and expects all to pass.
type Options struct {
	// Cases are those to choose from; nil: Cases().
	Cases []Case
	// Pattern chooses by ID; nil: all.
	Pattern *regexp.Regexp
	// Profile says what the target is known to do otherwise; nil: nothing.
	Profile *Profile
	// Timeout is how long the target may take for one thing; 0: 5 s.
	Timeout time.Duration
	// Slow and Hostile add those cases.
	Slow, Hostile bool
	// Parallel is how many cases run at a time; 0: 16. Hostile ones run one by
	// one, after all others.
	Parallel int
	// Connections bounds how many are open at a time; 0: 28, which a mles 2.9.4
	// takes from one address.
	Connections int
	// Progress is told each result as it comes, never two at a time; nil: nobody.
	Progress func(Result)
}

// ErrNoCases is in the error of a run whose pattern and target leave no case.
var ErrNoCases = errors.New("no case to run")

func (o Options) withDefaults() Options {
	if o.Cases == nil {
		o.Cases = Cases()
	}
	if o.Profile == nil {
		o.Profile = &Profile{}
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Parallel <= 0 {
		o.Parallel = 16
	}
	if o.Connections <= 0 {
		o.Connections = 28
	}
	if o.Progress == nil {
		o.Progress = func(Result) {}
	}
	return o
}

// Select returns the cases that a run with these would try, and those that it
// would leave out because of what is not given, with the reasons.
func Select(tg Target, o Options) ([]Case, []Deselected) {
	o = o.withDefaults()
	var chosen []Case
	var left []Deselected
	for _, c := range o.Cases {
		if o.Pattern != nil && !o.Pattern.MatchString(c.ID) {
			continue
		}
		why := c.unmet(tg, o)
		if why == "" {
			chosen = append(chosen, c)
			continue
		}
		at := slices.IndexFunc(left, func(d Deselected) bool { return d.Reason == why })
		if at < 0 {
			at, left = len(left), append(left, Deselected{Reason: why})
		}
		left[at].Cases = append(left[at].Cases, c.ID)
	}
	return chosen, left
}

// Run holds the target to the cases. The errors are ErrTarget, ErrUnreachable,
// ErrNoCases, or ctx's; what the target does wrong is in the report.
func Run(ctx context.Context, tg Target, o Options) (*Report, error) {
	o = o.withDefaults()
	e, err := tg.resolve()
	if err != nil {
		return nil, err
	}
	chosen, left := Select(tg, o)
	if len(chosen) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNoCases, whyNone(left))
	}
	if err := e.reach(ctx, max(o.Timeout, time.Second)); err != nil {
		return nil, err
	}
	report := &Report{Target: tg, Profile: o.Profile.Name, Started: time.Now(), Deselected: left}
	if tg.V1 != "" && tg.Key == "" {
		e.groups = learnSpelling(ctx, e, o.Timeout)
	}
	r := &runner{ctx: ctx, endpoint: e, o: o, conns: semaphore.NewWeighted(int64(o.Connections)), results: make(map[string]Result)}
	r.all(chosen)
	for _, c := range chosen {
		report.Results = append(report.Results, r.results[c.ID])
	}
	report.Took = time.Since(report.Started)
	return report, ctx.Err()
}

func whyNone(left []Deselected) string {
	if len(left) == 0 {
		return "no ID fits the pattern"
	}
	return left[0].Reason
}

// A runner runs the cases of one run.
type runner struct {
	ctx      context.Context
	endpoint *endpoint
	o        Options
	conns    *semaphore.Weighted

	mu      sync.Mutex
	results map[string]Result
}

// all runs the cases: slow ones begin first, so that the others run beside them,
// and hostile ones come last and alone.
func (r *runner) all(cases []Case) {
	var side errgroup.Group
	side.SetLimit(r.o.Parallel)
	for _, slow := range []bool{true, false} {
		for _, c := range cases {
			if c.Needs&Hostile == 0 && (c.Needs&Slow != 0) == slow {
				side.Go(func() error { r.one(c); return nil })
			}
		}
	}
	side.Wait()
	for _, c := range cases {
		if c.Needs&Hostile != 0 {
			r.one(c)
		}
	}
}

func (r *runner) one(c Case) {
	result := r.try(c)
	result.Expected, result.Reason = r.o.Profile.expects(c.ID, r.endpoint.Key != "")
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[c.ID] = result
	r.o.Progress(result)
}

// try runs one case when there are connections for it.
func (r *runner) try(c Case) Result {
	n := min(int64(c.conns()), int64(r.o.Connections))
	if err := r.conns.Acquire(r.ctx, n); err != nil {
		return Result{Case: c, Outcome: NotRun, Failure: "the run was ended: " + err.Error()}
	}
	defer r.conns.Release(n)
	if n < int64(c.conns()) {
		return Result{Case: c, Outcome: NotRun, Failure: fmt.Sprintf("needs %d connections, and %d are allowed", c.conns(), n)}
	}
	return runCase(r.ctx, c, r.endpoint, r.o.Timeout)
}

func runCase(ctx context.Context, c Case, e *endpoint, wait time.Duration) Result {
	start := time.Now()
	t := &T{target: e, rec: &transcript{start: start}, ctx: ctx, deadline: start.Add(c.deadline()), maxConns: c.conns()}
	t.SetPatience(wait)
	t.run(c)
	outcome, failure := t.verdict()
	if outcome == Fail && ctx.Err() != nil {
		outcome, failure = NotRun, "the run was ended: "+ctx.Err().Error()
	}
	result := Result{Case: c, Outcome: outcome, Failure: failure, Took: time.Since(start)}
	if outcome != Pass {
		result.Transcript = t.rec.lines()
	}
	return result
}

// learnSpelling asks whether the target, which has no shared key, wants IPv4
// addresses in eight groups, as one on a socket of IPv6 may: two clients that
// use the dotted form either meet or do not.
func learnSpelling(ctx context.Context, e *endpoint, wait time.Duration) (groups bool) {
	ask := Case{Deadline: 3 * time.Second, Conns: 2, Run: func(t *T) {
		a, b := t.DialV1(), t.DialV1()
		if Dotted(a.Addr()) == Groups(a.Addr()) {
			return
		}
		channel := t.Channel()
		a.Join("a", channel, "")
		b.Join("b", channel, "")
		b.Next()
	}}
	return runCase(ctx, ask, e, min(wait, time.Second)).Outcome == Fail
}
