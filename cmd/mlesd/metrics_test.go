package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mles/v1"
)

// families are the names of what a scrape has, with their types.
func families(scrape string) map[string]string {
	found := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`).FindAllStringSubmatch(scrape, -1) {
		found[m[1]] = m[2]
	}
	return found
}

// documented are those that docs/metrics.md has in its tables, with their types and labels.
func documented(t *testing.T) (types, labels map[string]string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	types, labels = make(map[string]string), make(map[string]string)
	for _, m := range regexp.MustCompile("(?m)^\\| `(mles_[a-z0-9_]+)(?:\\{([a-z,]+)\\})?` \\| ([a-z]+) \\|").FindAllStringSubmatch(string(text), -1) {
		if types[m[1]] != "" {
			t.Errorf("docs/metrics.md has %s twice", m[1])
		}
		types[m[1]], labels[m[1]] = m[3], m[2]
	}
	return types, labels
}

// Every metric of a scrape is in docs/metrics.md with its type and its labels, and every one there is in a scrape.
func TestMetricsAreDocumented(t *testing.T) {
	p := start(t, nil)
	p.dialV1(new(v1.Dialer), "alice", "hi")
	_, scrape := p.get("/metrics")
	p.stop()
	ours := families(scrape)
	maps.DeleteFunc(ours, func(name, _ string) bool { return !strings.HasPrefix(name, "mles_") })
	types, labels := documented(t)
	for name, kind := range ours {
		if types[name] != kind {
			t.Errorf("%s is a %s, docs/metrics.md says %q", name, kind, types[name])
		}
	}
	for name := range types {
		if ours[name] == "" {
			t.Errorf("docs/metrics.md has %s, a scrape does not", name)
		}
		sample := regexp.MustCompile(`(?m)^` + name + `(?:_count)?(?:\{(.*)\})? `).FindStringSubmatch(scrape)
		if sample == nil {
			t.Errorf("%s has no sample", name)
			continue
		}
		var has []string
		for _, m := range regexp.MustCompile(`([a-z]+)="`).FindAllStringSubmatch(sample[1], -1) {
			has = append(has, m[1])
		}
		slices.Sort(has)
		want := strings.FieldsFunc(labels[name], func(r rune) bool { return r == ',' })
		slices.Sort(want)
		if !slices.Equal(has, want) {
			t.Errorf("%s has labels %v, docs/metrics.md says %v", name, has, want)
		}
	}
	if len(ours) < 30 {
		t.Errorf("only %d metrics", len(ours))
	}
	for _, other := range []string{"go_goroutines", "process_open_fds", "process_max_fds", "process_start_time_seconds"} {
		if !strings.Contains(scrape, "\n"+other+" ") {
			t.Errorf("no %s", other)
		}
	}
}

// A thousand hostile names, channels and keys do not add a single series.
func TestCardinality(t *testing.T) {
	p := start(t, []string{"MLES_KEY=swordfish"}, "--history-limit=10")
	join := func(i int) {
		evil := fmt.Sprintf("x%d\"}\n# TYPE mles_evil%d counter\nmles_evil%d{a=\"", i, i, i)
		d := &v1.Dialer{Key: "swordfish"}
		if i%2 == 0 {
			d.Key = evil
		}
		c, err := d.Dial(t.Context(), p.addr("--v1-listen"), evil, evil, []byte(evil))
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	series := func() int {
		_, scrape := p.get("/metrics")
		if strings.Contains(scrape, "evil") {
			t.Fatal("a client's name is in the metrics")
		}
		return strings.Count(regexp.MustCompile(`(?m)^(# |go_).*\n`).ReplaceAllString(scrape, ""), "\n")
	}
	join(0)
	join(1)
	eventually(t, "both are gone", func() bool {
		_, scrape := p.get("/metrics")
		return strings.Contains(scrape, "mles_disconnects_total{dialect=\"v1\",reason=\"closed\"} 1\n") && strings.Contains(scrape, "wrong key\"} 1\n")
	})
	before := series()
	for i := range 1000 {
		join(i)
	}
	eventually(t, "all are gone", func() bool {
		_, scrape := p.get("/metrics")
		return strings.Contains(scrape, "mles_disconnects_total{dialect=\"v1\",reason=\"closed\"} 501\n")
	})
	if after := series(); after != before {
		t.Errorf("%d series before, %d after", before, after)
	}
	p.stop()
}
