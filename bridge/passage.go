package bridge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mles/bridge/bus"
	"mles/v1"
)

const (
	// An uplink settles when the server has been silent for settleQuiet, after
	// settleTime at the latest; while all that comes is known already, as a
	// long history is that comes slowly, after settleMost.
	settleQuiet = 300 * time.Millisecond
	settleTime  = time.Second
	settleMost  = 30 * time.Second
	// settleFar is how long at most the first of a history is waited for where
	// the server is far away.
	settleFar = 5 * time.Second
	// holdTime is how much longer what is said here waits, so that the arrivals
	// of others who settle have come round by then.
	holdTime = 300 * time.Millisecond

	maxFrame = v1.HeaderLen + v1.MaxBody
	// maxReplay bounds in bytes what is collected while an uplink settles.
	maxReplay = 32 << 20
)

var (
	// errRefused: the server closed the connection without a byte.
	errRefused = errors.New("first frame refused")
	// errNotRead: the server does not read what it is sent.
	errNotRead = errors.New("not read by the server")
)

// A passage is the life of one uplink that has arrived. While it settles, what
// comes is collected, to be aligned with what is known, and what is said here
// waits.
type passage struct {
	p      *peering
	link   uplink
	out    *feed
	since  time.Time
	dialed time.Duration // how long it took to connect

	running bool // has settled; of watch

	stop    chan struct{}   // closed when nothing is to be sent any more
	open    chan struct{}   // closed when what is said here goes up
	looped  chan *loopError // takes one
	halted  atomic.Bool     // set with looped: nothing is passed on any more
	idle    atomic.Bool     // everything has been sent
	doubt   atomic.Int32
	reached atomic.Bool // a member's first frame was this uplink's arrival
	spilled atomic.Bool // more was sent than can be sent again
	heard   atomic.Bool // something has come

	mu        sync.Mutex
	settled   bool
	full      bool
	last      time.Time // when something came
	known     bool      // the last that came was known already
	collected []bus.Event
	traces    []trace
	passed    int // of collected, published at once
	size      int64

	// there counts what the server had already, where it may have come there by
	// another way; fixed once open.
	there map[digest]int
}

func newPassage(p *peering, link uplink) *passage {
	now := time.Now()
	return &passage{
		p: p, link: link, out: p.out, since: now, last: now,
		stop: make(chan struct{}), open: make(chan struct{}), looped: make(chan *loopError, 1),
	}
}

// live passes on what is said, either way, until the uplink ends or is not needed
// any more, and says why; nil for the latter.
func (s *passage) live() error {
	read, sent := make(chan error, 1), make(chan error, 1)
	go func() { read <- s.hear() }()
	go func() { sent <- s.send() }()
	err := s.watch(read, sent)
	close(s.stop)
	select {
	case <-time.After(time.Second):
	case e := <-sent: // a frame under way is sent to its end
		sent <- e
	}
	s.link.close("")
	s.p.retract()
	<-sent
	<-read
	err = s.verdict(err)
	s.finish(err)
	return err
}

// watch waits for the end and does what is due meanwhile.
func (s *passage) watch(read, sent chan error) error {
	p := s.p
	due := time.NewTimer(settleQuiet)
	defer due.Stop()
	linger := time.NewTimer(lingerLink)
	defer linger.Stop()
	for {
		select {
		case err := <-read:
			read <- err
			return err
		case err := <-sent:
			sent <- err
			return err
		case why := <-s.out.cut:
			return fmt.Errorf("%w: %s", errNotRead, why)
		case loop := <-s.looped:
			return loop
		case <-due.C:
			if d := s.due(); d > 0 {
				due.Reset(d)
			}
		case <-p.nudged:
			linger.Reset(lingerLink)
		case <-linger.C:
			if p.u.isWanted(p) {
				break
			}
			if s.isOpen() && s.idle.Load() {
				return nil
			}
			linger.Reset(lingerLink)
		case <-p.ctx.Done():
			return nil
		}
	}
}

