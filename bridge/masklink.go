package bridge

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"mles/bridge/bus"
	"mles/v1"
)

// maskLinks links the channels that are joined over WebSocket to their masked
// twins; see mapping.md, "The mask of mles-webproxy".
type maskLinks struct {
	g *Gateway

	ended sync.WaitGroup // sides that run

	mu     sync.Mutex
	closed bool
	plain  map[string]*maskLink // by the plain name
	masked map[string]*maskLink // by the masked one
}

func newMaskLinks(g *Gateway) *maskLinks {
	return &maskLinks{g: g, plain: make(map[string]*maskLink), masked: make(map[string]*maskLink)}
}

// maskLinkCost is about what a link takes, in bytes.
const maskLinkCost = 3 << 10

// A maskLink passes on what is said on a channel to its masked twin, and back, for
// as long as both are remembered or one of them has members.
type maskLink struct {
	links *maskLinks
	mask  *v1.Mask
	sides [2]*maskSide // plain, masked
	once  sync.Once    // opens it
	ready chan struct{}
}

// A maskSide is a link's relay on one of the two channels.
type maskSide struct {
	link    *maskLink
	channel string
	masks   bool // what it reads here is to be masked; else unmasked
	twin    *maskSide

	// Of whoever runs it, before ready of whoever opens the link.
	member *bus.Member
	heard  uint32 // ordinal of the last event that the twin has been given
	begun  []byte // of an event that is given out in pieces
	counts int    // bytes of that in the budget

	voiceMu sync.Mutex                 // held while the voice is changed or used
	voice   atomic.Pointer[bus.Member] // what the twin publishes by; nil before the link is opened and once it has ended

	mu      sync.Mutex
	running bool
	again   bool // woken while running
	cut     bus.Reason
}

// get returns the link of a channel, opened. It is nil where there is none: the
// name is too long to be masked, or the channel is the masked one of another link.
func (k *maskLinks) get(channel string) *maskLink {
	if len(channel) > v1.MaxMaskedName {
		return nil
	}
	k.mu.Lock()
	l := k.plain[channel]
	if l == nil && k.masked[channel] == nil && !k.closed {
		l = &maskLink{links: k, mask: v1.NewMask(channel), ready: make(chan struct{})}
		plain := &maskSide{link: l, channel: channel, masks: true}
		masked := &maskSide{link: l, channel: l.mask.Masked(), twin: plain}
		plain.twin = masked
		l.sides = [2]*maskSide{plain, masked}
		k.plain[channel], k.masked[masked.channel] = l, l
		k.g.bus.Budget().Add(maskLinkCost)
	}
	k.mu.Unlock()
	if l != nil {
		l.once.Do(l.open)
	}
	return l
}

// renew has the channel linked where it should be: by another link, if the one that
// there is has been told, or is about to be, that one of its channels is forgotten.
func (k *maskLinks) renew(channel string) {
	if l := k.get(channel); l != nil && l.over() {
		l.end()
		k.get(channel)
	}
}

// over says whether one of the channels has been forgotten.
func (l *maskLink) over() bool {
	return slices.ContainsFunc(l.sides[:], func(s *maskSide) bool {
		m := s.voice.Load()
		if m == nil {
			return true
		}
		_, present := m.Usage()
		return !present
	})
}

// open joins both channels, and brings their histories together.
func (l *maskLink) open() {
	var past [2][]byte
	for i, s := range l.sides {
		past[i] = s.join("")
	}
	past[0], past[1] = l.unshared(past[0], past[1])
	for i, s := range l.sides {
		s.pass(past[i])
	}
	close(l.ready)
}

// end takes the link out of both channels, one of which has been forgotten. Who
// joins the plain one then makes another, and who has joined it meanwhile, by this
// one, is given another.
func (l *maskLink) end() {
	k := l.links
	k.mu.Lock()
	known := k.plain[l.mask.Plain()] == l
	if known {
		delete(k.plain, l.mask.Plain())
		delete(k.masked, l.mask.Masked())
	}
	k.mu.Unlock()
	if !known {
		return
	}
	k.g.bus.Budget().Add(-maskLinkCost)
	for _, s := range l.sides {
		s.voiceMu.Lock()
		m := s.voice.Swap(nil)
		s.voiceMu.Unlock()
		if m != nil {
			m.Leave()
		}
	}
	if k.wanted(l.mask.Plain()) {
		k.get(l.mask.Plain())
	}
}

