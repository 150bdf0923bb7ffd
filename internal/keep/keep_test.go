package keep

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mles/bridge/bus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dumb is a codec of a bus on which nobody reads.
type dumb struct{}

func (dumb) Size(bus.Dialect, string, *bus.Event, bool) int { return 0 }
func (dumb) Append(b []byte, _ bus.Dialect, _ string, _ *bus.Event, _ bool) []byte {
	return b
}

// deaf is a sink of nobody.
type deaf struct{}

func (deaf) Wake(*bus.Member)            {}
func (deaf) Cut(*bus.Member, bus.Reason) {}

var dialects = []string{"one", "two", "three", "", ""}

// A world is a bus and the store that it is kept in.
type world struct {
	testing.TB
	dir   string
	conf  bus.Config
	bus   *bus.Bus
	store *Store
	log   *bytes.Buffer
}

// newWorld opens a folder, and makes a bus with what is in it.
func newWorld(t testing.TB, dir string, conf bus.Config) *world {
	t.Helper()
	conf.Codec = dumb{}
	w := &world{TB: t, dir: dir, conf: conf, bus: bus.New(conf), log: new(bytes.Buffer)}
	t.Cleanup(w.bus.Close)
	var err error
	if w.store, err = Open(dir, dialects, slog.New(slog.NewTextHandler(w.log, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.store.Close)
	w.store.Load(w.bus.Restore)
	return w
}

// says publishes a message of somebody who comes and goes.
func (w *world) says(channel string, events ...bus.Event) {
	w.Helper()
	m, err := w.bus.Join(bus.Join{Channel: channel, Sink: deaf{}, Quiet: true})
	if err != nil {
		w.Fatal(err)
	}
	m.Publish(events)
	m.Leave()
}

func (w *world) save() {
	w.Helper()
	if err := w.store.Save(w.bus.Save, false); err != nil {
		w.Fatal(err)
	}
}

// fork is the world of a gateway that is started with the files as they stand now, after a crash.
func (w *world) fork() *world {
	w.Helper()
	dir := w.TempDir()
	if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
		w.Fatal(err)
	}
	return newWorld(w.TB, dir, w.conf)
}

// history is what is remembered on each channel.
func (w *world) history() map[string][]string {
	w.Helper()
	all := make(map[string][]string)
	var names []string
	for c := range w.bus.Channels() {
		if c.History.Messages > 0 {
			names = append(names, c.Channel)
		}
	}
	for _, name := range names {
		m, err := w.bus.Join(bus.Join{Channel: name, Sink: deaf{}, Quiet: true, History: func(past []bus.Event) {
			for _, e := range past {
				all[name] = append(all[name], describe(e))
			}
		}})
		if err != nil {
			w.Fatal(err)
		}
		m.Leave()
	}
	return all
}

func describe(e bus.Event) string {
	at, inside := e.Inside()
	data, message := e.Data, e.Message
	if len(data)+len(message) > 64 {
		data, message = data[:min(len(data), 16)], message[:min(len(message), 16)]
	}
	return fmt.Sprint(e.From, e.Join, e.Opaque, e.Op, e.Key, e.UID, len(e.Data), len(e.Message), e.Data == nil, data, message, at, inside)
}

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

// A journal that was cut off anywhere is loaded up to there, and goes on.
func TestTornTail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
	var sizes []int64
	for i := range 3 {
		w.says("room", message(fmt.Sprint("message ", i)))
		w.save()
		sizes = append(sizes, w.store.journal("room").size)
	}
	name := filepath.Base(w.store.journal("room").name)
	for cut := sizes[0]; cut <= sizes[2]; cut++ {
		next := func() *world {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(filepath.Join(dir, name), cut); err != nil {
				t.Fatal(err)
			}
			return newWorld(t, dir, w.conf)
		}()
		want := 1
		for _, size := range sizes[1:] {
			if cut >= size {
				want++
			}
		}
		if got := next.history()["room"]; len(got) != want {
			t.Fatalf("cut at %d of %d: %d events, want %d", cut, sizes[2], len(got), want)
		}
		if strings.Contains(next.log.String(), "set aside") {
			t.Fatalf("cut at %d of %d: %s", cut, sizes[2], next.log)
		}
		next.says("room", message("later"))
		next.save()
		if got := next.fork().history()["room"]; len(got) != want+1 {
			t.Fatalf("cut at %d: then %d events, want %d", cut, len(got), want+1)
		}
		next.bus.Close()
		next.store.Close()
	}
}

