package bridge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"mles/bridge/bus"
)

const (
	dialTime    = 10 * time.Second // a name resolved, all its addresses tried, TLS
	refusedTime = 5 * time.Second  // closed within that, without a byte: refused
	stableTime  = 10 * time.Second // an uplink that lived so long was a good one
	lingerLink  = time.Second      // an uplink outlives the last member by that
	// longestCircle is the longest pause after a loop through a server that does
	// not tell of arrivals.
	longestCircle = 10 * time.Minute
	maxTried      = 4 // members whose first frames are tried in a row
)

// A peering keeps one channel connected to one upstream: it dials, arrives,
// settles, passes on what is said either way, and when the uplink is lost begins
// anew after a while.
type peering struct {
	u      *upstreams
	up     *upstream
	room   *room
	ctx    context.Context
	cancel context.CancelFunc

	// Guarded by upstreams.mu.
	active    bool   // run runs
	begun     bool   // … and has tried to connect
	owed      *guest // who said something and left before that
	dismissed bool   // the upstream is no longer configured

	// Guarded by upstreams.mu while not active, else of run.
	out     *feed // nil while nothing is heard from the bus
	met     bool  // has heard the channel before
	lost    bool  // something was said that the server may not have: remind it
	probes  bool  // arrives under the gateway's own name: see mapping.md, "Loops"
	looped  bool  // a loop was certain: others have heard what is said here by another way
	later   *backoff.ExponentialBackOff
	next    time.Time // not to be dialed before
	circles int       // how often it was closed because of loops that arrivals do not tell in time

	nudged chan struct{} // holds a token when somebody may have left
	first  chan struct{} // closed when the first attempt has come to something
	once   sync.Once

	knownMu sync.Mutex
	known   ledger
	// passedOn are the arrivals told here while an uplink settled that has not
	// come to its end: the next is not to tell them again.
	passedOn map[digest]bool
	before   *holding // what was here when the channel was first connected; of the passage that lives, or run

	mu     sync.Mutex
	state  peerState
	marked *marked // while it has arrived

	up1, down1 flow
}

func newPeering(u *upstreams, up *upstream, r *room) *peering {
	p := &peering{
		u: u, up: up, room: r,
		later: &backoff.ExponentialBackOff{
			InitialInterval: time.Second, RandomizationFactor: 0.3, Multiplier: 1.7, MaxInterval: time.Minute,
		},
		nudged: make(chan struct{}, 1),
		first:  make(chan struct{}),
	}
	p.later.Reset()
	p.ctx, p.cancel = context.WithCancel(u.ctx)
	p.become(stateConnecting, nil)
	return p
}

func (p *peering) nudge() {
	select {
	case p.nudged <- struct{}{}:
	default:
	}
}

// attach begins to hear what is said on the channel. past, if not nil, is given
// the history up to that moment.
func (p *peering) attach(past func([]bus.Event)) {
	p.detach()
	if past == nil {
		past = func(events []bus.Event) {
			if !p.met {
				p.before = p.weigh(events)
			}
			p.met = true
		}
	}
	o := &feed{seq: p.u.seq.Add(1), wake: make(chan struct{}, 1), cut: make(chan bus.Reason, 1)}
	m, err := p.u.g.bus.Join(bus.Join{
		Channel: p.room.name, Dialect: p.up.transport.dialect(), Sink: o, Quiet: true, History: past,
	})
	if err != nil {
		return // only an identity can be taken, and it has none
	}
	o.member, p.out = m, o
}

// detach stops hearing.
func (p *peering) detach() {
	if p.out != nil {
		p.out.member.Leave()
		p.out.drop(p.u.g.bus.Budget())
		p.out = nil
	}
}

// lose notes that what was said may not have come to the server.
func (p *peering) lose() {
	p.lost = true
	p.detach()
}