// wanted says whether anybody is on a channel over WebSocket.
func (k *maskLinks) wanted(channel string) bool {
	c, _ := k.g.bus.Census(channel)
	return slices.ContainsFunc(c.Members, func(m *bus.Member) bool {
		return m.Dialect() == onV2 || m.Dialect() == onV1WS
	})
}

// join makes the side a relay on its channel, in place of the one it was, and returns
// what the channel remembers and the twin has not been given.
func (s *maskSide) join(why bus.Reason) (past []byte) {
	s.voiceMu.Lock()
	defer s.voiceMu.Unlock()
	old := s.member
	if old != nil && s.voice.Load() == nil {
		return nil // it has ended
	}
	c := codec{counters: &s.link.links.g.counters}
	remembered := 0
	m, err := s.link.links.g.bus.Join(bus.Join{
		Channel: s.channel,
		Dialect: onMask,
		Sink:    s,
		Quiet:   true,
		Relay:   func() bool { return s.twin.audible() },
		History: func(events []bus.Event) {
			for i := range events {
				e := &events[i]
				if old == nil || int32(e.Ordinal-s.heard) > 0 && !(e.From == onV1 && e.Op == relayed) {
					remembered++
					past = c.Append(past, onMask, s.channel, e, true)
				}
			}
		},
	})
	if err != nil {
		return nil // cannot be: it competes with nobody
	}
	if old != nil {
		old.Leave()
		if missed := int32(m.Start() - s.heard); missed > 0 {
			s.link.links.g.log.Warn("a link to the masked channel was cut and has been made anew; what the channel does not remember is lost there",
				"channel", s.channel, "reason", string(why), "said_meanwhile", missed, "remembered", remembered)
		}
	}
	s.member, s.heard = m, m.Start() // what was before is in past
	s.voice.Store(m)
	return past
}

// audible says whether what the twin reads reaches anybody here.
func (s *maskSide) audible() bool {
	m := s.voice.Load()
	return m != nil && m.Heard()
}

// Wake implements [bus.Sink].
func (s *maskSide) Wake(*bus.Member) { s.start("") }

// Cut implements [bus.Sink].
func (s *maskSide) Cut(m *bus.Member, why bus.Reason) {
	if why != bus.Forgotten {
		s.link.links.g.counters.cut(why)
	}
	s.start(why)
}

// start has the side run, unless it does, and tells it why it was cut, if it was.
func (s *maskSide) start(why bus.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why != "" {
		s.cut = why
	}
	s.again = true
	if s.running || !s.link.links.begin() {
		return
	}
	s.running = true
	go s.run()
}

// begin notes that a side begins to run, unless all have ended.
func (k *maskLinks) begin() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		k.ended.Add(1)
	}
	return !k.closed
}

// close ends all links.
func (k *maskLinks) close() {
	k.mu.Lock()
	k.closed = true
	links := slices.Collect(maps.Values(k.plain))
	k.mu.Unlock()
	for _, l := range links {
		l.once.Do(func() { close(l.ready) }) // or it has been opened, or is being
		l.end()
	}
	k.ended.Wait()
}

// run passes on what there is, and mends the link where it has been cut.
func (s *maskSide) run() {
	defer s.link.links.ended.Done()
	<-s.link.ready
	for {
		s.mu.Lock()
		if !s.again {
			s.running = false
			s.mu.Unlock()
			return
		}
		s.again = false
		why := s.cut
		s.cut = ""
		s.mu.Unlock()
		for {
			data, _, ok := s.member.Next()
			if !ok {
				break
			}
			s.pass(data)
		}
		switch why {
		case "":
		case bus.Forgotten:
			s.link.end()
		default:
			s.pass(s.join(why))
			s.start("") // for what came meanwhile
		}
	}
}
