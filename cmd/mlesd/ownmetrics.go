package main

import (
	"github.com/prometheus/client_golang/prometheus"
)

// ownMetrics tells of mlesd itself: whether it is ready, and its certificates, of which there are as many as domains.
type ownMetrics struct{ d *daemon }

// Their descriptions; a new one is equal to any other of the same name.
func (*ownMetrics) ready() *prometheus.Desc {
	return prometheus.NewDesc("mles_ready", "1 while /readyz says so, else 0.", nil, nil)
}

func (*ownMetrics) expiry() *prometheus.Desc {
	return prometheus.NewDesc("mles_certificate_expiry_timestamp_seconds", "When the certificate that clients are shown expires; 0: there is none.", []string{"domain"}, nil)
}

func (*ownMetrics) problem() *prometheus.Desc {
	return prometheus.NewDesc("mles_certificate_problem", "1 while it could not be obtained, renewed or replaced; /status tells why.", []string{"domain"}, nil)
}

func (*ownMetrics) lost() *prometheus.Desc {
	return prometheus.NewDesc("mles_log_lines_dropped_total", "Lines of the log that were dropped because nobody read it.", nil, nil)
}

func (*ownMetrics) kept() *prometheus.Desc {
	return prometheus.NewDesc("mles_history_kept", "1 while histories are kept on disk, else 0; not there with --history-save off.", nil, nil)
}

// Describe implements [prometheus.Collector].
func (m *ownMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.ready()
	ch <- m.expiry()
	ch <- m.problem()
	ch <- m.lost()
	ch <- m.kept()
}

// Collect implements [prometheus.Collector].
func (m *ownMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, n float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, n, labels...)
	}
	gauge(m.ready(), one(m.d.unready() == ""))
	if m.d.keeps {
		gauge(m.kept(), one(m.d.histories.kept()))
	}
	if m.d.lines != nil {
		ch <- prometheus.MustNewConstMetric(m.lost(), prometheus.CounterValue, float64(m.d.lines.Lost()))
	}
	for _, s := range m.d.certs.current.Load().Status() {
		expiry := 0.0
		if !s.NotAfter.IsZero() {
			expiry = float64(s.NotAfter.Unix())
		}
		gauge(m.expiry(), expiry, s.Domain)
		gauge(m.problem(), one(s.Problem != ""), s.Domain)
	}
}

// one is 1 for what is so, else 0.
func one(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
