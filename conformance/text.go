package conformance

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteText writes the report for people: what did not come out as expected, with
// transcripts, then what was expected not to pass, what was left out, and the sum.
func (r *Report) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	for _, x := range r.Unexpected() {
		writeResult(b, x)
	}
	for _, x := range r.Results {
		if x.AsExpected() && x.Outcome != Pass {
			fmt.Fprintf(b, "%s  %s, as expected: %s\n", x.Case.ID, x.Outcome, x.Reason)
		}
	}
	for _, d := range r.Deselected {
		fmt.Fprintf(b, "left out: %d cases: %s\n", len(d.Cases), d.Reason)
	}
	n := r.Counts()
	verdict := "all as expected"
	if !r.OK() {
		verdict = fmt.Sprintf("%d NOT AS EXPECTED", n.Unexpected)
	}
	fmt.Fprintf(b, "%d cases in %.1f s: %d pass, %d fail, %d not run; %s\n",
		n.Cases, r.Took.Round(100*time.Millisecond).Seconds(), n.Pass, n.Fail, n.NotRun, verdict)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeResult writes a result that needs somebody's attention.
func writeResult(w io.Writer, r Result) {
	switch {
	case r.Outcome == Pass:
		fmt.Fprintf(w, "UNEXPECTED PASS  %s\n", r.Case.ID)
	case r.Outcome == NotRun:
		fmt.Fprintf(w, "NOT RUN  %s\n", r.Case.ID)
	default:
		fmt.Fprintf(w, "FAIL  %s\n", r.Case.ID)
	}
	fmt.Fprintf(w, "    %s, %s: %s\n", r.Case.Level, r.Case.Section, r.Case.Says)
	if r.Failure != "" {
		fmt.Fprintf(w, "    %s\n", strings.ReplaceAll(r.Failure, "\n", "\n    "))
	}
	if r.Reason != "" {
		fmt.Fprintf(w, "    expected: %s: %s\n", outcomes(r.Expected), r.Reason)
	}
	if len(r.Transcript) > 0 {
		fmt.Fprintf(w, "    transcript (ms; > sent, < received):\n")
		writeLines(w, "    ", r.Transcript)
	}
	fmt.Fprintln(w)
}

func outcomes(all []Outcome) string {
	var s []string
	for _, o := range all {
		s = append(s, string(o))
	}
	return strings.Join(s, " or ")
}
