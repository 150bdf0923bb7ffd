package keep

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"mles/bridge/bus"
)

// BenchmarkHistories saves and loads the histories of channels that remember 20 messages of 512
// bytes each: KEEP_CHANNELS of them, 2,000 unless set; 100,000 are 1 GiB. It tells the
// time that it takes to save all of them for the first time, to save when one in a hundred
// has something new, when none has, and at the end; to load them; and what memory saving
// took besides.
func BenchmarkHistories(b *testing.B) {
	channels := 2000
	if n, err := strconv.Atoi(os.Getenv("KEEP_CHANNELS")); err == nil {
		channels = n
	}
	conf := bus.Config{HistoryLimit: 20, MemoryLimit: 16 << 30}
	for range b.N {
		w := newWorld(b, b.TempDir(), conf)
		text := make([]byte, 512)
		for i := range channels {
			events := make([]bus.Event, 20)
			for j := range events {
				events[j] = bus.Event{From: 1, UID: "somebody", Message: text}
			}
			w.says(fmt.Sprint("channel ", i), events...)
		}
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		step := func(name string, f func()) {
			start := time.Now()
			f()
			b.ReportMetric(time.Since(start).Seconds()*1000, name+"-ms")
		}
		step("save-all", w.save)
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/(1<<20), "allocated-MB")
		for i := 0; i < channels; i += 100 {
			w.says(fmt.Sprint("channel ", i), bus.Event{From: 1, UID: "somebody", Message: text})
		}
		step("save-1%", w.save)
		step("save-none", w.save)
		step("save-last", func() { _ = w.store.Save(w.bus.Save, true) })
		files, _ := filepath.Glob(filepath.Join(w.dir, "journal-*"))
		var size int64
		for _, name := range files {
			if info, err := os.Stat(name); err == nil {
				size += info.Size()
			}
		}
		b.ReportMetric(float64(size)/(1<<20), "disk-MB")
		w.store.Close()
		w.bus.Close()
		dir := w.dir
		w = nil
		runtime.GC()
		step("load", func() { w = newWorld(b, dir, conf) })
		if n := w.bus.Stats().Channels; n != channels {
			b.Fatalf("%d channels are loaded, want %d", n, channels)
		}
		w.store.Close()
		w.bus.Close()
	}
}
