package conformance

import (
	"encoding/json"
	"io"
	"time"
)

// jsonReport is the report as one JSON object. Its names are an interface: they
// may be added to, not changed.
type jsonReport struct {
	OK         bool         `json:"ok"`
	V1         string       `json:"v1,omitempty"`
	V2         string       `json:"v2,omitempty"`
	SharedKey  bool         `json:"shared_key"`
	Profile    string       `json:"profile,omitempty"`
	Started    time.Time    `json:"started"`
	Seconds    float64      `json:"seconds"`
	Counts     Counts       `json:"counts"`
	Deselected []Deselected `json:"deselected"`
	Cases      []jsonCase   `json:"cases"`
}

type jsonCase struct {
	ID         string    `json:"id"`
	Suite      string    `json:"suite"`
	Section    string    `json:"section"`
	Level      string    `json:"level"`
	Says       string    `json:"says"`
	Outcome    Outcome   `json:"outcome"`
	Expected   []Outcome `json:"expected"`
	AsExpected bool      `json:"as_expected"`
	Reason     string    `json:"reason,omitempty"`
	Failure    string    `json:"failure,omitempty"`
	Seconds    float64   `json:"seconds"`
	Transcript []Line    `json:"transcript,omitempty"`
}

// WriteJSON writes the report as one JSON object whose cases is a list.
func (r *Report) WriteJSON(w io.Writer) error {
	out := jsonReport{
		OK: r.OK(), V1: r.Target.V1, V2: r.Target.V2, SharedKey: r.Target.Key != "", Profile: r.Profile,
		Started: r.Started, Seconds: r.Took.Seconds(), Counts: r.Counts(),
		Deselected: append([]Deselected{}, r.Deselected...), Cases: []jsonCase{},
	}
	for _, x := range r.Results {
		c := x.Case
		out.Cases = append(out.Cases, jsonCase{
			ID: c.ID, Suite: c.Suite(), Section: c.Section, Level: c.Level.String(), Says: c.Says,
			Outcome: x.Outcome, Expected: x.Expected, AsExpected: x.AsExpected(), Reason: x.Reason,
			Failure: x.Failure, Seconds: x.Took.Seconds(), Transcript: x.Transcript,
		})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
