package keep

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"mles/bridge/bus"
)

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
