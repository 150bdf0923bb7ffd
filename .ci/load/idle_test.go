//go:build load

package load

import (
	"fmt"
	"testing"
)

// What an idle connection may cost in resident memory.
const (
	idleV1  = 12 << 10
	idleTLS = 32 << 10
)

// TestIdle measures what idle members cost: 100 channels, no history, after a garbage collection. The bound is on
// 10,000 connections, half v1 and half v2 over TLS; each kind is measured by itself, too.
func TestIdle(t *testing.T) {
	n, alone := 10_000, 4_000
	if testing.Short() {
		n, alone = 4_000, 1_000
	}
	only := func(tr transport) func(int) transport { return func(int) transport { return tr } }
	cases := []struct {
		name  string
		n     int
		of    func(i int) transport
		bound int64 // bytes for each connection
	}{
		{"v1", alone, only(v1TCP), idleV1},
		{"v1-tls", alone, only(v1TLS), idleTLS},
		{"v2-plain", alone, only(v2Plain), idleTLS},
		{"v2-tls", alone, only(v2TLS), idleTLS},
		{"mixed", n, func(i int) transport { return []transport{v1TCP, v2TLS}[i&1] }, (idleV1 + idleTLS) / 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := start(t, options{}, "--history-limit=0")
			for _, tr := range []transport{v1TCP, v1TLS, v2TLS, v2Plain} { // what the first connection needs is not each one's
				d.member(t, tr, fmt.Sprint("warm-", tr), "warm")
			}
			d.joined(t, 4)
			before := d.resident(t)
			d.crowd(t, c.n, func(i int) (transport, string, string) {
				return c.of(i), fmt.Sprintf("member-%05d", i), fmt.Sprintf("channel-%02d", i%100)
			})
			d.joined(t, c.n+4)
			peak := d.status(t, "VmRSS")
			m := d.collect(t, "gc")
			collected := d.status(t, "VmRSS")
			after := d.resident(t)
			d.profile(t, c.name)
			each := (after - before) / int64(c.n)
			t.Logf("%s: %d connections, %s resident each (bound %s); %s as joined, %s after a collection alone; heap %s, stacks %s each; %s in all",
				c.name, c.n, kib(each), kib(c.bound), kib((peak-before)/int64(c.n)), kib((collected-before)/int64(c.n)),
				kib(int64(m.HeapAlloc)/int64(c.n)), kib(int64(m.StackInuse)/int64(c.n)), mib(after))
			if each > c.bound {
				t.Errorf("an idle connection takes %s, bound %s", kib(each), kib(c.bound))
			}
			d.exchange(t, "fresh")
		})
	}
}

// resident is the daemon's memory when garbage is collected and given back.
func (d *daemon) resident(t *testing.T) int64 {
	t.Helper()
	d.collect(t, "gc")
	d.collect(t, "free")
	return d.status(t, "VmRSS")
}
