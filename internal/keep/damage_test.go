package keep

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"mles/bridge/bus"
)

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

// After a later gateway all journals are set aside, and all are there for the next later one.
func TestLaterGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, t.TempDir(), bus.Config{HistoryLimit: 10})
	for i := range 100 {
		w.says(fmt.Sprint("channel ", i), message("hi"))
	}
	w.save()
	w.store.Close()
	names, _ := filepath.Glob(filepath.Join(w.dir, "journal-?"))
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[len(magic)] = version + 1
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	next := newWorld(t, w.dir, w.conf)
	next.says("channel 1", message("later"))
	next.save()
	asides, _ := filepath.Glob(filepath.Join(w.dir, "journal-?.aside-*"))
	if len(names) != journals || len(asides) != journals {
		t.Errorf("%d of %d journals are there", len(asides), len(names))
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
