package main

import (
	"context"
	"time"
)

const (
	replayPause = 300 * time.Millisecond // nothing for so long: the replay is over
	replayTime  = 3 * time.Second        // or it lasts for so long
)

// receive delivers what comes over l until it ends. The error is that of l, or,
// if stopped, that of deliver.
func (s *session) receive(ctx context.Context, l link, replayed bool) (heard bool, err error, stopped bool) {
	defer context.AfterFunc(ctx, l.close)()
	events := make(chan event, 64)
	failed := make(chan error, 1)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		failed <- pump(l, events, stop)
		close(events)
	}()
	if replayed {
		replay := collect(events)
		heard = len(replay) > 0
		if err := s.pass(s.news(replay)); err != nil {
			return heard, err, true
		}
	}
	for e := range events {
		heard = true
		if err := s.pass([]event{e}); err != nil {
			return heard, err, true
		}
	}
	return heard, <-failed, false
}

// pump moves events from l into the channel until l ends or stop is closed.
func pump(l link, events chan<- event, stop <-chan struct{}) error {
	for {
		e, err := l.recv()
		if err != nil {
			return err
		}
		select {
		case events <- e:
		case <-stop:
			return errOver
		}
	}
}

// pass records and delivers.
func (s *session) pass(events []event) error {
	for _, e := range events {
		s.saw(e)
		if err := s.deliver(e); err != nil {
			return err
		}
	}
	return nil
}

// collect takes what a server replays to a joiner, who is not told where it
// ends: it comes in one go, so a pause is its end, or so is a fair time.
func collect(events <-chan event) (replay []event) {
	end := time.After(replayTime)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return replay
			}
			replay = append(replay, e)
		case <-time.After(replayPause):
			return replay
		case <-end:
			return replay
		}
	}
}
