package bridge

import (
	"iter"
	"maps"
	"sync"
	"sync/atomic"

	"mles/bridge/bus"
)

// Stats counts what a gateway did since it was made, and what it holds now.
type Stats struct {
	Connections int64 // open now, on all listeners, joined or not
	Members     int64 // joined now, of all channels together
	V1Members   int64 // of these on v1
	V2Members   int64 // of these on v2
	V1WSMembers int64 // of these on v1 over WebSocket, where a connection is one on each of its channels
	Channels    int64 // with members or history
	Memory      int64 // bytes counted against the budget
	MemoryLimit int64 // the budget

	MaxConnections int64 // that may be open at once

	Accepted int64            // connections ever accepted
	Joins    map[string]int64 // by dialect: "v1", "v2", "v1ws"
	Refusals map[string]int64 // connections refused before they joined, by reason
	Cuts     map[string]int64 // subscriptions ended because of lag or replacement, by reason
	Revoked  map[string]int64 // connections closed because a change of configuration allows them no longer, by reason

	Handshakes       int64                       // of TLS that succeeded
	HandshakesFailed int64                       // of those whose client has sent something
	Disconnects      map[string]map[string]int64 // connections that had joined and have ended, by dialect and reason

	MessagesIn     map[string]int64 // frames received after the join, by dialect
	BytesIn        map[string]int64 // their bytes, headers of v1 included, by dialect
	ReadOnly       int64            // v1 frames received after the join that were not published; see Config.V1ReadOnly
	Untranslatable int64            // v1 frames that could not be read, and went to v1 over TCP only
	Unmaskable     int64            // messages between plain and masked that have no mask, or not this one, and went no further
	Astray         int64            // v1 frames that named another channel than their connection's, and did not go to v1 over WebSocket

	Upstream         map[string]int64 // channels' connections to upstreams now, by state; see UpstreamStatus
	UpstreamMessages map[string]int64 // "up": sent there, "down": come from there, history and arrivals included
	UpstreamBytes    map[string]int64 // of these
	Loops            int64            // upstream connections closed because their own arrival came back
}

// counters is where Stats come from.
type counters struct {
	connections, accepted, untranslatable, astray, unmaskable, readOnly atomic.Int64
	handshakes, handshakesFailed                                        atomic.Int64
	v1, v2, v1ws                                                        traffic

	mu       sync.Mutex
	refusals map[string]int64
	cuts     map[string]int64
	revoked  map[string]int64
}

// traffic is what came and went in one dialect.
type traffic struct {
	members, joins, messages, bytes atomic.Int64
	messagesOut, bytesOut           atomic.Int64 // to those who have left
	shownOut                        [2]int64     // guarded by counters.mu: what Survey has told last

	ends map[string]int64 // guarded by counters.mu: connections that have ended, by reason
}

func (c *counters) refused(reason string) { c.count(&c.refusals, reason) }
func (c *counters) cut(why bus.Reason)    { c.count(&c.cuts, string(why)) }

func (c *counters) count(m *map[string]int64, label string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if *m == nil {
		*m = make(map[string]int64)
	}
	if _, known := (*m)[label]; !known && len(*m) >= maxReasons {
		label = otherReasons
	}
	(*m)[label]++
}

// Reasons are few and ours. Should one ever hold something of a client's, their number is bounded all the same.
const (
	maxReasons   = 64
	otherReasons = "other"
)

// each yields the dialects by their names.
func (c *counters) each() iter.Seq2[string, *traffic] {
	return func(yield func(string, *traffic) bool) {
		_ = yield("v1", &c.v1) && yield("v2", &c.v2) && yield("v1ws", &c.v1ws)
	}
}

// Stats returns the counts of this moment.
func (g *Gateway) Stats() Stats {
	c, b := &g.counters, g.bus.Stats()
	each := func(f func(*traffic) *atomic.Int64) map[string]int64 {
		by := make(map[string]int64)
		for dialect, t := range c.each() {
			by[dialect] = f(t).Load()
		}
		return by
	}
	st := Stats{
		Connections: c.connections.Load(),
		Members:     int64(b.Members),
		V1Members:   c.v1.members.Load(),
		V2Members:   c.v2.members.Load(),
		V1WSMembers: c.v1ws.members.Load(),
		Channels:    int64(b.Channels),
		Memory:      b.Memory,
		MemoryLimit: g.bus.Budget().Limit(),

		MaxConnections: g.policy.Load().maxConnections,

		Accepted:       c.accepted.Load(),
		Joins:          each(func(t *traffic) *atomic.Int64 { return &t.joins }),
		MessagesIn:     each(func(t *traffic) *atomic.Int64 { return &t.messages }),
		BytesIn:        each(func(t *traffic) *atomic.Int64 { return &t.bytes }),
		ReadOnly:       c.readOnly.Load(),
		Untranslatable: c.untranslatable.Load(),
		Astray:         c.astray.Load(),
		Unmaskable:     c.unmaskable.Load(),

		Handshakes:       c.handshakes.Load(),
		HandshakesFailed: c.handshakesFailed.Load(),
		Disconnects:      make(map[string]map[string]int64),
	}
	g.upstreams.count(&st)
	c.mu.Lock()
	defer c.mu.Unlock()
	for dialect, t := range c.each() {
		st.Disconnects[dialect] = maps.Clone(t.ends)
	}
	st.Refusals, st.Cuts, st.Revoked = maps.Clone(c.refusals), maps.Clone(c.cuts), maps.Clone(c.revoked)
	return st
}
