package bench

import (
	"context"
	"time"
)

// Better says which way a figure should go.
type Better int

const (
	Neither Better = iota
	Higher
	Lower
)

// Metric is a kind of figure.
type Metric struct {
	Key    string // for programs
	Label  string // for people
	Unit   string // s and B are written with prefixes
	Better Better
}

// Metrics, in the order in which they are shown.
var (
	deliveries  = Metric{"deliveries_per_s", "deliveries", "/s", Higher}
	throughput  = Metric{"bytes_per_s", "payload", "B/s", Neither}
	joins       = Metric{"joins_per_s", "joins", "/s", Higher}
	replayed    = Metric{"messages_per_joiner", "messages a joiner", "", Neither}
	p50         = Metric{"p50_s", "p50", "s", Lower}
	p90         = Metric{"p90_s", "p90", "s", Lower}
	p99         = Metric{"p99_s", "p99", "s", Lower}
	p999        = Metric{"p999_s", "p99.9", "s", Lower}
	shortest    = Metric{"min_s", "min", "s", Lower}
	longest     = Metric{"max_s", "max", "s", Lower}
	cpuDelivery = Metric{"cpu_s_per_delivery", "server CPU a delivery", "s", Lower}
	cpuJoin     = Metric{"cpu_s_per_join", "server CPU a join", "s", Lower}
	memConn     = Metric{"bytes_per_connection", "resident a connection", "B", Lower}
	memTotal    = Metric{"resident_bytes", "server memory", "B", Neither}
	memPeak     = Metric{"peak_bytes", "server memory, peak so far", "B", Neither}
	serverCores = Metric{"server_cores", "server, cores busy", "", Neither}
	ownCores    = Metric{"generator_cores", "generator, cores busy", "", Neither}
	ownLate     = Metric{"generator_late_p99_s", "generator late, p99", "s", Neither}
)

// Value is one figure of one run.
type Value struct {
	Metric Metric
	Value  float64
}

// Sample is what one run has shown.
type Sample struct {
	Values  []Value
	Latency *Histogram // nil where there is none
}

func (s *Sample) put(m Metric, v float64) { s.Values = append(s.Values, Value{m, v}) }

// Get returns the figure of a metric, by its key.
func (s *Sample) Get(key string) (float64, bool) {
	for _, v := range s.Values {
		if v.Metric.Key == key {
			return v.Value, true
		}
	}
	return 0, false
}

// spread puts the quantiles of latencies.
func (s *Sample) spread(h *Histogram) {
	s.Latency = h
	for _, q := range []struct {
		m Metric
		q float64
	}{{p50, .5}, {p90, .9}, {p99, .99}, {p999, .999}, {longest, 1}} {
		s.put(q.m, h.Quantile(q.q)/1e9)
	}
}

// A meter tells what passes between its start and its end.
type meter struct {
	t           *trial
	begin       int64
	server, own float64
}

func (t *trial) meter() (*meter, error) {
	m := &meter{t: t, own: ownCPU()}
	var err error
	m.server, err = cpuOf(t.who.PIDs)
	m.begin = now()
	return m, err
}

// elapsed is the time in seconds until end.
func (m *meter) elapsed(end int64) float64 { return float64(max(end-m.begin, 1)) / 1e9 }

// usage puts what CPU was used until now for n things, each counted as per.
func (m *meter) usage(s *Sample, n uint64, per Metric) error {
	wall := m.elapsed(now())
	own := ownCPU() - m.own
	if len(m.t.who.PIDs) > 0 {
		cpu, err := cpuOf(m.t.who.PIDs)
		if err != nil {
			return err
		}
		peak, err := memoryOf(m.t.who.PIDs, "VmHWM")
		if err != nil {
			return err
		}
		s.put(per, (cpu-m.server)/float64(max(n, 1)))
		s.put(serverCores, (cpu-m.server)/wall)
		s.put(memPeak, peak)
	}
	s.put(ownCores, own/wall)
	return nil
}

// collect has the server's garbage collected, where that can be asked for.
func (t *trial) collect() error {
	if t.who.Collect == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(t.ctx, time.Minute)
	defer cancel()
	return t.who.Collect(ctx)
}
