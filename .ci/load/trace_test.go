//go:build load

package load

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// trace reports a daemon's memory each second, where LOAD_TRACE is set, and leaves a heap profile for each.
func (d *daemon) trace(t *testing.T) {
	dir := os.Getenv("LOAD_TRACE")
	if dir == "" {
		return
	}
	begun := time.Now()
	ended := make(chan struct{})
	finished := make(chan struct{})
	t.Cleanup(func() { close(ended); <-finished })
	go func() {
		defer close(finished)
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			case <-time.After(time.Second):
			}
			t.Logf("%s: resident %s, counted %s, connections %g, members %g, cut %d", time.Since(begun).Round(time.Second), mib(d.status(t, "VmRSS")),
				mib(int64(d.metric(t, "mles_memory_bytes"))), d.metric(t, "mles_connections"), d.metric(t, "mles_members"), len(d.log("subscription cut")))
			os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.heap", i)), d.ask(t, "/debug/pprof/heap"), 0o644)
			os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.goroutine", i)), d.ask(t, "/debug/pprof/goroutine?debug=1"), 0o644)
		}
	}()
}
