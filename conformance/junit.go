package conformance

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// WriteJUnit writes the report as JUnit XML, as CI systems read it. What is not
// as expected is a failure, also a pass and a case that did not run; what fails
// as the profile says is skipped, with the profile's reason.
func (r *Report) WriteJUnit(w io.Writer) error {
	type message struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",cdata"`
	}
	type testcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		Time    string   `xml:"time,attr"`
		Failure *message `xml:"failure"`
		Skipped *message `xml:"skipped"`
	}
	type suite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Skipped  int        `xml:"skipped,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	var all struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		Time    string   `xml:"time,attr"`
		Suites  []*suite `xml:"testsuite"`
	}
	all.Name, all.Time = "mles conformance", fmt.Sprintf("%.3f", r.Took.Seconds())
	suites := make(map[string]*suite)
	for _, x := range r.Results {
		s := suites[x.Case.Suite()]
		if s == nil {
			s = &suite{Name: x.Case.Suite()}
			suites[s.Name] = s
			all.Suites = append(all.Suites, s)
		}
		tc := testcase{Name: x.Case.ID, Class: "mles." + s.Name, Time: fmt.Sprintf("%.3f", x.Took.Seconds())}
		switch {
		case !x.AsExpected():
			var text strings.Builder
			writeResult(&text, x)
			m := x.Failure
			if x.Outcome == Pass {
				m = "passes, and was expected to come to " + outcomes(x.Expected)
			}
			tc.Failure = &message{Message: m, Text: text.String()}
			s.Failures++
		case x.Outcome != Pass:
			tc.Skipped = &message{Message: fmt.Sprintf("%s, as expected: %s", x.Outcome, x.Reason)}
			s.Skipped++
		}
		s.Tests++
		s.Cases = append(s.Cases, tc)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
