package keep

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"mles/bridge/bus"
)

const (
	journals  = 16
	hexDigits = "0123456789abcdef"
	// freshTogether is how many journals are replaced in one save, so that none takes long.
	freshTogether = 2
	// freshPause is how long a journal that could not be replaced goes on to grow.
	freshPause = 10 * time.Minute
)

// A Store keeps histories in a folder. While it saves it is a [bus.Store].
type Store struct {
	dir  string
	log  *slog.Logger
	lock *lock
	soon chan struct{} // holds a token when somebody does not want to wait

	failing atomic.Bool // the last save failed

	mu       sync.Mutex // held while something is saved
	journals [journals]*journal
	closed   bool
	notFresh time.Time // until then no journal is replaced that need not be
}

// Open takes a folder, which is made if it is missing. dialects are names by number, "" where
// no event comes in one. The error is an [*InUseError] where another gateway has it.
func Open(dir string, dialects []string, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(dir, 0o700); err != nil {
			log.Warn("the folder of histories can be read by others", "folder", dir, "err", err)
		}
	}
	l, err := takeLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, log: log, lock: l, soon: make(chan struct{}, 1)}
	for i := range s.journals {
		s.journals[i] = &journal{name: filepath.Join(dir, "journal-"+hexDigits[i:i+1]), dialects: dialects}
	}
	return s, nil
}

// Leaving notes in the lock that this gateway is about to end, so that one that starts
// meanwhile waits for it: until then, at the latest.
func (s *Store) Leaving(until time.Time) { s.lock.note(until) }

// Close gives the folder to the next gateway. Nothing can be saved afterwards.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.lock.release()
}

// Soon has what has changed saved at once rather than in time.
func (s *Store) Soon() {
	select {
	case s.soon <- struct{}{}:
	default:
	}
}

// Failing says whether the last save has failed.
func (s *Store) Failing() bool { return s.failing.Load() }

// Run saves what has changed every so often until ctx ends; with 0, only when [Store.Soon]
// asks for it. save is what gives the changes to a store, such as
// [bridge.Gateway.SaveHistories].
func (s *Store) Run(ctx context.Context, every time.Duration, save func(st bus.Store, last bool) error) {
	var tick <-chan time.Time
	if every > 0 {
		t := time.NewTicker(every)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-tick:
		case <-s.soon:
		case <-ctx.Done():
			return
		}
		_ = s.Save(save, false)
	}
}

// Save saves what has changed; last is passed on to save. Trouble is logged when it begins
// and when it ends.
func (s *Store) Save(save func(st bus.Store, last bool) error, last bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return os.ErrClosed
	}
	err := s.pass(save, last)
	purge := false
	for _, j := range s.journals {
		purge = purge || j.purge
	}
	if err == nil && purge { // what has just been told to vanish does so now
		err = s.pass(save, last)
	}
	failed := s.failing.Swap(err != nil)
	switch {
	case err != nil && (!failed || last):
		s.log.Error("histories cannot be saved, a restart would lose what is new", "folder", s.dir, "err", err)
	case err == nil && failed:
		s.log.Info("histories are saved again", "folder", s.dir)
	}
	return err
}

// pass saves once.
func (s *Store) pass(save func(st bus.Store, last bool) error, last bool) error {
	refreshed := 0
	for _, j := range s.journals {
		due := j.stale() && refreshed < freshTogether && !last && time.Now().After(s.notFresh)
		if j.fresh = due || j.spoil || j.purge; j.fresh {
			refreshed++
		}
	}
	err := save(putter{s}, last)
	if err == nil {
		return nil
	}
	for _, j := range s.journals {
		if j.fresh {
			s.notFresh = time.Now().Add(freshPause) // appending needs less room
		}
		j.rollBack()
	}
	return err
}

// A putter is a store while it saves.
type putter struct{ s *Store }

func (p putter) Whole(channel string) bool { return p.s.journal(channel).fresh }

func (p putter) Put(c *bus.Change) error {
	j := p.s.journal(c.Channel)
	if c.Purged && !j.fresh {
		j.purge = true
	}
	if c.Gone && j.fresh {
		return nil // it does not stand there
	}
	return j.put(c)
}

func (p putter) Sync() error {
	var errs []error
	for _, j := range p.s.journals {
		if err := j.sync(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// journal returns the one that a channel is in.
func (s *Store) journal(channel string) *journal {
	return s.journals[crc32.Checksum([]byte(channel), castagnoli)%journals]
}

// An InUseError says that another gateway has the folder.
type InUseError struct {
	Path  string
	Until time.Time // when it will have ended; zero: it does not say that it ends
	err   error
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s: another gateway has it: %v", e.Path, e.err)
}

func (e *InUseError) Unwrap() error { return e.err }
