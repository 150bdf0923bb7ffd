package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"mles/bridge"
)

// memberMetrics tells of all members together, gone through whenever it is asked for.
type memberMetrics struct {
	survey func() bridge.Survey

	lag, mostLag, messages, bytes *prometheus.Desc
	historyEvents, historyBytes   *prometheus.Desc
}

func newMemberMetrics(survey func() bridge.Survey) *memberMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("mles_"+name, help, labels, nil)
	}
	return &memberMetrics{
		survey:        survey,
		lag:           desc("member_lag_bytes", "How far members are behind at this moment: no counts over time, so no rate() of them.", "dialect"),
		mostLag:       desc("member_lag_max_bytes", "How far the one who is furthest behind is at this moment.", "dialect"),
		messages:      desc("messages_sent_total", "Messages given to members, history and arrivals included.", "dialect"),
		bytes:         desc("bytes_sent_total", "Bytes of these messages, with what the dialect puts around them.", "dialect"),
		historyEvents: desc("history_events", "Events that all channels remember."),
		historyBytes:  desc("history_bytes", "Bytes that these take in memory."),
	}
}

// Describe implements [prometheus.Collector].
func (m *memberMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lag, m.mostLag, m.messages, m.bytes, m.historyEvents, m.historyBytes} {
		ch <- d
	}
}

// Collect implements [prometheus.Collector].
func (m *memberMetrics) Collect(ch chan<- prometheus.Metric) {
	s := m.survey()
	bounds := bridge.LagBounds()
	for dialect, lag := range s.Lag {
		buckets := make(map[float64]uint64, len(bounds))
		for i, bound := range bounds {
			buckets[float64(bound)] = uint64(lag.Within[i])
		}
		ch <- prometheus.MustNewConstHistogram(m.lag, uint64(lag.Members), float64(lag.Sum), buckets, dialect)
		ch <- prometheus.MustNewConstMetric(m.mostLag, prometheus.GaugeValue, float64(lag.Most), dialect)
	}
	for dialect, out := range s.Out {
		ch <- prometheus.MustNewConstMetric(m.messages, prometheus.CounterValue, float64(out.Messages), dialect)
		ch <- prometheus.MustNewConstMetric(m.bytes, prometheus.CounterValue, float64(out.Bytes), dialect)
	}
	ch <- prometheus.MustNewConstMetric(m.historyEvents, prometheus.GaugeValue, float64(s.History.Messages))
	ch <- prometheus.MustNewConstMetric(m.historyBytes, prometheus.GaugeValue, float64(s.History.Bytes))
}
