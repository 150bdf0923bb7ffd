package bench

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"mles/bridge"
	"mles/cmd/internal/bench/floor"
)

// house is a gateway and a floor within this process.
type house struct {
	v1, ws, wss Target
	floor       *floor.Process
}

func openHouse(t *testing.T) house {
	t.Helper()
	fl, err := floor.Run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fl.Stop)
	g, err := bridge.New(bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"k"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	conf := &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
	listen := func(serve func(net.Listener) error) string {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go serve(l)
		return l.Addr().String()
	}
	return house{
		v1:    Target{Dialect: V1, Addr: listen(g.ServeV1), Key: "k"},
		ws:    Target{Dialect: V2, Addr: listen(g.ServeV2), Host: "localhost", Path: "/", Key: "k"},
		wss:   Target{Dialect: V2, Addr: listen(func(l net.Listener) error { return g.ServeV2TLS(l, conf) }), Host: "localhost", Path: "/", Key: "k", TLS: &tls.Config{InsecureSkipVerify: true}},
		floor: fl,
	}
}

// TestModes runs each mode in several dialects: the report has the mode's figures,
// and all that was received was right, or there would be errors in it.
func TestModes(t *testing.T) {
	h := openHouse(t)
	flood := Load{Channels: 2, Subs: 5, Pubs: 2, Size: 64, Messages: 500, Batch: 4 << 10}
	for _, c := range []struct {
		name     string
		mode     Mode
		pub, sub Target
		load     Load
		figures  []Metric
		floor    bool
	}{
		{"flood v1", Fanout, h.v1, h.v1, flood, []Metric{deliveries, throughput, ownCores}, true},
		{"flood v1 to wss", Fanout, h.v1, h.wss, flood, []Metric{deliveries}, true},
		{"flood ws to v1", Fanout, h.ws, h.v1, flood, []Metric{deliveries}, true},
		{"flood for a time", Fanout, h.ws, h.ws, Load{Channels: 1, Subs: 3, Pubs: 1, Size: 1024, Duration: 50 * time.Millisecond, Batch: 8 << 10}, []Metric{deliveries}, true},
		{"large messages", Fanout, h.v1, h.v1, Load{Channels: 1, Subs: 2, Pubs: 1, Size: 300_000, Messages: 10}, []Metric{deliveries}, true},
		{"paced", Latency, h.wss, h.v1, Load{Channels: 1, Subs: 5, Pubs: 1, Size: 64, Rate: 1000, Messages: 50}, []Metric{p50, p90, p99, p999, longest, ownLate}, true},
		{"hello", Hello, h.v1, h.v1, Load{Channels: 1, Pubs: 1, Subs: 10, Size: 64, Rounds: 2}, []Metric{p50, longest}, true},
		{"idle", Idle, h.ws, h.ws, Load{Channels: 3, Pubs: 1, Subs: 1, Size: 64, Members: 10}, []Metric{joins}, true},
		{"storm v1", Storm, h.v1, h.v1, Load{Channels: 4, Pubs: 1, Subs: 1, Size: 64, Members: 60, Parallel: 6}, []Metric{joins, p50}, true},
		{"storm wss", Storm, h.wss, h.wss, Load{Channels: 4, Pubs: 1, Subs: 1, Size: 64, Members: 20, Parallel: 4}, []Metric{joins, p50}, true},
		{"slow", Slow, h.v1, h.v1, Load{Channels: 1, Subs: 5, Pubs: 1, Size: 64, Messages: 500, Batch: 4 << 10, Stopped: 2}, []Metric{deliveries}, false},
		{"replay", Replay, h.ws, h.v1, Load{Channels: 2, Pubs: 1, Subs: 1, Size: 64, Messages: 50, Members: 8, Parallel: 4}, []Metric{deliveries, replayed, joins, p50}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Plan{Mode: c.mode, Load: c.load, Runs: 2, Patience: 10 * time.Second, Floor: h.floor,
				Subject: Contestant{Name: "mlesd", Pub: c.pub, Sub: c.sub}}
			r, err := Run(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			if r.Failed() {
				r.WriteTable(os.Stderr)
				t.Fatal("a run failed")
			}
			if other := r.Entries[1].Name; (other == "floor") != c.floor {
				t.Errorf("compared with %s", other)
			}
			for _, e := range r.Entries {
				for _, m := range c.figures {
					f := e.figure(m.Key)
					if f == nil || len(f.Runs) != 2 || !(f.Median >= 0) {
						t.Errorf("%s: %s is %+v", e.Name, m.Key, f)
					}
				}
			}
			if c.mode == Replay && r.Entries[0].Median(replayed.Key) != 50 {
				t.Errorf("a joiner received %g of 50 messages", r.Entries[0].Median(replayed.Key))
			}
			checkOutputs(t, r)
		})
	}
}

// checkOutputs makes sure that every form of the report can be read.
func checkOutputs(t *testing.T, r *Report) {
	t.Helper()
	var table, markdown, plot strings.Builder
	if err := errors.Join(r.WriteTable(&table), r.WriteMarkdown(&markdown, "Title")); err != nil {
		t.Error(err)
	}
	for _, text := range []string{table.String(), markdown.String()} {
		if !strings.Contains(text, r.Entries[0].Figures[0].Metric.Label) || strings.Contains(text, "NaN") {
			t.Errorf("the report is\n%s", text)
		}
	}
	text, err := json.Marshal(r)
	var back struct {
		Entries []struct {
			Figures []struct {
				Key    string
				Median float64
			}
		}
	}
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil || len(back.Entries) != len(r.Entries) || back.Entries[0].Figures[0].Key == "" {
		t.Errorf("JSON %s: %v", text, err)
	}
	err = r.WritePlot(&plot)
	if r.Entries[0].Latency == nil {
		if !errors.Is(err, ErrNoLatency) {
			t.Errorf("a plot of nothing: %v", err)
		}
		return
	}
	for d := xml.NewDecoder(strings.NewReader(plot.String())); err == nil; {
		_, err = d.Token()
	}
	if err != io.EOF {
		t.Errorf("the plot does not parse: %v\n%s", err, &plot)
	}
}

// TestProcessFigures reads this process's CPU and memory as the server's.
func TestProcessFigures(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("read from /proc")
	}
	h := openHouse(t)
	collected := 0
	p := Plan{Mode: Idle, Load: Load{Channels: 2, Pubs: 1, Subs: 1, Size: 64, Members: 10}, Runs: 1, Patience: 10 * time.Second,
		Subject: Contestant{Name: "mlesd", Pub: h.v1, Sub: h.v1, PIDs: []int{os.Getpid()}, Collect: func(context.Context) error { collected++; return nil }}}
	r, err := Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if total := r.Entries[0].Median(memTotal.Key); !(total > 1<<20) || collected != 2 {
		t.Errorf("memory is %g, collected %d times, errors %q", total, collected, r.Entries[0].Errors)
	}
	p.Mode, p.Load.Messages, p.Load.Batch = Fanout, 100, 1000
	p.Rivals = []Contestant{{Name: "nobody", Pub: h.v1, Sub: h.v1, PIDs: []int{1 << 30}}}
	r, err = Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if v := r.Entries[0].Median(cpuDelivery.Key); !(v >= 0) {
		t.Errorf("CPU a delivery is %g", v)
	}
	if len(r.Entries[1].Errors) != 1 {
		t.Errorf("a process that is not there: errors %q", r.Entries[1].Errors)
	}
}