// A damage in the middle costs what it hits. The file is kept aside, of many such only
// three, and replaced.
func TestDamageInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
	for _, s := range []string{"first", "second", "third"} {
		w.says("room", message(s))
		w.save()
	}
	j := w.store.journal("room")
	w.store.Close()
	dir := w.dir
	for round := range 5 {
		b, err := os.ReadFile(j.name)
		if err != nil {
			t.Fatal(err)
		}
		damaged := bytes.Replace(b, []byte("second"), []byte("sEcond"), 1)
		if round > 0 {
			damaged = append(slices.Clone(b), b[9:]...)
			damaged[len(b)+5] ^= 1
		}
		if err := os.WriteFile(j.name, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		next := newWorld(t, dir, w.conf)
		if got := next.history()["room"]; len(got) != 2 {
			t.Fatalf("round %d: %d events, want 2: %s", round, len(got), next.log)
		}
		if !strings.Contains(next.log.String(), "set aside") || !strings.Contains(next.log.String(), "at byte") {
			t.Errorf("the log does not say so: %s", next.log)
		}
		next.save()
		if got := next.fork().history()["room"]; len(got) != 2 {
			t.Errorf("round %d: %d events after that, want 2", round, len(got))
		}
		next.store.Close()
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*.aside-*")); len(names) != asides {
		t.Errorf("%d files are kept aside", len(names))
	}
}

// What is no journal, or a later gateway's, or a link, is set aside, and in its place
// comes another.
func TestWhatIsNoJournal(t *testing.T) {
	t.Parallel()
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.WriteFile(elsewhere, []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, put := range map[string]func(name string) error{
		"empty":   func(name string) error { return os.WriteFile(name, nil, 0o600) },
		"text":    func(name string) error { return os.WriteFile(name, []byte("hello"), 0o600) },
		"version": func(name string) error { return os.WriteFile(name, []byte(magic+"\x02more"), 0o600) },
		"link":    func(name string) error { return os.Symlink(elsewhere, name) },
		"folder":  func(name string) error { return os.Mkdir(name, 0o700) },
	} {
		w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
		name := w.store.journal("room").name
		w.store.Close()
		if err := put(name); err != nil {
			t.Fatal(err)
		}
		next := newWorld(t, w.dir, w.conf)
		next.says("room", message("hi"))
		next.save()
		if got := next.fork().history()["room"]; len(got) != 1 {
			t.Errorf("%s: %d events, want 1: %s", what, len(got), next.log)
		}
		if what == "version" && !strings.Contains(next.log.String(), "later gateway") {
			t.Errorf("%s: %s", what, next.log)
		}
	}
	if b, err := os.ReadFile(elsewhere); err != nil || string(b) != "not ours" {
		t.Errorf("what the link named is %q, %v", b, err)
	}
}

// A full disk is logged once, leaves the files as they were, and is over when it is.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	defer full.Close()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
	w.says("room", message("before"))
	w.save()
	w.says("room", message("meanwhile"))
	for range 3 {
		err := w.store.Save(func(s bus.Store, last bool) error { return w.bus.Save(fills{s, w.store, full}, last) }, false)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	if n := strings.Count(w.log.String(), "cannot be saved"); n != 1 {
		t.Errorf("logged %d times: %s", n, w.log)
	}
	if got := w.fork().history()["room"]; len(got) != 1 {
		t.Errorf("%d events are saved, want 1", len(got))
	}
	w.save()
	if got := w.fork().history()["room"]; len(got) != 2 || !strings.Contains(w.log.String(), "saved again") {
		t.Errorf("%d events are saved, want 2: %s", len(got), w.log)
	}
}

// fills has all that is written go to a full disk.
type fills struct {
	bus.Store
	of   *Store
	full *os.File
}

func (f fills) Sync() error {
	for _, j := range f.of.journals {
		if j.file != nil {
			pending := append([]byte("x"), make([]byte, bufferSize)...)
			j.out.Reset(f.full)
			_, _ = j.out.Write(pending)
		}
	}
	return f.Store.Sync()
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
