package keep

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mles/bridge/bus"
)

// sample is a journal with a record of each kind.
func sample(t testing.TB) []byte {
	var b bytes.Buffer
	w := writer{w: &b}
	data := []byte("some data with a message")
	events := []bus.Numbered{
		{Number: 1, Event: &bus.Event{Join: true, UID: "alice"}},
		{Number: 2, Event: &bus.Event{From: 1, Op: 2, Key: 0xfedcba9876543210, UID: "bob", Data: data, Message: data[17:]}},
		{Number: 3, Event: &bus.Event{From: 2, Opaque: true, Data: []byte("opaque"), Message: []byte("apart")}},
	}
	err := w.preamble(dialects)
	for _, c := range []bus.Change{
		{Channel: "room", Whole: true, LastUsed: time.Unix(1, 2), First: 1, FirstJoin: 1, Last: 3, Events: events},
		{Channel: "", Whole: true, LastUsed: time.Unix(3, 4), First: 1, FirstJoin: 1, Last: 2, Events: events[:2]},
		{Channel: "room", LastUsed: time.Unix(5, 6), First: 2, FirstJoin: 5, Last: 4},
		{Channel: "", Gone: true},
	} {
		if err == nil {
			err = w.change(&c)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// loads reads a journal and returns what it tells, each channel as it would be saved.
func loads(b []byte) (told map[string]*bus.Change, good int64, err error) {
	p := newPast(dialects)
	good, err = p.read(bytes.NewReader(b), int64(len(b)))
	told = make(map[string]*bus.Change)
	p.give(func(c *bus.Change) error {
		told[c.Channel] = c
		return nil
	})
	return told, good, err
}

// Whatever stands in a file, reading it ends, and what was read is the same when it is
// written and read once more.
func FuzzJournal(f *testing.F) {
	b := sample(f)
	f.Add(b)
	f.Add(b[:len(b)-3])
	f.Add(append(bytes.Clone(b), b[9:]...))
	flipped := bytes.Clone(b)
	flipped[len(b)/2] ^= 0x40
	f.Add(flipped)
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		told, good, _ := loads(b)
		if good < 0 || good > int64(len(b)) {
			t.Fatalf("the last record ends at %d of %d", good, len(b))
		}
		var again bytes.Buffer
		w := writer{w: &again}
		if err := w.preamble(dialects); err != nil {
			t.Fatal(err)
		}
		for _, c := range told {
			if err := w.change(c); err != nil {
				t.Fatal(err)
			}
		}
		twice, _, err := loads(again.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(twice) != len(told) {
			t.Fatalf("%d channels, then %d", len(told), len(twice))
		}
		for name, c := range told {
			if !c.LastUsed.Equal(twice[name].LastUsed) || len(c.Events) != len(twice[name].Events) {
				t.Fatalf("channel %q: %v, then %v", name, c, twice[name])
			}
			for i, e := range c.Events {
				if diff := cmp.Diff(describe(*e.Event), describe(*twice[name].Events[i].Event)); diff != "" {
					t.Fatal(diff)
				}
			}
		}
	})
}

// Payloads that decode with a right checksum, since a fuzzer finds none by itself.
func FuzzPayload(f *testing.F) {
	r := newReader(bytes.NewReader(sample(f)), int64(len(sample(f))))
	if _, err := r.preamble(); err != nil {
		f.Fatal(err)
	}
	for {
		payload, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) == 0 {
			return
		}
		p := newPast(dialects)
		p.numbers = []int{0, 1, 2, -1}
		_ = p.note(payload)
		p.give(func(c *bus.Change) error {
			for i, e := range c.Events {
				if e.Number < c.First || i > 0 && len(c.Events) > 1 && e.Event == nil {
					t.Fatalf("%+v", c)
				}
			}
			return nil
		})
	})
}

// The format does not change by accident: what this version has written is read for ever.
func TestFormat(t *testing.T) {
	t.Parallel()
	name := filepath.Join("testdata", "version1.journal")
	want, err := os.ReadFile(name)
	if os.IsNotExist(err) && os.Getenv("WRITE_TESTDATA") != "" {
		want, err = sample(t), os.WriteFile(name, sample(t), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(sample(t), want) {
		t.Errorf("written: %q\nwant     %q", sample(t), want)
	}
	told, good, err := loads(want)
	if err != nil || good != int64(len(want)) || len(told) != 1 || len(told["room"].Events) != 2 {
		t.Errorf("%+v, %d, %v", told, good, err)
	}
}
