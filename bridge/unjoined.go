package bridge

import (
	"container/list"
	"sync"
	"time"
)

// unjoinedGrace is how long a connection may keep us waiting before another one
// that comes takes its place where all are taken: most have joined by then.
const unjoinedGrace = time.Second

// unjoined are the connections that nobody has joined by yet, nor asked a site
// anything, and whose clients we wait for. Where there is no place for one more, the
// one waited for longest makes room: those who connect and say nothing, or say it
// byte by byte, keep nobody out for longer than [unjoinedGrace].
type unjoined struct {
	mu    sync.Mutex
	queue list.List // of awaited; the longest first
	log   *bunched
}

// awaited is a connection in the queue.
type awaited struct {
	s     *socket
	since time.Time
}

func newUnjoined() *unjoined { return &unjoined{log: newBunched()} }

// await puts s into the queue, unless it has joined or is closed.
func (u *unjoined) await(s *socket) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.place == nil && !s.admitted && !s.gone {
		s.place = u.queue.PushBack(awaited{s, time.Now()})
	}
}

// pause takes s out of the queue while it is we who keep it waiting.
func (u *unjoined) pause(s *socket) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.leave(s)
}

// admit takes s out for good: it is let in, or is a visit.
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
	u.await(s)
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
	if s.place != nil {
		u.queue.Remove(s.place)
		s.place = nil
	}
}

// oldest returns who has been waited for longest, if that is long enough.
func (u *unjoined) oldest() *socket {
	u.mu.Lock()
	defer u.mu.Unlock()
	front := u.queue.Front()
	if front == nil || time.Since(front.Value.(awaited).since) < unjoinedGrace {
		return nil
	}
	return front.Value.(awaited).s
}

// makeRoom closes the connection waited for longest, and says whether there was one.
func (g *Gateway) makeRoom(limit int64) bool {
	s := g.unjoined.oldest()
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
