package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"mles/internal/systemd"
)

// service is the gateway as a service manager sees it: systemd, or none.
type service struct {
	*systemd.Notifier       // nil: nobody is to be told
	problem           error // with the watchdog's variables
}

const (
	// statusPause is the least time between two lines for systemctl status.
	statusPause = time.Minute
	// stopSlack is what a stop may take besides the drain: histories are saved, certificates and records closed.
	stopSlack = 30 * time.Second
	// unattendedMost is how long a listener may be without somebody who accepts: between two tries that fail there is a
	// second at most.
	unattendedMost = 10 * time.Second
)

// told logs that the manager could not be told something.
func told(log *slog.Logger, err error) {
	if err != nil {
		log.Warn("systemd could not be told", "err", err)
	}
}

// attend tells the manager that the gateway serves, and from then on how it is, until stop is called.
func (s service) attend(d *daemon) (stop func()) {
	if s.problem != nil {
		d.log.Warn("there is no watchdog", "err", s.problem)
	}
	if s.Notifier == nil {
		return func() {}
	}
	told(d.log, s.Status(d.summary()))
	told(d.log, s.Ready())
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.summarize(ctx, d) })
	if s.Watchdog > 0 {
		d.log.Info("watched by systemd", "watchdog", s.Watchdog.String())
		wg.Go(func() { s.feed(ctx, d) })
	}
	return func() {
		cancel()
		wg.Wait()
	}
}

// summarize keeps the line for people up to date.
func (s service) summarize(ctx context.Context, d *daemon) {
	tick := time.NewTicker(statusPause)
	defer tick.Stop()
	last := ""
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if line := d.summary(); line != last && !d.gw.Draining() {
			told(d.log, s.Status(line))
			last = line
		}
	}
}

// summary says in one line what the gateway does.
func (d *daemon) summary() string {
	st := d.gw.Stats()
	return fmt.Sprintf("serving %d members on %d channels, %d connections", st.Members, st.Channels, st.Connections)
}

// feed feeds the watchdog for as long as the gateway works: twice in its time. One that drains ends by itself, in the
// time that was asked for; see stopping.
func (s service) feed(ctx context.Context, d *daemon) {
	pause := s.Watchdog / 2
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if err := d.works(ctx, pause); err == nil || d.gw.Draining() {
			told(d.log, s.Works())
		} else if ctx.Err() == nil {
			d.log.Error("the gateway does not work, systemd's watchdog is not fed", "err", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// works finds out within that time whether the gateway does: whether everything moves that clients wait for, and
// somebody accepts at each listener.
func (d *daemon) works(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, max(within, 5*time.Second))
	defer cancel()
	if err := d.gw.Probe(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.open {
		at, ok := e.Listener.(*door)
		if !ok {
			continue
		}
		if gone := at.unattended(time.Now()); gone > unattendedMost {
			return fmt.Errorf("nobody has accepted at %s %s for %s", e.flag, e.Addr(), gone.Round(time.Second))
		}
	}
	return nil
}

// reloading tells the manager that the configuration is being read again, until done is called.
func (s service) reloading(log *slog.Logger) (done func()) {
	told(log, s.Reloading())
	return func() { told(log, s.Ready()) }
}

// stopping tells the manager that the gateway drains for so long.
func (s service) stopping(log *slog.Logger, drain time.Duration) {
	told(log, s.Stopping(drain+stopSlack))
	told(log, s.Status("draining"))
}