// verdict is what the end of an uplink means.
func (s *passage) verdict(err error) error {
	select {
	case loop := <-s.looped:
		err = loop // whatever it ended with
	default:
	}
	if err == nil {
		return nil
	}
	if !s.heard.Load() && time.Since(s.since) < refusedTime && isClosed(err) {
		err = fmt.Errorf("%w: closed without a byte", errRefused)
	}
	if s.reached.Load() && errors.Is(err, errRefused) {
		err = &loopError{way: "its own listener: the server is this gateway, or behind it", certain: true}
	}
	var loop *loopError
	refused := errors.Is(err, errRefused) && !s.spilled.Load()
	if s.isOpen() && !refused && !errors.As(err, &loop) {
		s.p.lost = true // part of it may not have arrived
	}
	if errors.As(err, &loop) {
		s.p.probes = true
	}
	return err
}

// isClosed says whether the other side has ended a connection.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrClosedPipe)
}

func (s *passage) isOpen() bool {
	select {
	case <-s.open:
		return true
	default:
		return false
	}
}

// due does what is due by now, and says in how long to ask again.
func (s *passage) due() time.Duration {
	if !s.running {
		s.mu.Lock()
		if d := s.settlesIn(time.Now()); d > 0 && !s.settled {
			s.mu.Unlock()
			return d
		}
		s.settle()
		s.mu.Unlock()
		s.running = true
		s.p.once.Do(func() { close(s.p.first) })
		s.p.become(stateRunning, nil)
		return holdTime
	}
	if s.isOpen() {
		s.out.Wake(nil) // what is kept for another arrival can go
		return 0
	}
	if r, ok := s.link.(respeller); ok {
		r.accepted()
	}
	s.p.lost = false
	close(s.open)
	level := s.p.u.g.log.Debug
	if s.p.status().Reason != "" {
		level = s.p.u.g.log.Info // somebody has read that it was not
	}
	level("upstream connected", "upstream", s.p.up.URL, "channel", s.p.room.name)
	return time.Until(s.since.Add(refusedTime))
}

// taken says whether the server has certainly taken the arrival: a refusal would
// have come by now, and without a byte before it.
func (s *passage) taken() bool { return s.heard.Load() || time.Since(s.since) >= refusedTime }

// settlesIn says how long the uplink is still settling, at least.
func (s *passage) settlesIn(now time.Time) time.Duration {
	if s.full {
		return 0
	}
	patience := settleQuiet
	if len(s.traces) == 0 { // the first of it takes as long as the connecting did
		patience = max(patience, min(3*s.dialed, settleFar))
	}
	quiet := s.last.Add(patience)
	by := s.since.Add(max(settleTime, patience))
	if s.known && now.After(by) {
		by = s.since.Add(settleMost)
	}
	if quiet.Before(by) {
		by = quiet
	}
	return by.Sub(now)
}

// settle publishes what is new of what was collected, once. The caller holds mu.
func (s *passage) settle() {
	if s.settled {
		return
	}
	p := s.p
	here := p.before
	if p.before = nil; p.probes && len(s.traces) > 0 {
		here = p.holding() // part of it may have come by another way
	}
	p.knownMu.Lock()
	isNew := p.known.align(s.traces, time.Since(s.last) >= settleQuiet)
	here.sift(s.traces, isNew)
	if p.probes {
		s.there = make(map[digest]int)
		for _, t := range s.traces {
			s.there[t.digest]++
		}
	}
	fresh := s.collected[:0]
	for i, e := range s.collected {
		if (isNew[i] || e.Join && e.Op == opGateway) && i >= s.passed {
			fresh = append(fresh, e)
		}
	}
	p.passedOn = nil
	p.knownMu.Unlock()
	s.settled = true
	if l, ok := s.link.(settler); ok {
		l.settled()
	}
	for len(fresh) > 0 {
		n, size := 0, 0
		for ; n < len(fresh) && (n == 0 || size < maxHeld); n++ {
			size += len(fresh[n].Data) + len(fresh[n].Message)
		}
		s.publish(fresh[:n])
		fresh = fresh[n:]
	}
	s.forget()
}

