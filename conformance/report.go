package conformance

import (
	"slices"
	"time"
)

// A Result is what came of one case.
type Result struct {
	Case     Case
	Outcome  Outcome
	Expected []Outcome // by the profile
	Reason   string    // the profile's, where Expected is not just Pass
	// Failure says what was wanted and what came, or why the case did not run.
	Failure string
	Took    time.Duration
	// Transcript is what was sent and received, unless it passed.
	Transcript []Line
}

// AsExpected says whether the profile allows the outcome.
func (r Result) AsExpected() bool { return slices.Contains(r.Expected, r.Outcome) }

// Deselected are cases that a run left out, for one reason.
type Deselected struct {
	Reason string   `json:"reason"`
	Cases  []string `json:"cases"`
}

// A Report is what came of a run.
type Report struct {
	Target     Target
	Profile    string
	Started    time.Time
	Took       time.Duration
	Results    []Result // in the order of Cases
	Deselected []Deselected
}

// OK says whether each case came out as the profile expects. A case that was
// chosen and could not run is not as expected unless the profile says so.
func (r *Report) OK() bool { return len(r.Unexpected()) == 0 }

// Unexpected are the results that are not as the profile expects, passes
// included.
func (r *Report) Unexpected() []Result {
	return slices.DeleteFunc(slices.Clone(r.Results), Result.AsExpected)
}

// Counts says how many cases came to what.
type Counts struct {
	Cases      int `json:"cases"`
	Pass       int `json:"pass"`
	Fail       int `json:"fail"`
	NotRun     int `json:"notrun"`
	Unexpected int `json:"unexpected"`
	Deselected int `json:"deselected"`
}

// Counts counts the results.
func (r *Report) Counts() Counts {
	n := Counts{Cases: len(r.Results), Unexpected: len(r.Unexpected())}
	for _, x := range r.Results {
		switch x.Outcome {
		case Pass:
			n.Pass++
		case Fail:
			n.Fail++
		case NotRun:
			n.NotRun++
		}
	}
	for _, d := range r.Deselected {
		n.Deselected += len(d.Cases)
	}
	return n
}
