package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"mles/bridge"
	"mles/bridge/bus"
	"mles/internal/keep"
)

// keepFlags are the flags of histories on disk.
type keepFlags struct {
	HistorySave *saving `name:"history-save" env:"MLESD_HISTORY_SAVE" group:"Channels" placeholder:"30s" help:"How often the histories of channels are saved in the cache folder, so that a crash loses no more; 0: only when the gateway ends; off: never, a restart forgets them."`

	// Found by complete.
	save saving
}

// saving is how often histories are saved.
type saving struct {
	off   bool
	every time.Duration // 0: only at the end
}

// UnmarshalText reads a duration, "0" or "off".
func (s *saving) UnmarshalText(text []byte) error {
	*s = saving{off: string(text) == "off"}
	if s.off {
		return nil
	}
	var err error
	if s.every, err = time.ParseDuration(string(text)); err != nil || s.every < 0 || s.every > 0 && s.every < time.Second {
		return fmt.Errorf("%q: want a duration of at least 1s, 0 or off", text)
	}
	return nil
}

func (k *keepFlags) completeSaving() {
	if k.save = (saving{every: 30 * time.Second}); k.HistorySave != nil {
		k.save = *k.HistorySave
	}
}

// histories are the files of a gateway; nil keeps nothing.
type histories struct {
	store *keep.Store
	log   *slog.Logger
	every time.Duration
	found int // channels that were loaded

	stop context.CancelFunc // of the saver
	done sync.WaitGroup
	once sync.Once
}

const (
	// handover is how long after the time that a gateway which ends has given for that
	// another one still waits for it.
	handover = 5 * time.Second
	// lockPoll is how often it looks.
	lockPoll = 20 * time.Millisecond
)

// openHistories takes the files of histories, unless none are wanted. Where that cannot be, the log says why, and
// the gateway goes on without. succeeds says that there is another gateway whose listeners this one has taken over, so that
// it is about to end.
func (d *daemon) openHistories(ctx context.Context, succeeds bool) *histories {
	c := d.conf
	switch {
	case c.save.off:
		return nil
	case c.Cache == "":
		d.log.Warn("histories are not kept over a restart: there is no cache folder, which --cache names")
		return nil
	}
	start := time.Now()
	var until time.Time
	if succeeds {
		until = start.Add(c.DrainTime + handover)
	}
	for waits := false; ; waits = true {
		store, err := keep.Open(filepath.Join(c.Cache, "history"), bridge.Dialects(), d.log)
		var taken *keep.InUseError
		switch {
		case err == nil:
			if waits {
				d.log.Info("the gateway before has saved its histories", "waited", time.Since(start).Round(time.Millisecond).String())
			}
			return &histories{store: store, log: d.log, every: c.save.every}
		case errors.As(err, &taken):
			if noted := taken.Until.Add(handover); !taken.Until.IsZero() && noted.After(until) {
				until = noted
			}
			if time.Now().Before(until) && ctx.Err() == nil {
				if !waits {
					d.log.Info("waiting for the gateway before to save its histories", "until", until.Format(time.RFC3339))
				}
				pause(ctx, lockPoll)
				continue
			}
			d.log.Warn("histories are not kept over a restart: another gateway keeps its own in this folder; give each its --cache, or --history-save off", "err", err)
		default:
			d.log.Warn("histories are not kept over a restart: the folder cannot be used", "err", err)
		}
		return nil
	}
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// restore gives put what was saved.
func (h *histories) restore(put func(*bus.Change) error) {
	start := time.Now()
	l := h.store.Load(put)
	h.found = l.Channels
	if l.Bytes > 0 {
		h.log.Info("histories loaded", "channels", l.Channels, "events", l.Events, "bytes", l.Bytes,
			"took", time.Since(start).Round(time.Millisecond).String())
	}
}

// begin saves regularly from now on. Nobody has been served yet.
func (h *histories) begin(gw *bridge.Gateway) {
	if h == nil {
		return
	}
	if left := h.found - int(gw.Stats().Channels); left > 0 {
		h.log.Warn("not all histories are remembered: those unused for longest were too old or have no room", "channels", left)
	}
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	h.done.Go(func() { h.store.Run(ctx, h.every, gw.SaveHistories) })
}

// savePurged has what was purged vanish from the disk.
func (d *daemon) savePurged() error {
	if d.histories == nil {
		return nil
	}
	return d.histories.store.Save(d.gw.SaveHistories, false)
}

// kept says whether what was remembered at the last save is on disk.
func (h *histories) kept() bool { return h != nil && !h.store.Failing() }

// soon has what has changed saved without waiting for the time to come.
func (h *histories) soon() {
	if h != nil {
		h.store.Soon()
	}
}

// leaving has a gateway that starts meanwhile wait for what is saved at the end.
func (h *histories) leaving(drain time.Duration) {
	if h != nil {
		h.store.Leaving(time.Now().Add(drain))
	}
}

// end saves for the last time, when everybody has left, and gives the folder to the next gateway.
func (h *histories) end(gw *bridge.Gateway) {
	if h == nil {
		return
	}
	h.once.Do(func() {
		defer h.store.Close()
		if h.stop == nil { // nobody was served
			return
		}
		h.stop()
		h.done.Wait()
		start := time.Now()
		if h.store.Save(gw.SaveHistories, true) == nil {
			h.log.Info("histories saved", "took", time.Since(start).Round(time.Millisecond).String())
		}
	})
}

// hurry is how long an end that is to be at once waits for histories to be saved.
const hurry = 2 * time.Second

// A saveInHurry saves histories when a second signal ends the gateway at once, which some supervisors send
// together with the first.
type saveInHurry struct{ do atomic.Pointer[func()] }

// of has it save what d remembers, from now on.
func (s *saveInHurry) of(d *daemon) {
	if s == nil || d.histories == nil {
		return
	}
	do := func() { _ = d.histories.store.Save(d.gw.SaveHistories, true) }
	s.do.Store(&do)
}

func (s *saveInHurry) save() {
	do := s.do.Load()
	if do == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		(*do)()
	}()
	select {
	case <-done:
	case <-time.After(hurry):
	}
}
