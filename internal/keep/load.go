package keep

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mles/bridge/bus"
)

// asides is how many files that were set aside are kept of each journal. After a later
// gateway, or one of another user, all journals are set aside at once.
const asides = 3

// Loaded is what was found.
type Loaded struct {
	Channels int
	Events   int
	Bytes    int64 // of the journals
}

// Load gives put what was saved, channel by channel. Trouble with a file is logged, and
// what can be read of it is given. It is to be called once, before anything is saved.
func (s *Store) Load(put func(*bus.Change) error) (all Loaded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.journals {
		_ = os.Remove(j.newName()) // of a save that was cut off
		l, err := s.load(j, put)
		all.Channels += l.Channels
		all.Events += l.Events
		all.Bytes += l.Bytes
		if err != nil {
			s.setAside(j, err)
		}
	}
	return all
}

// load reads one journal. The error says what is wrong with it.
func (s *Store) load(j *journal, put func(*bus.Change) error) (l Loaded, err error) {
	info, err := os.Lstat(j.name)
	if errors.Is(err, fs.ErrNotExist) {
		return l, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return l, err
	}
	f, err := os.Open(j.name)
	if err != nil {
		return l, err
	}
	defer f.Close()
	_ = f.Chmod(0o600)
	p := newPast(j.dialects)
	good, err := p.read(f, info.Size())
	if err == nil && good < info.Size() {
		s.log.Info("the last save of histories was cut off; what was saved before counts", "file", j.name, "bytes", info.Size()-good)
	}
	l = p.give(put)
	j.size, j.short, l.Bytes = good, p.short, info.Size()
	return l, err
}

// setAside gives a journal that cannot be used as it is another name as well, and has it
// replaced. The file stays until then, so that a crash meanwhile loses nothing.
func (s *Store) setAside(j *journal, why error) {
	name := j.name + ".aside-" + time.Now().UTC().Format("20060102T150405.000")
	err := os.Link(j.name, name)
	if err != nil {
		err = os.Rename(j.name, name)
	}
	s.log.Error("a file of histories is set aside; what could be read of it is used", "file", name, "reason", why)
	if err != nil {
		s.log.Error("it could not be given that name", "err", err)
	}
	j.spoil = true
	j.dropAsides()
	s.Soon()
}

// dropAsides removes the oldest of too many.
func (j *journal) dropAsides() {
	names, _ := filepath.Glob(filepath.Join(filepath.Dir(j.name), filepath.Base(j.name)+".aside-*"))
	slices.Sort(names) // by time
	for _, name := range names[:max(0, len(names)-asides)] {
		_ = os.Remove(name)
	}
}

// A past is what a journal tells.
type past struct {
	dialects []string // by number
	numbers  []int    // of the journal's dialects; -1: not known here
	channels map[string]*told
	short    int64
}

// told is what a journal tells of one channel.
type told struct {
	bus.Change
	newest uint64 // the highest number of an event
}

func newPast(dialects []string) *past {
	return &past{dialects: dialects, channels: make(map[string]*told)}
}

// read reads the journal and returns where the last record ends that counts. The error
// says what is wrong before that.
func (p *past) read(f io.ReaderAt, size int64) (good int64, err error) {
	r := newReader(f, size)
	names, err := r.preamble()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		number := -1
		if name != "" {
			number = slices.Index(p.dialects, name)
		}
		p.numbers = append(p.numbers, number)
	}
	var wrong error
	for {
		payload, err := r.next()
		switch {
		case err == io.EOF:
			return r.at, wrong
		case err == nil:
			if err := p.note(payload); err != nil && wrong == nil {
				wrong = err
			}
		case !errors.Is(err, errRecord):
			return r.at, err
		default:
			torn := r.at
			if !r.search() {
				return torn, wrong
			}
			if wrong == nil {
				wrong = fmt.Errorf("%w, at byte %d", err, torn)
			}
		}
	}
}

// note takes one record in.
func (p *past) note(payload []byte) error {
	kind := payload[0]
	if kind != kindWhole && kind != kindChange && kind != kindGone {
		return fmt.Errorf("a record is of the unknown kind %q", kind)
	}
	c, err := (&decoder{b: payload[1:]}).change(kind, p.numbers)
	if errors.Is(err, errPayload) {
		return err
	}
	t := p.channels[c.Channel]
	switch {
	case c.Gone:
		delete(p.channels, c.Channel)
		return err
	case c.Whole || t == nil:
		t = &told{Change: c}
		p.channels[c.Channel] = t
	default:
		t.First, t.FirstJoin, t.Last, t.LastUsed = max(t.First, c.First), max(t.FirstJoin, c.FirstJoin), max(t.Last, c.Last), c.LastUsed
		for len(t.Events) > 0 && t.Events[0].Number < t.First {
			t.Events[0] = bus.Numbered{}
			t.Events = t.Events[1:]
		}
		for _, e := range c.Events {
			if e.Number > t.newest { // else it was saved twice
				t.Events = append(t.Events, e)
			}
		}
	}
	if n := len(t.Events); n > 0 {
		t.newest = max(t.newest, t.Events[n-1].Number)
	}
	return err
}

// give gives put what is remembered.
func (p *past) give(put func(*bus.Change) error) (l Loaded) {
	for name, t := range p.channels {
		t.Whole = true
		t.Events = slices.DeleteFunc(t.Events, func(e bus.Numbered) bool {
			return e.Number < t.First || e.Number < t.FirstJoin && e.Join && len(e.Message) == 0
		})
		p.short += 64 + int64(len(name))
		for _, e := range t.Events {
			p.short += 24 + int64(len(e.UID)+len(e.Data))
			if _, inside := e.Inside(); !inside {
				p.short += int64(len(e.Message))
			}
		}
		l.Channels++
		l.Events += len(t.Events)
		_ = put(&t.Change) // what does not fit is not kept
		delete(p.channels, name)
	}
	return l
}
