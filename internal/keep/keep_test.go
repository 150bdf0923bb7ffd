package keep

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mles/bridge/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// event is one of any kind.
func event(r *rand.Rand) bus.Event {
	e := bus.Event{From: bus.Dialect(r.IntN(3)), Op: byte(r.IntN(3)), Key: r.Uint64(), UID: fmt.Sprint("uid", r.IntN(4))}
	data := bytes.Repeat([]byte{byte(r.IntN(256))}, r.IntN(40))
	if r.IntN(12) == 0 {
		data = bytes.Repeat([]byte("large"), r.IntN(60_000))
	}
	switch r.IntN(5) {
	case 0:
		e.Join = true
	case 1:
		e.Join = true
		e.Message = data
	case 2:
		e.Data = data
		e.Message = data[len(data)/3:]
	case 3:
		e.Data, e.Opaque = data, true
	case 4:
		e.Data, e.Message = data, []byte("apart")
	}
	return e
}

// flaky fails now and then, before or after the store it stands before has done its work.
type flaky struct {
	bus.Store
	r *rand.Rand
}

var errFlaky = errors.New("no luck")

func (f flaky) Put(c *bus.Change) error {
	if f.r.IntN(20) == 0 {
		return errFlaky
	}
	return f.Store.Put(c)
}

func (f flaky) Sync() error {
	switch f.r.IntN(4) {
	case 0:
		return errFlaky
	case 1:
		if err := f.Store.Sync(); err != nil {
			return err
		}
		return errFlaky
	}
	return f.Store.Sync()
}

// Whatever has happened on the channels, and whichever saves have failed, what is loaded is
// what was remembered at the last save that has not.
func TestSavedIsLoaded(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 2 + r.IntN(10), HistoryBytes: 400_000})
		var there []*bus.Member
		for step := range 150 {
			channel := fmt.Sprint("channel ", r.IntN(6))
			switch r.IntN(12) {
			case 0:
				if m, err := w.bus.Join(bus.Join{Channel: channel, Sink: deaf{}, First: event(r), Resync: []bus.Event{event(r), event(r)}}); err == nil {
					there = append(there, m)
				}
			case 1:
				if len(there) > 0 {
					there[0].Leave()
					there = there[1:]
				}
			case 2:
				w.bus.Purge(channel)
			case 3:
				if r.IntN(8) == 0 {
					w.bus.SetHistoryLimit(0)
					w.bus.SetHistoryLimit(w.conf.HistoryLimit)
				}
			case 4, 5:
				_ = w.store.Save(func(s bus.Store, last bool) error { return w.bus.Save(flaky{s, r}, last) }, false)
			case 6:
				w.save()
				want := w.history()
				if diff := cmp.Diff(want, w.fork().history()); diff != "" {
					t.Fatalf("seed %d, step %d (-remembered +loaded):\n%s\nlog:\n%s", seed, step, diff, w.log)
				}
			default:
				var events []bus.Event
				for range 1 + r.IntN(4) {
					events = append(events, event(r))
				}
				w.says(channel, events...)
			}
		}
		for _, m := range there {
			m.Leave()
		}
		// And so on for those who come after.
		if err := w.store.Save(w.bus.Save, true); err != nil {
			t.Fatal(err)
		}
		next := w.fork()
		next.says("channel 0", event(r))
		next.save()
		if diff := cmp.Diff(next.history(), next.fork().history()); diff != "" {
			t.Fatalf("seed %d, after a restart (-remembered +loaded):\n%s", seed, diff)
		}
	}
}

// message is a small one.
func message(s string) bus.Event { return bus.Event{UID: "u", Message: []byte(s)} }

