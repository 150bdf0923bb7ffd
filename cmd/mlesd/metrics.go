package main

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"mles/bridge"
	"mles/bridge/bus"
)

// newMetrics returns what /metrics shows: the gateway's counts, its members', its certificates, the Go runtime's and
// the process's. docs/metrics.md tells of each.
func (d *daemon) newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(
		newGatewayMetrics(d.gw.Stats),
		newMemberMetrics(d.gw.Survey),
		&ownMetrics{d},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return r
}

// gatewayMetrics turns a gateway's Stats into metrics whenever they are asked for; it keeps no count of its own.
type gatewayMetrics struct {
	stats func() bridge.Stats

	revoked, readOnly *prometheus.Desc

	info, connections, members, channels, memory, memoryLimit     *prometheus.Desc
	accepted, joins, refusals, cuts, messages, bytes, unreadables *prometheus.Desc
	maxConnections, handshakes, disconnects                       *prometheus.Desc
	astray, unmaskable                                            *prometheus.Desc
	upstream, upstreamMessages, upstreamBytes, loops              *prometheus.Desc
}

func newGatewayMetrics(stats func() bridge.Stats) *gatewayMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("mles_"+name, help, labels, nil)
	}
	return &gatewayMetrics{
		stats:          stats,
		info:           desc("build_info", "Always 1; the label says what runs.", "version"),
		connections:    desc("connections", "Connections open now, joined or not."),
		members:        desc("members", "Members joined now, in all channels together.", "dialect"),
		channels:       desc("channels", "Channels with members or history."),
		memory:         desc("memory_bytes", "Bytes counted against the memory budget: half received frames, undelivered messages, histories."),
		memoryLimit:    desc("memory_limit_bytes", "The memory budget."),
		accepted:       desc("connections_accepted_total", "Connections ever accepted."),
		maxConnections: desc("connections_limit", "Connections that there may be at once."),
		handshakes:     desc("tls_handshakes_total", "TLS handshakes, but for those of clients that sent nothing.", "result"),
		disconnects:    desc("disconnects_total", "Connections that had joined and have ended.", "dialect", "reason"),
		joins:          desc("joins_total", "Members ever joined.", "dialect"),
		refusals:       desc("refusals_total", "Connections refused before they joined.", "reason"),
		cuts:           desc("cuts_total", "Members cut because of lag, or replaced.", "reason"),
		revoked:        desc("revoked_total", "Connections closed because a change of configuration allows them no longer.", "reason"),
		readOnly:       desc("read_only_dropped_total", "v1 frames that were not published because of --v1-read-only."),
		messages:       desc("messages_received_total", "Messages received after the join.", "dialect"),
		bytes:          desc("bytes_received_total", "Bytes of these messages, headers of v1 included.", "dialect"),
		unreadables:    desc("untranslatable_total", "v1 frames that could not be read and went to v1 members over TCP only."),
		unmaskable:     desc("unmaskable_total", "Messages that mles-webproxy's mask could not be put on or taken off and that went no further."),
		astray:         desc("astray_total", "v1 frames that named another channel than their connection's and did not go to v1 members over WebSocket."),

		upstream:         desc("upstream_channels", "Channels' connections to upstream servers, by state.", "state"),
		upstreamMessages: desc("upstream_messages_total", "Messages sent up to upstream servers and come down from them.", "direction"),
		upstreamBytes:    desc("upstream_bytes_total", "Bytes of these messages.", "direction"),
		loops:            desc("upstream_loops_total", "Connections to upstream servers closed because they were part of a loop."),
	}
}

// Describe sends every description there is; see prometheus.Collector.
func (m *gatewayMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.info, m.connections, m.members, m.channels, m.memory, m.memoryLimit,
		m.accepted, m.joins, m.refusals, m.cuts, m.messages, m.bytes, m.unreadables, m.astray, m.unmaskable, m.revoked, m.readOnly,
		m.upstream, m.upstreamMessages, m.upstreamBytes, m.loops,
		m.maxConnections, m.handshakes, m.disconnects,
	} {
		ch <- d
	}
}

// Collect sends the counts of this moment; see prometheus.Collector.
func (m *gatewayMetrics) Collect(ch chan<- prometheus.Metric) {
	st := m.stats()
	gauge := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	counter := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	// Those that are named are there from the beginning: nobody sees a rise from nothing.
	counters := func(d *prometheus.Desc, by map[string]int64, named ...string) {
		for label, n := range by {
			counter(d, n, label)
		}
		for _, label := range named {
			if _, there := by[label]; !there {
				counter(d, 0, label)
			}
		}
	}
	gauge(m.info, 1, version())
	gauge(m.connections, st.Connections)
	gauge(m.members, st.V1Members, "v1")
	gauge(m.members, st.V2Members, "v2")
	gauge(m.members, st.V1WSMembers, "v1ws")
	gauge(m.channels, st.Channels)
	gauge(m.memory, st.Memory)
	gauge(m.memoryLimit, st.MemoryLimit)
	counter(m.accepted, st.Accepted)
	counter(m.unreadables, st.Untranslatable)
	counter(m.astray, st.Astray)
	counter(m.unmaskable, st.Unmaskable)
	counters(m.joins, st.Joins)
	counters(m.refusals, st.Refusals, "wrong key", "wrong auth", "key does not open channel", "over limit", "tls handshake")
	counters(m.cuts, st.Cuts, string(bus.TooSlow), string(bus.Stalled), string(bus.OverMemory), string(bus.Replaced))
	counters(m.revoked, st.Revoked, "wrong key", "wrong auth", "key does not open channel", "channel not allowed")
	gauge(m.maxConnections, st.MaxConnections)
	counter(m.handshakes, st.Handshakes, "ok")
	counter(m.handshakes, st.HandshakesFailed, "failed")
	for dialect, by := range st.Disconnects {
		if by["closed"] == 0 {
			counter(m.disconnects, 0, dialect, "closed")
		}
		for reason, n := range by {
			counter(m.disconnects, n, dialect, reason)
		}
	}
	counter(m.readOnly, st.ReadOnly)
	counters(m.messages, st.MessagesIn)
	counters(m.bytes, st.BytesIn)
	for _, state := range bridge.UpstreamStates() {
		gauge(m.upstream, st.Upstream[state], state)
	}
	counters(m.upstreamMessages, st.UpstreamMessages)
	counters(m.upstreamBytes, st.UpstreamBytes)
	counter(m.loops, st.Loops)
}
