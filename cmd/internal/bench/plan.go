package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"mles/cmd/internal/bench/floor"
)

// Mode is what is measured.
type Mode string

const (
	Fanout  Mode = "fanout"  // deliveries a second in a flood
	Latency Mode = "latency" // from intended send times, at a fixed rate
	Hello   Mode = "hello"   // until the last of many receivers has one message of a newcomer
	Idle    Mode = "idle"    // memory a connection
	Storm   Mode = "storm"   // joins a second
	Slow    Mode = "slow"    // a flood while some members have stopped reading
	Replay  Mode = "replay"  // history to joiners
)

// Load is how much of it. What a mode does not need is not looked at.
type Load struct {
	Channels int           `json:"channels"`            // each with its own members
	Subs     int           `json:"subscribers"`         // of each channel: Fanout, Latency, Hello, Slow
	Pubs     int           `json:"publishers"`          // of each channel: Fanout, Latency, Slow
	Size     int           `json:"size"`                // bytes of a message, MinSize at least
	Messages int           `json:"messages,omitempty"`  // of each publisher; Replay: of each history. 0: by Duration
	Duration time.Duration `json:"duration_ns"`         // how long publishers send
	Rate     float64       `json:"rate,omitempty"`      // messages a second of each publisher: Latency
	Batch    int           `json:"batch,omitempty"`     // bytes that a flooding publisher writes at once
	Members  int           `json:"members,omitempty"`   // Idle: in all; Storm: joins in all; Replay: joiners of each channel
	Rounds   int           `json:"rounds,omitempty"`    // Hello
	Stopped  int           `json:"stopped,omitempty"`   // Slow: members of each channel who never read, besides Subs
	Parallel int           `json:"parallel,omitempty"`  // Storm, Replay: joiners at a time
	Settle   time.Duration `json:"settle_ns,omitempty"` // Idle: before memory is read
}

// ErrLoad is a load that a mode cannot do anything with.
var ErrLoad = errors.New("the load does not fit")

func (l Load) check(mode Mode) error {
	if err := l.lacks(mode); err != nil {
		return fmt.Errorf("%w: %w", ErrLoad, err)
	}
	return nil
}

func (l Load) lacks(mode Mode) error {
	switch {
	case l.Size < MinSize || l.Size > 8<<20:
		return fmt.Errorf("a message has %d … %d bytes", MinSize, 8<<20)
	case l.Channels < 1 || l.Subs < 1 || l.Pubs < 1:
		return errors.New("there is at least one channel, subscriber and publisher")
	case l.Channels*l.Pubs >= proberNumber:
		return fmt.Errorf("at most %d publishers", proberNumber-1)
	case (mode == Fanout || mode == Slow) && l.Messages == 0 && l.Duration <= 0:
		return errors.New("a flood needs messages or a duration")
	case mode == Latency && l.Rate <= 0:
		return errors.New("latency needs a rate")
	case mode == Replay && l.Messages < 1:
		return errors.New("replay needs messages")
	case (mode == Idle || mode == Storm || mode == Replay) && l.Members < 1:
		return fmt.Errorf("%s needs members", mode)
	case (mode == Storm || mode == Replay) && l.Parallel < 1:
		return fmt.Errorf("%s needs joiners at a time", mode)
	case mode == Hello && l.Rounds < 1:
		return errors.New("hello needs rounds")
	}
	return nil
}

// Plan is a whole measurement: a server, what it is compared with, and how often.
type Plan struct {
	Mode     Mode
	Load     Load
	Subject  Contestant
	Rivals   []Contestant
	Floor    *floor.Process // nil: not compared with
	Runs     int            // of each
	Pause    time.Duration  // between two runs
	Patience time.Duration  // without anything moving, until a run is given up
	// Progress is told what is going on some times a second; may be nil.
	Progress func(Progress)
}

// Progress is how far a measurement has come.
type Progress struct {
	Run, Runs int // from 1, over all entries
	Name      string
	Moved     int64 // messages received and connections made in this run
}

// entry is one column: a contestant, and the load it gets.
type entry struct {
	who  Contestant
	load Load
}

// weightless are the modes in which the floor has no part: a copy server is
// stopped by the first stopped reader.
func (m Mode) weightless() bool { return m == Slow }

// entries lists who runs: the subject first.
func (p *Plan) entries() ([]entry, error) {
	es := []entry{{p.Subject, p.Load}}
	if p.Mode == Slow {
		without := entry{p.Subject, p.Load}
		without.who.Name, without.load.Stopped = "none stopped", 0
		es = append(es, without)
	}
	if p.Floor != nil && !p.Mode.weightless() {
		who, size, err := p.floor()
		if err != nil {
			return nil, err
		}
		load := p.Load
		load.Size = size
		es = append(es, entry{who, load})
	}
	for _, r := range p.Rivals {
		es = append(es, entry{r, p.Load})
	}
	return es, nil
}

// floor is the floor as a contestant, and the size of its messages: as much as
// one message of the subject's takes on the wire to a subscriber, TLS apart.
func (p *Plan) floor() (Contestant, int, error) {
	w, err := wireOf(p.Subject.Sub.Dialect)
	if err != nil {
		return Contestant{}, 0, err
	}
	target := func(t Target) Target {
		if t.TLS == nil {
			return Target{Dialect: Raw, Addr: p.Floor.Plain}
		}
		conf := t.TLS.Clone()
		conf.ServerName, conf.RootCAs, conf.NextProtos = "localhost", p.Floor.Roots, nil
		return Target{Dialect: Raw, Addr: p.Floor.TLS, TLS: conf}
	}
	who := Contestant{
		Name:     "floor",
		Pub:      target(p.Subject.Pub),
		Sub:      target(p.Subject.Sub),
		Messages: p.Subject.Messages,
		Collect:  p.Floor.Collect,
	}
	if p.Floor.PID != 0 {
		who.PIDs = []int{p.Floor.PID}
	}
	return who, w.weight(uidOf(0), channelOf(0, 0), p.Load.Size), nil
}

// Run measures. An error of one run is in the report; Run itself fails if the plan
// does not fit or ctx ends.
func Run(ctx context.Context, p Plan) (*Report, error) {
	if err := p.Load.check(p.Mode); err != nil {
		return nil, err
	}
	es, err := p.entries()
	if err != nil {
		return nil, err
	}
	r := p.newReport(es)
	var sources atomic.Uint32
	n := 0
	for run := range p.Runs {
		for i := range es {
			// Each run begins with another one.
			i := (i + run) % len(es)
			n++
			s, err := p.one(ctx, es[i], &sources, Progress{Run: n, Runs: p.Runs * len(es), Name: es[i].who.Name})
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			r.add(i, run, s, err)
		}
	}
	r.finish()
	return r, nil
}

func (p *Plan) one(ctx context.Context, e entry, sources *atomic.Uint32, at Progress) (*Sample, error) {
	t := newTrial(ctx, p.Mode, e.who, e.load, sources)
	tell := func(moved int64) {
		if p.Progress != nil {
			at.Moved = moved
			p.Progress(at)
		}
	}
	tell(0)
	s, err := t.run(p.Patience+p.Load.Settle, tell)
	select {
	case <-time.After(p.Pause):
	case <-ctx.Done():
	}
	return s, err
}
