package seen

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"mles/bridge"
)

// What a store keeps at most.
const (
	// Interval is the most that passes before a change is on disk.
	Interval = 30 * time.Second
	// MaxEntries is how many entries a dialect has at most, and maxBytes what
	// they take in the file.
	MaxEntries = 10_000
	maxBytes   = 4 << 20
	// MaxAge is when somebody who does not come back is forgotten.
	MaxAge = 400 * 24 * time.Hour
	// maxGaps is how many gaps are remembered. Of more, the first two become one.
	maxGaps = 16
	// silence is how long a record may break off without that being a gap.
	silence = 10 * time.Minute
)

// A Store notes who was there. All its methods may be called at the same time.
type Store struct {
	log  *slog.Logger
	disk *disk // Run's own

	mu      sync.Mutex
	since   time.Time
	gaps    []Gap
	rolls   map[string]*roll // by dialect
	problem string           // why nothing is written; "": it is
}

// A Gap is a time in which nobody knows whether the gateway ran, and if so who used it.
type Gap struct{ From, To time.Time }

// Status is what a record can tell about.
type Status struct {
	Since   time.Time // when it began
	Gaps    []Gap     // oldest first
	Kept    bool      // on disk: it outlasts the process
	Problem string    // why it is not; may hold a file's name
	// Dialects are those ever used.
	Dialects map[string]Summary
}

// Summary is about one dialect.
type Summary struct {
	Entries int
	Present int       // memberships at this moment
	Last    time.Time // when there was one
	Dropped int64     // entries that there was no room for, since the record began
}

// A Visitor is an entry: who was seen, and when.
type Visitor struct {
	Dialect, UID, Channel string
	Addr                  netip.Addr // invalid where the connection had none
	Key                   string     // what let it in last: see [bridge.Credential]
	KeyLine               int
	First, Last           time.Time // Last is now for those who are there
	Present               bool
}

// New returns a store that keeps what it notes in dir while [Store.Run] runs; with dir
// empty, in memory. The folder is made if it is missing.
func New(dir string, log *slog.Logger) *Store {
	s := &Store{log: log, since: time.Now().Round(0), rolls: make(map[string]*roll)}
	if dir == "" {
		s.problem = "there is no cache folder"
	} else {
		s.disk = &disk{dir: dir}
		s.problem = "not yet written"
	}
	return s
}

// Joined implements [bridge.Witness].
func (s *Store) Joined(v bridge.Visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := at(time.Now())
	r := s.roll(v.Dialect)
	r.present++
	r.used(now)
	if e := s.enter(r, v, now); e != nil {
		r.arrive(e)
	}
}

// Left implements [bridge.Witness].
func (s *Store) Left(v bridge.Visit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := at(time.Now())
	r := s.roll(v.Dialect)
	r.present = max(0, r.present-1)
	r.used(now)
	if e := s.enter(r, v, now); e != nil {
		r.leave(e)
	}
}

// enter brings the visit's entry up to date, made if there is room.
func (s *Store) enter(r *roll, v bridge.Visit, now moment) *entry {
	e := r.entry(id{v.UID, v.Channel, v.Addr.Addr().Unmap().WithZone("")}, now)
	if e == nil {
		return nil
	}
	e.last = max(e.last, now)
	e.key, e.keyLine = keyNamed(v.Key.String()), int32(v.Key.Line())
	e.dirty = true
	return e
}

func (s *Store) roll(dialect string) *roll {
	r := s.rolls[dialect]
	if r == nil {
		r = newRoll(dialect)
		s.rolls[dialect] = r
	}
	return r
}

// Status tells how far the record goes.
func (s *Store) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now().Round(0)
	st := Status{
		Since: s.since, Gaps: append([]Gap(nil), s.gaps...), Kept: s.problem == "", Problem: s.problem,
		Dialects: make(map[string]Summary),
	}
	for dialect, r := range s.rolls {
		last := r.last.time()
		if r.present > 0 {
			last = now
		}
		st.Dialects[dialect] = Summary{Entries: len(r.entries), Present: r.present, Last: last, Dropped: r.dropped}
	}
	return st
}

// Visitors returns everybody who has been seen in a dialect, in no order.
func (s *Store) Visitors(dialect string) []Visitor {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rolls[dialect]
	if r == nil {
		return nil
	}
	now := time.Now().Round(0)
	all := make([]Visitor, 0, len(r.entries))
	for _, e := range r.entries {
		v := Visitor{
			Dialect: dialect, UID: e.uid, Channel: e.channel, Addr: e.addr, Key: e.key.String(), KeyLine: int(e.keyLine),
			First: e.first.time(), Last: e.last.time(), Present: e.present > 0,
		}
		if v.Present {
			v.Last = now
		}
		all = append(all, v)
	}
	return all
}

// Run writes what is noted until ctx ends, and then once more with a note that the
// record ends here. It is to be called once.
func (s *Store) Run(ctx context.Context) {
	if s.disk == nil {
		s.log.Warn("who was seen is kept in memory only, and gone after a restart: there is no cache folder")
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	defer s.disk.close()
	last := time.Now()
	for s.write(false); ; s.write(false) {
		select {
		case <-tick.C:
			now := time.Now()
			s.passed(last.Round(0), now.Round(0), now.Sub(last))
			last = now
		case <-ctx.Done():
			s.write(true)
			return
		}
	}
}

// passed is told how long it really was from one time of the clock to another. A clock
// that was set forward, as that of a machine which starts without knowing the date, leaves a
// gap: nobody was watched in a time that there has not been.
func (s *Store) passed(from, to time.Time, really time.Duration) {
	if to.Sub(from)-really <= silence {
		return
	}
	s.mu.Lock()
	s.gaps = withGap(s.gaps, Gap{from, to})
	s.mu.Unlock()
	s.log.Warn("the clock was set forward: who was seen until then is not known with certainty", "from", from, "to", to)
	s.disk.letGo() // gaps stand at the beginning of the file
}

// withGap adds a gap. Of too many, the first two become one.
func withGap(gaps []Gap, g Gap) []Gap {
	gaps = append(gaps, g)
	if n := len(gaps) - maxGaps; n > 0 {
		gaps[n].From = gaps[0].From
		gaps = gaps[n:]
	}
	return gaps
}

// write brings the disk up to date; last ends the record. Trouble is logged when it
// begins and when it ends.
func (s *Store) write(last bool) {
	err := s.disk.write(s, last)
	s.mu.Lock()
	before := s.problem
	s.problem = ""
	if err != nil {
		s.problem = err.Error()
	}
	after := s.problem
	s.mu.Unlock()
	switch {
	case after != "" && after != before:
		s.log.Warn("who was seen is kept in memory only for now", "err", err)
	case after == "" && before != "" && before != "not yet written":
		s.log.Info("who was seen is kept on disk again", "folder", s.disk.dir)
	}
}