// run keeps the channel connected for as long as it is wanted. before is the
// peering of the channel that has to come to something first, so that of two
// upstreams that are the same bus the second is found out.
func (p *peering) run(before *peering) {
	if before != nil {
		select {
		case <-before.first:
		case <-p.ctx.Done():
		}
	}
	for !p.u.retire(p) {
		if !p.pause(time.Until(p.next)) {
			continue
		}
		started := time.Now()
		err := p.round()
		p.once.Do(func() { close(p.first) })
		if err == nil { // nobody is here any more
			p.next = time.Time{}
			continue
		}
		if time.Since(started) > stableTime && !errors.Is(err, errNotRead) && !errors.Is(err, errRefused) {
			p.later.Reset()
		}
		if !isLoop(err) {
			p.trust(time.Since(started))
		}
		p.failed(err)
	}
	p.become(stateWaiting, nil)
	p.once.Do(func() { close(p.first) })
}

// trust lets the uplink arrive under a member's name again, and remind the server,
// when the one before has lived long enough: after a doubt that was none, or a loop
// that is no more.
func (p *peering) trust(lived time.Duration) {
	if lived > loopMemory || lived > stableTime && !p.looped {
		p.probes, p.looped = false, false
	}
}

func isLoop(err error) bool {
	var loop *loopError
	return errors.As(err, &loop)
}

// loopMemory is how long an uplink must live for a loop before it to be forgotten.
const loopMemory = time.Hour

// failed notes why the channel is not connected and when to try again.
func (p *peering) failed(err error) {
	var loop *loopError
	var cannot *unjoinable
	pause := min(p.later.NextBackOff(), time.Minute)
	state := stateWaiting
	level := p.u.g.log.Warn
	switch {
	case errors.As(err, &loop) && !loop.certain:
		pause = time.Duration(rand.Int64N(int64(time.Second))) // one of several in a ring goes first
		level = p.u.g.log.Info
	case errors.As(err, &loop):
		if loop.circled { // where arrivals do not tell in time, each attempt costs something
			pause = min(time.Minute<<p.circles, longestCircle)
			p.circles = min(p.circles+1, 10)
		}
		p.u.loops.Add(1)
		p.looped = true
		state, p.lost = stateRefused, false // what was said has gone the other way
		p.detach()
	case errors.Is(err, errRefused):
		state = stateRefused
		p.lose()
	case errors.As(err, &cannot):
		state, pause = stateRefused, time.Minute
		p.lose()
	default:
		p.lose()
	}
	p.become(state, err)
	p.next = time.Now().Add(pause)
	if p.ctx.Err() == nil {
		level("upstream not connected", "upstream", p.up.URL, "channel", p.room.name, "reason", err, "again_in", pause.Round(time.Millisecond))
	}
}

// pause waits, and says whether that was to the end.
func (p *peering) pause(d time.Duration) bool {
	if d <= 0 {
		return p.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.nudged:
	case <-p.ctx.Done():
	}
	return false
}

// round tries to connect: with the first frames of some members, one after the
// other while they are refused, and then with the gateway's own name. It returns
// when the uplink that came of it has ended, with nil if nobody needed it any more.
func (p *peering) round() error {
	tried := make(map[string]bool)
	owed := p.u.begin(p)
	for {
		a := arrival{channel: p.room.name, uid: p.up.uid}
		if !p.probes && p.up.transport.borrows() && len(tried) < maxTried {
			if a.guest = p.u.candidate(p, tried); a.guest == nil && owed != nil && !tried[string(owed.first)] {
				a.guest = owed
			}
			if a.guest != nil {
				a.first = a.guest.first
			}
		}
		tried[string(a.first)] = true
		err := p.attempt(a)
		if errors.Is(err, errRefused) && a.first != nil && p.u.isWanted(p) {
			p.u.g.log.Info("upstream refused a first frame; trying another", "upstream", p.up.URL, "channel", p.room.name)
			continue
		}
		return err
	}
}

// attempt dials once, or twice if the arrival can be written in two forms, and
// lives with the uplink.
func (p *peering) attempt(a arrival) error {
	for {
		s, err := p.arrive(a)
		if err != nil {
			return err
		}
		err = s.live()
		r, can := s.link.(respeller)
		if !errors.Is(err, errRefused) || a.respelled || !can || !r.respellable() {
			return err
		}
		a.respelled = true
	}
}