// forget gives back what was collected. The caller holds mu.
func (s *passage) forget() {
	s.p.u.g.bus.Budget().Add(-s.size)
	s.collected, s.traces, s.size, s.passed = nil, nil, 0, 0
}

// finish is for an uplink that has ended, perhaps before it settled. What has come
// round is not published.
func (s *passage) finish(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var loop *loopError
	if !errors.As(why, &loop) {
		s.settle()
		return
	}
	s.settled = true
	s.forget()
}

// hear takes what comes until the uplink ends.
func (s *passage) hear() error {
	for {
		events, err := s.link.read()
		if err != nil {
			return err
		}
		s.heard.Store(true)
		if s.take(events); s.halted.Load() {
			return errHalted
		}
	}
}

// errHalted ends what a passage does when it is part of a loop.
var errHalted = errors.New("loop")

func (s *passage) take(events []bus.Event) {
	p := s.p
	size := 0
	for i := range events {
		size += len(events[i].Data) + len(events[i].Message)
	}
	p.cameDown(len(events), size)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range events {
		p.u.sees(p.room.name, &events[i], way{name: p.up.URL, peering: p, replay: !s.settled, retold: s.retold(&events[i])})
	}
	if s.halted.Load() {
		return
	}
	for !s.settled && len(events) > 0 {
		s.last = time.Now()
		s.collect(&events[0])
		events = events[1:]
	}
	if len(events) == 0 {
		return
	}
	p.knownMu.Lock()
	fresh := events[:0]
	for i := range events {
		if p.known.heard(s.trace(&events[i])) {
			fresh = append(fresh, events[i])
		}
	}
	p.knownMu.Unlock()
	p.u.brakes(p, fresh)
	if wait := s.out.member.Publish(fresh); wait != nil {
		s.link.rest()
		s.wait(wait)
	}
}

// retold says whether an arrival that is replayed has been told before.
func (s *passage) retold(e *bus.Event) bool {
	if s.settled || !e.Join {
		return false
	}
	s.p.knownMu.Lock()
	defer s.p.knownMu.Unlock()
	return s.p.known.knows(s.trace(e).digest)
}

// collect keeps what comes while the uplink settles, except that arrivals which
// nobody knows go on at once as long as nothing waits before them: they may be
// another gateway's, which must come round before anything else does. The caller
// holds mu.
func (s *passage) collect(e *bus.Event) {
	t := s.trace(e)
	s.p.knownMu.Lock()
	s.known = s.p.known.knows(t.digest)
	s.p.knownMu.Unlock()
	if s.passed == len(s.collected) && t.arrival && (!s.known || e.Op == opGateway) {
		if s.p.passesOn(t.digest) || e.Op == opGateway {
			s.publish([]bus.Event{*e})
		}
		s.passed++
	}
	c := *e
	c.Data, c.Message = bytes.Clone(e.Data), bytes.Clone(e.Message)
	n := int64(len(c.Data) + len(c.Message) + len(c.UID) + eventCost)
	s.collected, s.traces = append(s.collected, c), append(s.traces, t)
	s.size += n
	s.p.u.g.bus.Budget().Add(n)
	if s.size > min(maxReplay, s.p.u.g.bus.Budget().Limit()/8) {
		s.full = true
		s.settle()
	}
}

func (s *passage) trace(e *bus.Event) trace {
	return trace{s.p.up.transport.digest(e), e.Join && len(e.Message) == 0}
}

// eventCost is about what an event takes besides its bytes.
const eventCost = 128

// publish puts events on the channel here, and waits as long as its readers cannot
// keep up: meanwhile nothing is read from the server. The caller holds mu.
func (s *passage) publish(events []bus.Event) { s.wait(s.out.member.Publish(events)) }

func (s *passage) wait(until <-chan struct{}) {
	for ; until != nil; until = s.out.member.Publish(nil) { // others may have gone on first
		select {
		case <-until:
		case <-s.stop:
			return
		case <-s.p.ctx.Done():
			return
		}
	}
}
