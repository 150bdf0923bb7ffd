package bridge

import (
	"sync"

	"mles/bridge/bus"
)

// seat is a connection's membership, or memberships, as goroutines other than its
// reader see them: they may end them before the reader has them.
type seat struct {
	mu          sync.Mutex
	members     []*bus.Member            // none until joined
	admits      []func(*policy) *refusal // whether each may be there
	muted, left bool
}

// take adds m, which may be there as long as admits says so. Its membership ends
// at once where the others have been ended already.
func (s *seat) take(m *bus.Member, admits func(*policy) *refusal) {
	s.mu.Lock()
	s.members = append(s.members, m)
	s.admits = append(s.admits, admits)
	muted, left := s.muted, s.left
	s.mu.Unlock()
	if muted {
		m.Mute()
	}
	if left {
		m.Leave()
	}
}

// taken says whether somebody has joined. What is fixed by a join may be read then.
func (s *seat) taken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.members) > 0
}

// review says why p does not allow one of the memberships; nil: it allows all, or
// they have ended.
func (s *seat) review(p *policy) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return nil
	}
	for _, admits := range s.admits {
		if r := admits(p); r != nil {
			return r
		}
	}
	return nil
}

// mute ends the subscriptions, but not the voice.
func (s *seat) mute() {
	s.mu.Lock()
	s.muted = true
	members := s.members
	s.mu.Unlock()
	for _, m := range members {
		m.Mute()
	}
}

// leave ends the memberships.
func (s *seat) leave() {
	s.mu.Lock()
	s.left = true
	members := s.members
	s.mu.Unlock()
	for _, m := range members {
		m.Leave()
	}
}
