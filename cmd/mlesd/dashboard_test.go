package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mles/v1"
)

// metricName is the name of a metric in an expression, with what a histogram adds to its own.
var metricName = regexp.MustCompile(`\b(?:mles|process|go)_[a-z0-9_]+`)

// Every metric that the dashboard and the alerts ask for is in a scrape, and the alerts ask for a label's value that
// there is.
func TestDashboardAndAlertsKnowTheMetrics(t *testing.T) {
	p := start(t, nil)
	p.dialV1(new(v1.Dialer), "alice", "hi")
	_, scrape := p.get("/metrics")
	p.stop()
	known := families(scrape)
	for _, file := range []string{"../../deploy/grafana/dashboard.json", "../../deploy/prometheus/alerts.yml", "../../deploy/prometheus/alerts_test.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := metricName.FindAllString(string(text), -1)
		if len(names) < 10 {
			t.Errorf("%s: only %d metrics", file, len(names))
		}
		for _, name := range names {
			if known[name] == "" && known[strings.TrimSuffix(name, "_bucket")] != "histogram" {
				t.Errorf("%s asks for %s, which no scrape has", file, name)
			}
		}
	}
	alerts, err := os.ReadFile("../../deploy/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, states := range regexp.MustCompile(`state=~?"([a-z|]+)"`).FindAllStringSubmatch(string(alerts), -1) {
		for state := range strings.SplitSeq(states[1], "|") {
			if !strings.Contains(scrape, `{state="`+state+`"}`) {
				t.Errorf("alerts.yml asks for the state %s, which there is not", state)
			}
		}
	}
}

// panel is what this test reads of a dashboard's.
type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ X, Y, W, H int }
	Targets []struct{ Expr, RefID string }
}

func (p *panel) overlaps(q *panel) bool {
	a, b := p.GridPos, q.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// The dashboard is one that Grafana takes: panels are within the grid, do not cover each other, and each has its own
// number and something to show, of the instances that were chosen.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title, UID    string
		SchemaVersion int
		Templating    struct {
			List []struct{ Name, Type string }
		}
		Panels []panel
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	if board.Title == "" || board.UID == "" || board.SchemaVersion < 36 || len(board.Panels) < 20 || len(board.Templating.List) != 3 {
		t.Errorf("%q %q %d, %d panels, variables %v", board.Title, board.UID, board.SchemaVersion, len(board.Panels), board.Templating.List)
	}
	var ids []int
	for i := range board.Panels {
		p := &board.Panels[i]
		at := p.GridPos
		if p.Title == "" || at.W < 1 || at.H < 1 || at.X < 0 || at.Y < 0 || at.X+at.W > 24 || slices.Contains(ids, p.ID) {
			t.Errorf("%+v", p)
		}
		ids = append(ids, p.ID)
		for j := range i {
			if q := &board.Panels[j]; p.overlaps(q) {
				t.Errorf("%q covers %q", p.Title, q.Title)
			}
		}
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("%q is a %s with %d queries", p.Title, p.Type, len(p.Targets))
		}
		for _, target := range p.Targets {
			if names := metricName.FindAllString(target.Expr, -1); len(names) == 0 || strings.Count(target.Expr, `instance=~"$instance"`) != len(names) {
				t.Errorf("%q asks for %s", p.Title, target.Expr)
			}
			if strings.Count(target.Expr, "(") != strings.Count(target.Expr, ")") || target.RefID == "" {
				t.Errorf("%q: %+v", p.Title, target)
			}
		}
	}
}
