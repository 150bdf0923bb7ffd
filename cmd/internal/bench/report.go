package bench

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Report is what a plan has shown.
type Report struct {
	Mode    Mode      `json:"mode"`
	What    string    `json:"what"` // in words
	Load    Load      `json:"load"`
	Machine Machine   `json:"machine"`
	Begun   time.Time `json:"begun"`
	Seconds float64   `json:"seconds"`
	Entries []*Entry  `json:"entries"` // the subject first
	Notes   []string  `json:"notes,omitempty"`
}

// Entry is all runs of one contestant.
type Entry struct {
	Name    string    `json:"name"`
	Pub     string    `json:"publishers"`  // dialect
	Sub     string    `json:"subscribers"` // dialect
	Size    int       `json:"size"`        // bytes of a message; of the floor's: of a frame
	Figures []*Figure `json:"figures"`
	Errors  []string  `json:"errors,omitempty"`

	Latency *Histogram `json:"-"` // of all runs together; nil where there is none
}

// Figure is one metric over all runs.
type Figure struct {
	Metric Metric    `json:"-"`
	Key    string    `json:"key"`
	Unit   string    `json:"unit,omitempty"`
	Runs   []float64 `json:"runs"` // NaN-free: a run that failed is left out
	Median float64   `json:"median"`
	Min    float64   `json:"min"`
	Max    float64   `json:"max"`
	// Ratio is the subject's figure by this one, run by run; nil at the subject.
	Ratio *Ratio `json:"ratio,omitempty"`

	of []int // which runs those are
}

// Ratio is the spread of the quotients of runs that were next to each other.
type Ratio struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func (p *Plan) newReport(es []entry) *Report {
	r := &Report{Mode: p.Mode, Load: p.Load, Machine: ThisMachine(), Begun: time.Now(), What: p.what()}
	for _, e := range es {
		r.Entries = append(r.Entries, &Entry{Name: e.who.Name, Pub: e.who.Pub.String(), Sub: e.who.Sub.String(), Size: e.load.Size})
	}
	return r
}

// what says in words what is measured.
func (p *Plan) what() string {
	l := p.Load
	from, to := p.Subject.Pub.String(), p.Subject.Sub.String()
	many := fmt.Sprintf("%d channels, each %d %s", l.Channels, l.Pubs, from)
	if l.Channels == 1 {
		many = fmt.Sprintf("%d %s", l.Pubs, from)
	}
	crowd := fmt.Sprintf("%s → %d %s, %d B", many, l.Subs, to, l.Size)
	long := fmt.Sprintf("%d messages", l.Messages)
	if l.Messages == 0 {
		long = l.Duration.String()
	}
	switch p.Mode {
	case Fanout:
		return fmt.Sprintf("flood, %s, %s", crowd, long)
	case Slow:
		return fmt.Sprintf("flood, %s, %s, beside %d who do not read", crowd, long, l.Stopped)
	case Latency:
		return fmt.Sprintf("latency from intended send times, %s, %g messages/s, %s", crowd, l.Rate, long)
	case Hello:
		return fmt.Sprintf("hello: %d %s wait, one %s joins and sends; %d rounds", l.Subs, to, from, l.Rounds)
	case Idle:
		return fmt.Sprintf("%d idle %s on %d channels", l.Members, to, l.Channels)
	case Storm:
		return fmt.Sprintf("%d × connect, join, one message, leave, %d at a time, %s, %d channels", l.Members, l.Parallel, to, l.Channels)
	case Replay:
		return fmt.Sprintf("history of %d messages of %d B by %s to %d %s on each of %d channels, %d at a time",
			l.Messages, l.Size, from, l.Members, to, l.Channels, l.Parallel)
	}
	return string(p.Mode)
}

