package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// session is one member of one channel over as many connections as it takes.
//
// run owns connecting, receiving and reconnecting; send and finish are called
// beside it. What is handed to deliver is handed to it once: what a server
// replays after a reconnect is lined up with what was there before (see tail).
type session struct {
	// Fixed before run.
	dialect dialect
	server  string            // its address, for people
	retry   retryFlags        //
	deliver func(event) error // gets each event, from run's goroutine; an error ends run, with it
	notice  func(string)      // gets what a person should know, from run's goroutine

	mu       sync.Mutex
	link     link          // nil while not connected
	changed  chan struct{} // closed and replaced when link changes
	first    [][]byte      // messages that go with the next join; nil once they have gone
	unsure   [][]byte      // messages written to link, which may still turn out to be refused
	heard    bool          // link has shown something: it is not refused
	unproven int           // messages written to link: only leaving it well proves them delivered
	lost     int           // messages written to links that broke
	written  int           // messages written to any link
	tail     *tail

	leaving chan struct{} // closed by finish
	over    chan struct{} // closed when run returns
}

// errOver is what send returns when run has returned, whose error says why.
var errOver = errors.New("the session is over")

// unsureMax bounds what is kept of messages in case that the connection turns
// out to be refused, in bytes. They are written while joining, when nobody may
// be reading at the other end.
const unsureMax = 32 << 10

// newSession makes a session that joins with the messages of first, if any.
func newSession(d dialect, server string, retry retryFlags, first ...[]byte) *session {
	return &session{
		dialect: d,
		server:  server,
		retry:   retry,
		deliver: func(event) error { return nil },
		notice:  func(string) {},
		first:   first,
		changed: make(chan struct{}),
		leaving: make(chan struct{}),
		over:    make(chan struct{}),
		tail:    newTail(),
	}
}

// tooLarge is a message that no frame holds, or more input than a message is.
type tooLarge struct{ most int }

func (e *tooLarge) Error() string {
	return fmt.Sprintf("too large: a message has %d bytes at most", e.most)
}

// check tells whether message can be sent at all.
func (s *session) check(message []byte) error {
	if most := s.dialect.maxMessage(); len(message) > most {
		return &tooLarge{most}
	}
	return nil
}

// send writes a message to the present connection, or to the next one if there
// is none or it fails. It returns once one has taken it; a *tooLarge at once.
func (s *session) send(ctx context.Context, message []byte) error {
	if err := s.check(message); err != nil {
		return err
	}
	for {
		l, changed := s.current()
		if l != nil && l.send(message) == nil {
			s.said(l, message)
			return nil
		}
		select {
		case <-changed:
		case <-s.over:
			return errOver
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// joined waits for a connection.
func (s *session) joined(ctx context.Context) error {
	for {
		l, changed := s.current()
		if l != nil {
			return nil
		}
		select {
		case <-changed:
		case <-s.over:
			return errOver
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// finish makes run return once the server has everything that was sent, or
// when that cannot be known within the given time. It does not wait for run. It
// is called once, after joined and all send.
func (s *session) finish(within time.Duration) {
	close(s.leaving)
	l, changed := s.current()
	if l == nil {
		return // run sees to it
	}
	if s.isUnproven() {
		wait(l.settles(), changed)
	}
	if l.leave() != nil || !wait(within, changed) {
		l.close()
	}
}

// isLeaving tells whether finish was called.
func (s *session) isLeaving() bool {
	select {
	case <-s.leaving:
		return true
	default:
		return false
	}
}

// wait waits for d, less if the channel is closed before, which it tells.
func wait(d time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}

// current is the present connection, if any, and what is closed when that
// changes.
func (s *session) current() (link, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link, s.changed
}

// attach makes l the present connection. The first messages have gone with it.
func (s *session) attach(l link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link, s.unproven, s.unsure, s.heard = l, 0, nil, false
	for _, message := range s.first {
		s.record(message)
	}
	s.first = nil
	close(s.changed)
	s.changed = make(chan struct{})
}

// detach says that there is no connection any more, and how it ended. What was
// written to one that was refused goes with the next join: with a server that
// holds the place of a connection that was lost, that happens.
func (s *session) detach(end outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case end == denied && !s.heard:
		s.first = s.unsure
		s.lost += s.unproven - len(s.unsure)
	case end != allDone:
		s.lost += s.unproven
	}
	s.link, s.unproven, s.unsure = nil, 0, nil
	close(s.changed)
	s.changed = make(chan struct{})
}

// said records that message was written to l.
func (s *session) said(l link, message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written++
	if s.link == l {
		s.record(message)
	} else {
		s.lost++ // it has just ended
	}
}

// record notes a message that was written to the present connection. The caller
// holds mu.
func (s *session) record(message []byte) {
	s.tail.said(s.dialect.sent(message))
	s.unproven++
	if s.heard {
		s.unsure = nil
		return
	}
	size := len(message)
	for _, m := range s.unsure {
		size += len(m)
	}
	if size <= unsureMax && len(s.unsure) == s.unproven-1 {
		s.unsure = append(s.unsure, message)
	}
}

// saw records what is about to be delivered.
func (s *session) saw(e event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = true
	s.tail.saw(e)
}

// news picks from a replay what was not delivered before.
func (s *session) news(replay []event) []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tail.news(replay)
}

// sends is how many messages send has written, less those to be written again.
func (s *session) sends() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written - len(s.first)
}

// isUnproven tells whether anything was written to the present connection.
func (s *session) isUnproven() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unproven > 0
}

// undelivered is how many messages the server may not have.
func (s *session) undelivered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost + len(s.first)
}
