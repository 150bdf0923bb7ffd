package scripted

import (
	"slices"
	"time"
)

// A Dialect is what a member speaks.
type Dialect int

// The dialects: v1 over TCP, v2, v1 over WebSocket.
const (
	V1   Dialect = 1
	V2   Dialect = 2
	V1WS Dialect = 3
)

// A Channel has members and a history. The server's lock guards it.
type Channel struct {
	Server  *Server
	Name    string
	Members []*Member
	History []*Event // oldest first
}

// A Member is a connection in a channel.
type Member struct {
	Dialect Dialect
	UID     string
	CID     uint32 // v1: of the first frame; else: of made headers
	Key     uint64 // the same

	Channel *Channel
	Conn    *Conn
	First   []*Event // what it came with

	challenged bool
}

// An Event is what one member tells the others.
type Event struct {
	From    Dialect
	UID     string
	Message []byte
	// Arrival is a first frame, a hello, or an empty v1 message.
	Arrival bool
	// Opaque is a v1 frame whose body says nothing.
	Opaque bool
	Frame  []byte // v1: as it came
	Op     byte   // v2
	CID    uint32 // v2, v1 WebSocket: for made headers
	Key    uint64 // the same
	Body   []byte // v1 WebSocket: as it came
}

// Empty says whether an event is an arrival and nothing more.
func (e *Event) Empty() bool { return e.Arrival && !e.Opaque && len(e.Message) == 0 }

// Send queues frames for a member.
func (m *Member) Send(frames ...[]byte) { m.Conn.out.put(frames...) }

// SendNow writes frames, for as long as that takes.
func (m *Member) SendNow(frames ...[]byte) {
	m.Conn.nc.SetWriteDeadline(time.Now().Add(20 * time.Second))
	for _, f := range frames {
		m.Conn.nc.Write(f)
	}
}

// Queued is how many bytes wait to be written to a member.
func (m *Member) Queued() (n int) {
	m.Conn.out.mu.Lock()
	defer m.Conn.out.mu.Unlock()
	for _, f := range m.Conn.out.queue {
		n += len(f)
	}
	return n
}

// Channel returns the channel by a name. Callers hold the lock.
func (s *Server) channel(name string) *Channel {
	ch := s.channels[name]
	if ch == nil {
		ch = &Channel{Server: s, Name: name}
		s.channels[name] = ch
	}
	return ch
}

// Channels returns all of them: for faults that mix them up. Callers hold the lock.
func (s *Server) Channels() map[string]*Channel { return s.channels }