// add takes one run's outcome.
func (r *Report) add(i, run int, s *Sample, err error) {
	e := r.Entries[i]
	if err != nil {
		e.Errors = append(e.Errors, fmt.Sprintf("run %d: %v", run+1, err))
		return
	}
	for _, v := range s.Values {
		f := e.figure(v.Metric.Key)
		if f == nil {
			f = &Figure{Metric: v.Metric, Key: v.Metric.Key, Unit: v.Metric.Unit}
			e.Figures = append(e.Figures, f)
		}
		f.Runs = append(f.Runs, v.Value)
		f.of = append(f.of, run)
	}
	if s.Latency != nil {
		if e.Latency == nil {
			e.Latency = new(Histogram)
		}
		e.Latency.Merge(s.Latency)
	}
}

func (e *Entry) figure(key string) *Figure {
	for _, f := range e.Figures {
		if f.Key == key {
			return f
		}
	}
	return nil
}

// Median returns the median of a metric, by its key; NaN if there is none.
func (e *Entry) Median(key string) float64 {
	if f := e.figure(key); f != nil {
		return f.Median
	}
	return math.NaN()
}

// finish computes what needs all runs.
func (r *Report) finish() {
	r.Seconds = math.Round(time.Since(r.Begun).Seconds()*10) / 10
	subject := r.Entries[0]
	for i, e := range r.Entries {
		for _, f := range e.Figures {
			f.Median, f.Min, f.Max = spreadOf(f.Runs)
			if of := subject.figure(f.Key); i > 0 && of != nil && f.Metric.Better != Neither {
				f.Ratio = ratio(of, f)
			}
		}
	}
	r.Notes = r.notes()
}

// ratio is a by b in the runs that both have.
func ratio(a, b *Figure) *Ratio {
	var qs []float64
	for i, run := range a.of {
		if j := slices.Index(b.of, run); j >= 0 && b.Runs[j] != 0 {
			qs = append(qs, a.Runs[i]/b.Runs[j])
		}
	}
	if len(qs) == 0 {
		return nil
	}
	q := new(Ratio)
	q.Median, q.Min, q.Max = spreadOf(qs)
	return q
}

func spreadOf(values []float64) (median, lowest, highest float64) {
	if len(values) == 0 {
		return 0, 0, 0
	}
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2, v[0], v[n-1]
}

// notes says what the reader of the figures must know: above all where the
// generator was what was measured.
func (r *Report) notes() (notes []string) {
	say := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	cores := float64(r.Machine.Cores)
	saturates := r.Mode == Fanout || r.Mode == Slow || r.Mode == Storm || r.Mode == Replay
	for i, e := range r.Entries {
		own, server := e.Median(ownCores.Key), e.Median(serverCores.Key)
		switch {
		case !saturates || math.IsNaN(own):
		case own >= 0.9*cores:
			say("%s: the generator was the bottleneck: it kept %.2f of %g cores busy", e.Name, own, cores)
		case i == 0 && server < 0.5 && own > 2*server:
			say("%s: the server was idle more than half of the time (%.2f cores; the generator %.2f): it is not what limits", e.Name, server, own)
		case i == 0 && server < 0.5*own && own+server > 0.9*cores:
			say("%s: the generator used more than twice the server's CPU (%.2f and %.2f of %g cores): the server could do more", e.Name, own, server, cores)
		}
		if f := e.figure(deliveries.Key); i > 0 && e.Name == "floor" && saturates && f != nil && f.Ratio != nil && f.Ratio.Median > 0.97 {
			say("%s is as fast as the floor: what is measured is the machine and the generator", r.Entries[0].Name)
		}
		if late := e.Median(ownLate.Key); late > 0.25*e.Median(p99.Key) {
			say("%s: the generator itself was late by up to %s in 99 %% of sends", e.Name, quantity(late, "s"))
		}
	}
	return notes
}

// Failed says whether any run of any entry failed.
func (r *Report) Failed() bool {
	return slices.ContainsFunc(r.Entries, func(e *Entry) bool { return len(e.Errors) > 0 })
}
