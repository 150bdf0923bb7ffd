//go:build load

package load

import (
	"fmt"
	"testing"
)

// TestCrowded offers more connections than a small memory limit has room for: as many as fit are served, the others are
// refused with a log line, and nobody is cut for what others take.
func TestCrowded(t *testing.T) {
	const limit, offered = 64 << 20, 4000
	d := start(t, options{}, "--memory-limit=64MiB", "--history-limit=10")
	pair := d.honest(t)
	d.joined(t, 2)
	kinds := []transport{v1TCP, v2Plain}
	var clients []*client
	for i := range offered {
		c, err := d.join(smallDialer, kinds[i&1], fmt.Sprintf("member-%04d", i), fmt.Sprintf("channel-%02d", i%50), "")
		if err == nil { // a v1 client is not told that it is refused
			clients = append(clients, c)
		}
	}
	t.Cleanup(func() { closeClients(clients) })
	d.awaitLog(t, 1, starved, "connection refused: too many connections")
	members := int(d.metric(t, "mles_members"))
	if members < 500 || members == offered+2 {
		t.Errorf("%d members", members)
	}
	if used, budget := d.metric(t, "mles_memory_bytes"), d.metric(t, "mles_memory_limit_bytes"); used > budget {
		t.Errorf("%g bytes counted, budget %g", used, budget)
	}
	if lines := d.log("subscription cut"); len(lines) > 0 {
		t.Errorf("cut: %q", lines)
	}
	report := pair.stop(t)
	d.within(t, limit)
	t.Logf("crowded: %d connections offered, %d members served, peak %s of %s; %s",
		offered, members, mib(d.status(t, "VmHWM")), mib(limit), report)
}
