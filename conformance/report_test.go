package conformance

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// aReport has one result of each kind.
func aReport() *Report {
	c := func(id string, level Level) Case {
		return Case{ID: id, Section: "v1/spec.md#session", Level: level, Says: "What is sent; what must happen.", Needs: V1}
	}
	pass, fail := []Outcome{Pass}, []Outcome{Fail}
	return &Report{
		Target:  Target{V1: "localhost:8077", Key: "swordfish"},
		Profile: "mles-1.1.7",
		Started: time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC),
		Took:    1234 * time.Millisecond,
		Results: []Result{
			{Case: c("v1/join/good", Must), Outcome: Pass, Expected: pass, Took: 5 * time.Millisecond},
			{Case: c("v1/join/bad", Must), Outcome: Fail, Expected: pass, Took: 5 * time.Second,
				Failure: `bob/v1 got nothing within 5s; want "<this>" & that`,
				Transcript: []Line{
					{At: 200 * time.Microsecond, Who: "v1#1", Dir: "-", Says: "connected from 127.0.0.1:40000 to 127.0.0.1:8077"},
					{At: 300 * time.Microsecond, Who: "bob/v1", Dir: ">", Says: `M length 3 cid 0a0b0c0d key 0000000000000000 a body that does not decode`, Hex: "4d0000030a0b0c0d0000000000000000ffffff", Size: 19},
					{At: 400 * time.Microsecond, Who: "bob/v1", Dir: "<", Says: "M …", Hex: "4d00ffff", Size: 65551},
				}},
			{Case: c("v1/join/known", Should), Outcome: Fail, Expected: fail, Reason: "it was never meant to", Failure: "bob/v1 was not closed"},
			{Case: c("v1/join/mended", Must), Outcome: Pass, Expected: fail, Reason: "it was broken"},
			{Case: c("bridge/live/untried", Must), Outcome: NotRun, Expected: pass, Failure: "cannot connect: connection refused"},
		},
		Deselected: []Deselected{{Reason: "no v2 address given", Cases: []string{"v2/hello/a", "v2/hello/b"}}},
	}
}

func TestReportsAreGolden(t *testing.T) {
	for name, write := range map[string]func(*Report, io.Writer) error{
		"report.txt": (*Report).WriteText, "report.json": (*Report).WriteJSON, "report.xml": (*Report).WriteJUnit,
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := write(aReport(), &got); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name)
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("not as in %s (UPDATE=1 rewrites it):\n%s", file, d)
			}
		})
	}
}

// What programs read out of the JSON report.
func TestJSONReportIsOneObjectWithAListOfCases(t *testing.T) {
	var b bytes.Buffer
	if err := aReport().WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		OK    bool
		Cases []struct{ ID, Outcome string }
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.OK || len(got.Cases) != 5 || got.Cases[4].Outcome != "notrun" {
		t.Errorf("got %+v", got)
	}
}

func TestJUnitIsXML(t *testing.T) {
	var b bytes.Buffer
	if err := aReport().WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Suites []struct {
			Name     string `xml:"name,attr"`
			Failures int    `xml:"failures,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Suites) != 2 || got.Suites[0].Failures != 2 || got.Suites[1].Failures != 1 {
		t.Errorf("got %+v", got)
	}
}