// arrive dials and joins the channel there. Only so many do that with one upstream
// at a time.
func (p *peering) arrive(a arrival) (*passage, error) {
	p.become(stateConnecting, nil)
	select {
	case p.up.slots <- struct{}{}:
		defer func() { <-p.up.slots }()
	case <-p.ctx.Done():
		return nil, p.ctx.Err()
	}
	ctx, cancel := context.WithTimeout(p.ctx, dialTime)
	defer cancel()
	started := time.Now()
	link, err := p.up.transport.dial(ctx, a.channel)
	dialed := time.Since(started)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(p.ctx, func() { link.close("") })
	defer stop()
	budget := p.u.g.bus.Budget()
	var held int64
	if p.lost || p.out == nil {
		p.attach(func(past []bus.Event) {
			if p.lost && !p.probes && p.up.transport.reminds() {
				a.history, held = p.recall(past)
			}
		})
	}
	budget.Add(held)
	defer budget.Add(-held)
	s := newPassage(p, link)
	s.dialed = dialed
	p.out.begin(a.guest)
	p.knownMu.Lock()
	p.known.connected()
	p.knownMu.Unlock()
	slow := time.AfterFunc(dialTime+time.Duration(held/paceBytes)*paceTime, func() { link.close("") })
	a.announce = func(mk mark) {
		p.arriving(a, mk)
		p.announce(mk, s)
	}
	err = link.arrive(a)
	inTime := slow.Stop()
	if err != nil {
		link.close("")
		p.retract()
		if !inTime {
			return nil, errNotRead
		}
		if isClosed(err) && p.ctx.Err() == nil {
			return nil, fmt.Errorf("%w: %w", errRefused, err)
		}
		return nil, fmt.Errorf("arriving: %w", err)
	}
	p.become(stateSettling, nil)
	return s, nil
}

// passesOn notes that an arrival is told here while an uplink settles, and says
// whether that is the first time since one has settled.
func (p *peering) passesOn(d digest) bool {
	p.knownMu.Lock()
	defer p.knownMu.Unlock()
	if p.passedOn[d] {
		return false
	}
	if p.passedOn == nil || len(p.passedOn) == maxTraces {
		p.passedOn = make(map[digest]bool)
	}
	p.passedOn[d] = true
	return true
}

// arriving notes what the server is sent with an arrival.
func (p *peering) arriving(a arrival, mk mark) {
	p.knownMu.Lock()
	defer p.knownMu.Unlock()
	if mk.sent == nil {
		return
	}
	t := p.up.transport
	_, d, _, arrives := t.inspect(mk.sent)
	first := trace{d, arrives}
	p.known.wrote(first)
	if len(a.history) == 0 {
		return
	}
	offered := []trace{first}
	for _, f := range a.history {
		for len(f) > 0 {
			n, d, _, arrives := t.inspect(f)
			offered = append(offered, trace{d, arrives})
			f = f[n:]
		}
	}
	p.known.offers(offered)
}

// recall writes down what the server is reminded of: the newest of the past, as
// much as one frame can hold.
func (p *peering) recall(past []bus.Event) (frames [][]byte, size int64) {
	d, c := p.up.transport.dialect(), codec{joins: p.u.g.conf.V2Joins, identity: p.u.g.identity}
	first := len(past)
	for ; first > 0; first-- {
		n := int64(c.Size(d, p.room.name, &past[first-1], true))
		if size+n > maxFrame {
			break
		}
		size += n
	}
	for i := range past[first:] {
		if f := c.Append(nil, d, p.room.name, &past[first+i], true); len(f) > 0 {
			frames = append(frames, f)
		}
	}
	return frames, size
}

// sentUp counts what has gone to the server.
func (p *peering) sentUp(messages, bytes int) {
	p.up1.add(messages, bytes)
	p.u.up.add(messages, bytes)
}

// cameDown counts what came from it.
func (p *peering) cameDown(messages, bytes int) {
	p.down1.add(messages, bytes)
	p.u.down.add(messages, bytes)
}
