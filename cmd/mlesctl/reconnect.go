package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"mles/v2"
)

const (
	connectTime = 10 * time.Second // bounds one attempt to connect and join
	briefly     = time.Second      // a server that said nothing, but for longer, had let us in
	lasting     = 30 * time.Second // after a connection that held this long the pauses are short again

	// refusalsMax refusals in a row end a session. One that was let in before
	// must bear some: a server may keep the place of a lost connection, 2.9.4
	// for about 96 s.
	refusalsMax = 10
)

// retryFlags say when to connect again.
type retryFlags struct {
	Retry       bool `help:"Keep trying also if the first attempt to connect fails."`
	NoReconnect bool `help:"End when the connection is lost."`
	Retries     int  `default:"-1" placeholder:"N" help:"Give up after N attempts in a row have failed (default: never)."`
}

// most is how many attempts in a row may fail; negative: any number.
func (r retryFlags) most() int {
	if r.NoReconnect {
		return 0
	}
	return r.Retries
}

// attempt is what became of one connection.
type attempt struct {
	in   bool  // the server let us in
	over bool  // run ends, with err
	err  error // nil only if over
}

// run keeps the member on the channel until ctx ends, finish was called,
// deliver returned an error, or it is hopeless. It is called once.
func (s *session) run(ctx context.Context) error {
	defer close(s.over)
	pauses := newPauses()
	var everIn bool
	var failures, refusals int
	for {
		began := time.Now()
		a := s.attempt(ctx, everIn)
		if a.over {
			return a.err
		}
		if a.in {
			everIn, failures, refusals = true, 0, 0
		} else {
			failures++
		}
		if isRefusal(a.err) {
			refusals++
		}
		if time.Since(began) >= lasting {
			pauses.reset()
		}
		if err := s.hopeless(a.err, everIn, failures, refusals); err != nil {
			return err
		}
		if err := s.pause(ctx, a.err, pauses.next()); err != nil {
			return err
		}
		if s.isLeaving() {
			return s.parting(nil)
		}
	}
}

// hopeless is not nil if there is no point in connecting again after err.
func (s *session) hopeless(err error, everIn bool, failures, refusals int) error {
	most := s.retry.most()
	switch {
	case !everIn && !s.retry.Retry, isRefusal(err) && refusals >= refusalsMax:
		return err
	case most < 0 || failures < most:
		return nil
	case isRefusal(err) || !everIn:
		return err
	}
	return unsatisfied("%w; giving up", err)
}

// parting is the end of a session that finishes: well, unless its connection
// broke or a message may be missing.
func (s *session) parting(broke error) error {
	n := s.undelivered()
	switch {
	case n > 0 && broke != nil:
		return unsatisfied("%w; up to %d messages may not have arrived", broke, n)
	case n > 0:
		return unsatisfied("the connection was lost in between; up to %d messages may not have arrived", n)
	}
	return broke
}

// pause waits before the next attempt, less if the session is to finish.
func (s *session) pause(ctx context.Context, after error, d time.Duration) error {
	s.notice(fmt.Sprintf("%v; trying again in %.1f s", after, d.Seconds()))
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.leaving:
	case <-time.After(d):
	}
	return nil
}

// attempt connects, joins and receives until that connection ends.
func (s *session) attempt(ctx context.Context, again bool) attempt {
	l, err := s.dial(ctx)
	if err != nil {
		return attempt{over: ctx.Err() != nil, err: err}
	}
	began := time.Now()
	if again {
		s.notice("connected again")
	}
	s.attach(l)
	heard, err, stopped := s.receive(ctx, l, again)
	end := l.ended(err)
	s.detach(end.how)
	defer l.close()
	switch {
	case stopped:
		return attempt{over: true, err: err}
	case ctx.Err() != nil:
		return attempt{over: true, err: ctx.Err()}
	case end.how == allDone:
		return attempt{over: true, err: s.parting(nil)}
	case end.how == denied:
		return attempt{over: s.isLeaving(), err: refused("%s: %s", s.server, end.why)}
	case s.isLeaving():
		return attempt{over: true, err: s.parting(unsatisfied("connection to %s lost: %s", s.server, end.why))}
	case !heard && time.Since(began) < briefly:
		return attempt{err: unreachable("cannot join at %s: %s", s.server, end.why)}
	default:
		return attempt{in: true, err: unsatisfied("connection to %s lost: %s", s.server, end.why)}
	}
}

// dial opens a link. Its errors are of the kinds unreachable and usage.
func (s *session) dial(ctx context.Context) (link, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	l, err := s.dialect.dial(ctx, first...)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, v2.ErrHello):
		return nil, usage("%w", err)
	}
	// Without the address, which stands there already.
	if answer, ok := errors.AsType[*v2.DialError](err); ok && answer.Status == 0 {
		err = answer.Err
	}
	if network, ok := errors.AsType[*net.OpError](err); ok {
		err = network
	}
	return nil, unreachable("cannot reach %s: %w%s", s.server, err, certificateHint(err))
}
