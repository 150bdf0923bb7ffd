package bridge

import (
	"container/heap"
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// unjoinedGrace is how long a connection may keep us waiting before another one
// that comes takes its place where all are taken: most have joined by then.
const unjoinedGrace = time.Second

// unjoined are the connections that nobody has joined by yet, nor asked a site
// anything. Where there is no place for one more, one of them makes room:
//
//   - the oldest one of the address that has the most of them, at least two more than
//     the address that the new one comes from: who opens many at once keeps out nobody
//     who opens few;
//   - else the one for which we have waited longest, and for longer than
//     [unjoinedGrace]: those who connect and say nothing, or say it byte by byte, keep
//     nobody out for longer, however many addresses they have.
type unjoined struct {
	mu     sync.Mutex
	queue  list.List // of waits for clients; the longest first
	crowds crowds
	of     map[netip.Addr]*crowd
	log    *bunched
}

// A wait is a connection's place among those that have not joined.
type wait struct {
	s       *socket
	since   time.Time     // when we began to wait
	waiting *list.Element // in the queue; nil while it is we who keep it waiting
	crowd   *crowd
	among   *list.Element // of the crowd
}

// A crowd are the waits of one address.
type crowd struct {
	addr  netip.Addr
	waits list.List // the oldest first
	index int       // in the heap
}

// crowds is a heap, the largest first; see [heap.Interface].
type crowds []*crowd

func (c crowds) Len() int           { return len(c) }
func (c crowds) Less(i, j int) bool { return c[i].waits.Len() > c[j].waits.Len() }
func (c crowds) Swap(i, j int) {
	c[i], c[j] = c[j], c[i]
	c[i].index, c[j].index = i, j
}

func (c *crowds) Push(x any) {
	x.(*crowd).index = len(*c)
	*c = append(*c, x.(*crowd))
}

func (c *crowds) Pop() any {
	last := len(*c) - 1
	x := (*c)[last]
	(*c)[last] = nil
	*c = (*c)[:last]
	return x
}

func newUnjoined() *unjoined {
	return &unjoined{of: make(map[netip.Addr]*crowd), log: newBunched()}
}

// enter lets s wait, unless it has joined or is closed.
func (u *unjoined) enter(s *socket, from netip.Addr) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.wait != nil || s.admitted || s.gone {
		return
	}
	from = countedAs(from)
	c := u.of[from]
	if c == nil {
		c = &crowd{addr: from}
		u.of[from] = c
		heap.Push(&u.crowds, c)
	}
	s.wait = &wait{s: s, crowd: c}
	s.wait.among = c.waits.PushBack(s.wait)
	heap.Fix(&u.crowds, c.index)
	u.await(s.wait)
}

// await is called with mu held.
func (u *unjoined) await(p *wait) {
	p.since = time.Now()
	p.waiting = u.queue.PushBack(p)
}

// pause notes that it is we who keep s waiting, and resume that it is not. pause says
// whether s is still open.
func (u *unjoined) pause(s *socket) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if p := s.wait; p != nil && p.waiting != nil {
		u.queue.Remove(p.waiting)
		p.waiting = nil
	}
	return !s.gone
}

func (u *unjoined) resume(s *socket) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if p := s.wait; p != nil && p.waiting == nil {
		u.await(p)
	}
}

// admit takes s out: it is let in, or is a visit.
func (u *unjoined) admit(s *socket) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s.admitted = true
	u.leave(s)
}

// again begins anew, with a connection that was a visit.
func (u *unjoined) again(s *socket) {
	u.mu.Lock()
	s.admitted = false
	u.mu.Unlock()
	u.enter(s, s.addr.Addr())
}

// move has s wait among those of another address, which a proxy has told.
func (u *unjoined) move(s *socket, to netip.Addr) {
	u.mu.Lock()
	had := s.wait != nil
	u.leave(s)
	u.mu.Unlock()
	if had {
		u.enter(s, to)
	}
}

// forget takes out a closed one.
func (u *unjoined) forget(s *socket) {
	u.mu.Lock()
	defer u.mu.Unlock()
	s.gone = true
	u.leave(s)
}

// leave is called with mu held.
func (u *unjoined) leave(s *socket) {
	p := s.wait
	if p == nil {
		return
	}
	s.wait = nil
	if p.waiting != nil {
		u.queue.Remove(p.waiting)
	}
	p.crowd.waits.Remove(p.among)
	if p.crowd.waits.Len() > 0 {
		heap.Fix(&u.crowds, p.crowd.index)
		return
	}
	heap.Remove(&u.crowds, p.crowd.index)
	delete(u.of, p.crowd.addr)
}

// leaving returns who makes room for one from an address; nil: nobody has to.
func (u *unjoined) leaving(newcomer netip.Addr) *socket {
	u.mu.Lock()
	defer u.mu.Unlock()
	own := 0
	if c := u.of[countedAs(newcomer)]; c != nil {
		own = c.waits.Len()
	}
	if len(u.crowds) > 0 && u.crowds[0].waits.Len() > own+1 {
		return u.crowds[0].waits.Front().Value.(*wait).s
	}
	return u.longest()
}

// longest is who makes room for anybody; it is called with mu held.
func (u *unjoined) longest() *socket {
	if front := u.queue.Front(); front != nil && time.Since(front.Value.(*wait).since) >= unjoinedGrace {
		return front.Value.(*wait).s
	}
	return nil
}

// leavingForAnybody is leaving for one of whom nothing is known yet.
func (u *unjoined) leavingForAnybody() *socket {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.longest()
}

// makeRoom closes a connection that has not joined for one that comes, and says
// whether there was such a one.
func (g *Gateway) makeRoom(newcomer netip.Addr, limit int64) bool {
	return g.putOut(g.unjoined.leaving(newcomer), limit)
}

// putOut closes s for another connection, unless it is nil, and says whether it was not.
func (g *Gateway) putOut(s *socket, limit int64) bool {
	if s == nil {
		return false
	}
	g.unjoined.log.do(func(n int64) {
		g.log.Warn("connection closed, which had not joined, for another one: too many connections; raise --max-connections, --memory-limit or the limit on open files",
			"client", g.addresses.nameOf(s), "limit", limit, "closed", n)
	})
	g.counters.refused("made room")
	g.mu.Lock()
	as := g.sockets[s]
	g.mu.Unlock()
	if as != nil {
		as.abort()
	}
	s.Close()
	return true
}
