//go:build load

package load

import (
	"net"
	"testing"
	"time"
)

// TestDescriptors lets the daemon run out of file descriptors: it says so, those who are there are served on, and when
// descriptors come free others are accepted again.
func TestDescriptors(t *testing.T) {
	const descriptors, connections = 200, 400
	d := start(t, options{descriptors: descriptors}, "--max-connections=5000")
	pair := d.honest(t)
	d.joined(t, 2)
	before := d.descriptors(t)
	var open []net.Conn
	for i := range connections { // those that are not accepted wait in the listeners' backlogs
		nc, err := plainDialer.Dial("tcp", d.addr([]transport{v1TCP, v2TLS, v2Plain, v1TLS}[i%4]))
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		open = append(open, nc)
	}
	d.awaitLog(t, 1, starved, "level=ERROR", "out of file descriptors")
	time.Sleep(2 * time.Second)
	lines := len(d.log("out of file descriptors"))
	if lines > 20 {
		t.Errorf("%d lines say that there are no descriptors", lines)
	}
	most := d.descriptors(t)
	for _, nc := range open {
		nc.Close()
	}
	d.exchange(t, "after")
	settles(t, "the number of connections", 2, starved, func() float64 { return d.metric(t, "mles_connections") })
	settles(t, "the number of descriptors", float64(before)+2, starved, func() float64 { return float64(d.descriptors(t)) })
	report := pair.stop(t)
	t.Logf("descriptors: %d connections to a daemon with %d: %d in use at most, %d log lines, then as before (%d); %s",
		connections, descriptors, most, lines, before, report)
}
