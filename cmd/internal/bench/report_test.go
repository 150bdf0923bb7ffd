package bench

import (
	"strings"
	"testing"
)

// filled is a report of two entries and three runs.
func filled(own, server float64) *Report {
	p := Plan{Mode: Fanout, Load: Load{Channels: 1, Subs: 100, Pubs: 1, Size: 64, Messages: 5}}
	r := p.newReport([]entry{{who: Contestant{Name: "mlesd"}}, {who: Contestant{Name: "floor"}}})
	r.Machine.Cores = 2
	for run := range 3 {
		for i := range r.Entries {
			s := new(Sample)
			s.put(deliveries, float64(run+1)*1e6*float64(i+1))
			s.put(serverCores, server)
			s.put(ownCores, own)
			r.add(i, run, s, nil)
		}
	}
	r.finish()
	return r
}

func TestRatiosAreRunByRun(t *testing.T) {
	r := filled(.5, 1)
	f := r.Entries[1].figure(deliveries.Key)
	if f.Median != 4e6 || f.Min != 2e6 || f.Max != 6e6 || *f.Ratio != (Ratio{.5, .5, .5}) {
		t.Errorf("the floor's figure is %+v, ratio %+v", f, f.Ratio)
	}
	var table strings.Builder
	r.WriteTable(&table)
	for _, want := range []string{"flood, 1 ", "× floor", "2.00 M/s (1.00 M/s … 3.00 M/s)", " 0.50"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &table)
		}
	}
}

func TestNotesTellWhoseSpeedItWas(t *testing.T) {
	for _, c := range []struct {
		own, server float64
		want        string
	}{
		{1.9, .1, "the generator was the bottleneck"},
		{1, .3, "idle more than half of the time"},
		{1.5, .6, "more than twice the server's CPU"},
		{.9, 1, ""},
	} {
		notes := strings.Join(filled(c.own, c.server).Notes, "\n")
		if c.want == "" && notes != "" || !strings.Contains(notes, c.want) {
			t.Errorf("generator %g, server %g: notes %q, want %q", c.own, c.server, notes, c.want)
		}
	}
}

func TestQuantities(t *testing.T) {
	for want, got := range map[string]string{
		"12.3 µs":  quantity(12.345e-6, "s"),
		"1.00 s":   quantity(1, "s"),
		"5.50 KiB": quantity(5632, "B"),
		"3.20 M/s": quantity(3.2e6, "/s"),
		"850 /s":   quantity(850, "/s"),
		"0.75":     quantity(.75, ""),
		"0.0041":   quantity(.00412, ""),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestLoadsThatDoNotFit(t *testing.T) {
	ok := Load{Channels: 1, Subs: 1, Pubs: 1, Size: 64, Messages: 1, Rate: 1, Members: 1, Parallel: 1, Rounds: 1}
	for _, mode := range []Mode{Fanout, Latency, Hello, Idle, Storm, Slow, Replay} {
		if err := ok.check(mode); err != nil {
			t.Errorf("%s: %v", mode, err)
		}
	}
	for mode, spoil := range map[Mode]func(*Load){
		Fanout:  func(l *Load) { l.Size = 10 },
		Latency: func(l *Load) { l.Rate = 0 },
		Slow:    func(l *Load) { l.Messages = 0 },
		Replay:  func(l *Load) { l.Messages = 0 },
		Storm:   func(l *Load) { l.Members = 0 },
		Hello:   func(l *Load) { l.Rounds = 0 },
	} {
		l := ok
		spoil(&l)
		if l.check(mode) == nil {
			t.Errorf("%s takes %+v", mode, l)
		}
	}
}