// When a channel was last used is kept to the hour, and exactly at the end; a channel
// that has been idle for too long is not loaded.
func TestLastUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10, IdleLimit: time.Hour})
	w.says("room", message("hi"))
	if err := w.store.Save(w.bus.Save, true); err != nil {
		t.Fatal(err)
	}
	was, _ := w.bus.Census("room")
	next := w.fork()
	is, ok := next.bus.Census("room")
	if !ok || !is.LastUsed.Equal(was.LastUsed) {
		t.Errorf("last used %v, want %v", is.LastUsed, was.LastUsed)
	}
	next.conf.IdleLimit = time.Nanosecond
	if later := next.fork(); len(later.history()) != 0 {
		t.Error("what was to be forgotten was loaded")
	}
}

// purges is a store during whose first save channels are purged, and talked on again.
type purges struct {
	bus.Store
	once sync.Once
	do   func()
}

func (p *purges) Whole(channel string) bool {
	p.once.Do(p.do)
	return p.Store.Whole(channel)
}

// What is purged while it is saved has vanished with the next save, also where somebody has gone
// on talking before that.
func TestPurgeDuringSave(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
	for i := range 50 {
		w.says(fmt.Sprint("channel ", i), message("secret"))
	}
	w.save()
	w.says("channel 0", message("secret"))
	st := &purges{do: func() {
		for i := range 50 {
			name := fmt.Sprint("channel ", i)
			w.bus.Purge(name)
			w.says(name, message("later"))
		}
	}}
	err := w.store.Save(func(s bus.Store, last bool) error {
		st.Store = s
		return w.bus.Save(st, last)
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	w.save()
	names, _ := filepath.Glob(filepath.Join(w.dir, "journal-?"))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil || bytes.Contains(b, []byte("secret")) {
			t.Errorf("%s has what was purged, or cannot be read: %v", name, err)
		}
	}
	if n := len(w.fork().history()); n != 50 {
		t.Errorf("%d channels are saved, want 50", n)
	}
}

// Channels that do not fit into the memory budget are left out, those unused for longest
// first.
func TestColdestAreLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
	const n = 100
	age := 2 * time.Second
	for i := n - 1; i >= 0; i-- {
		age = age * 8 / 7
		err := w.bus.Restore(&bus.Change{
			Channel: fmt.Sprint(i), LastUsed: time.Now().Add(-age), Last: 1,
			Events: []bus.Numbered{{Number: 1, Event: &bus.Event{UID: "u", Message: make([]byte, 100_000)}}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, j := range w.store.journals {
		j.spoil = true // nothing stands there yet
	}
	w.save()
	w.conf.MemoryLimit = 4_000_000
	next := w.fork()
	left := next.history()
	if len(left) < 20 || len(left) > 40 {
		t.Errorf("%d channels in a budget for 40", len(left))
	}
	for i := n - 15; i < n; i++ {
		if left[fmt.Sprint(i)] == nil {
			t.Errorf("channel %d, of the last used, is not among them", i)
		}
	}
	next.save()
	if again := next.fork(); len(again.history()) != len(left) {
		t.Errorf("%d channels are left, then %d", len(left), len(again.history()))
	}
}

// The files do not grow for ever while the same channels are written to.
func TestFilesStaySmall(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
	large := message(strings.Repeat("x", 10_000))
	for range 60 {
		for i := range 10 {
			w.says("room", large)
			w.says(fmt.Sprint("room ", i), large)
		}
		w.save()
	}
	var total int64
	for _, j := range w.store.journals {
		info, err := os.Stat(j.name)
		if err == nil {
			total += info.Size()
		}
	}
	if total > journals*(freshAt+200_000) {
		t.Errorf("%d bytes on disk for %d in memory", total, w.bus.Stats().Memory)
	}
	if diff := cmp.Diff(w.history(), w.fork().history()); diff != "" {
		t.Error(diff)
	}
	for i := range 10 {
		w.bus.Purge(fmt.Sprint("room ", i))
	}
	w.bus.Purge("room")
	w.save()
	if left, _ := filepath.Glob(filepath.Join(w.dir, "journal-*")); len(left) != 0 {
		t.Errorf("nothing is remembered, and there is %q", left)
	}
}