// Later calls f under the lock after d, if the server is still there.
func (s *Server) Later(d time.Duration, f func()) {
	s.wg.Go(func() {
		select {
		case <-time.After(d):
		case <-s.done:
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		f()
	})
}

// enter makes m a member of a channel, unless another holds its place. Who comes
// with events has said them.
func (s *Server) enter(name string, m *Member, first []*Event) (*Channel, error) {
	m.First = first
	name = s.Rules.Name(m.Dialect, name)
	s.mu.Lock()
	defer s.mu.Unlock()
	ch := s.channel(name)
	m.Channel = ch
	if err := s.claim(ch, m); err != nil {
		return nil, err
	}
	s.Rules.Admit(ch, m, first)
	m.Conn.joined.Store(true)
	return ch, nil
}

// claim makes sure that nobody holds the place of m. It gives the lock back while
// the holder is asked.
func (s *Server) claim(ch *Channel, m *Member) error {
	refusal := &errVerdict{verdict: s.Rules.Verdicts["CID taken"], remark: "CID taken"}
	if m.Dialect == V2 {
		refusal = &errVerdict{verdict: s.Rules.Verdicts["uid taken"], remark: "uid taken"}
	}
	for {
		holder := s.Rules.Taken(ch, m)
		if holder == nil {
			return nil
		}
		if holder.challenged {
			return refusal
		}
		holder.challenged = true
		s.mu.Unlock()
		alive := s.Rules.Lives(holder)
		s.mu.Lock()
		holder.challenged = false
		switch {
		case !slices.Contains(ch.Members, holder): // left meanwhile
		case !alive:
			holder.Conn.kick(&errVerdict{verdict: s.Rules.Verdicts["replaced"], remark: "replaced"})
			s.Rules.Leave(ch, holder, nil)
		case s.Rules.Yields(holder, m) == holder:
			holder.Conn.kick(refusal)
			s.Rules.Leave(ch, holder, nil)
		default:
			return refusal
		}
	}
}

// say publishes an event of a member.
func (s *Server) say(ch *Channel, m *Member, e *Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Publish(ch, m, e)
}

// Publish gives an event to those who get it, and stores it.
func (s *Server) Publish(ch *Channel, from *Member, e *Event) {
	for _, to := range s.Rules.Recipients(ch, from, e) {
		if frames := s.Rules.Encode(ch, e, to, false); len(frames) > 0 {
			s.Rules.Deliver(to, frames)
		}
	}
	s.Rules.Store(ch, e)
}

func (s *Server) depart(ch *Channel, m *Member, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Rules.Leave(ch, m, cause)
}

// What follows are the right hooks about channels.

func taken(ch *Channel, m *Member) *Member {
	for _, other := range ch.Members {
		if other != m && other.Dialect == m.Dialect && (m.Dialect == V1 && other.CID == m.CID || m.Dialect == V2 && other.UID == m.UID) {
			return other
		}
	}
	return nil
}

func admit(ch *Channel, m *Member, first []*Event) {
	r := ch.Server.Rules
	for _, e := range r.Replay(ch, m) {
		m.Send(r.Encode(ch, e, m, true)...)
	}
	ch.Members = append(ch.Members, m)
	if len(first) > 1 {
		for _, e := range first {
			for _, to := range r.Recipients(ch, m, e) {
				r.Deliver(to, r.Encode(ch, e, to, false))
			}
		}
		r.Restore(ch, first)
		return
	}
	for _, e := range first {
		ch.Server.Publish(ch, m, e)
	}
}

// restore stores what a returning peer remembers: all of it, and before what is
// there, if that is nothing but empty arrivals; else the first only.
func restore(ch *Channel, events []*Event) {
	arrived := ch.History
	for _, e := range arrived {
		if !e.Empty() {
			ch.Server.Rules.Store(ch, events[0])
			return
		}
	}
	ch.History = nil
	for _, e := range append(slices.Clone(events), arrived...) {
		ch.Server.Rules.Store(ch, e)
	}
}

func others(ch *Channel, from *Member, _ *Event) []*Member {
	var to []*Member
	for _, m := range ch.Members {
		if m != from {
			to = append(to, m)
		}
	}
	return to
}

// store keeps the newest events. An empty arrival takes the place of the same
// before it, and such may fill half of the history.
func store(ch *Channel, e *Event) {
	r := ch.Server.Rules
	if r.HistoryLimit <= 0 {
		return
	}
	if e.Empty() {
		ch.History = slices.DeleteFunc(ch.History, func(old *Event) bool {
			return old.Empty() && old.UID == e.UID && old.From == e.From
		})
	}
	ch.History = append(ch.History, e)
	empty := 0
	for _, old := range ch.History {
		if old.Empty() {
			empty++
		}
	}
	if empty > r.EmptyLimit {
		at := slices.IndexFunc(ch.History, (*Event).Empty)
		ch.History = slices.Delete(ch.History, at, at+1)
	}
	if over := len(ch.History) - r.HistoryLimit; over > 0 {
		ch.History = slices.Delete(ch.History, 0, over)
	}
}

func leave(ch *Channel, m *Member, _ error) {
	ch.Members = slices.DeleteFunc(ch.Members, func(other *Member) bool { return other == m })
}

// encode writes an event down in the dialect of a member, by the table of
// bridge/mapping.md, "What each side gets".
func encode(ch *Channel, e *Event, to *Member, replay bool) [][]byte {
	r := ch.Server.Rules
	switch {
	case to.Dialect == V1 && e.From == V1:
		return [][]byte{e.Frame}
	case to.Dialect == V1:
		return [][]byte{r.Made(ch, e)}
	case to.Dialect == V1WS && ch.Server.astray(ch, e):
		return nil
	case to.Dialect == V1WS:
		return [][]byte{r.WSFrame(fin|opBinary, r.Body(ch, e))}
	case e.Opaque:
		return nil
	}
	var frames [][]byte
	if e.Arrival && replay {
		frames = append(frames, r.WSFrame(fin|opText, r.Notice(ch, e)))
	}
	if e.From == V2 && !e.Arrival {
		frames = append(frames, r.WSFrame(fin|e.Op, e.Message))
	} else if len(e.Message) > 0 {
		frames = append(frames, r.WSFrame(fin|opBinary, e.Message))
	}
	return frames
}

func made(ch *Channel, e *Event) []byte {
	return frameOf(e.CID, e.Key, bodyOf(ch, e))
}

func notice(ch *Channel, e *Event) []byte {
	return []byte(`{"uid":` + jsonText(e.UID) + `,"channel":` + jsonText(ch.Name) + `}`)
}
