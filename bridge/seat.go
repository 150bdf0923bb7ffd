package bridge

import (
	"sync"

	"mles/bridge/bus"
)

// seat is a connection's membership, or memberships, as goroutines other than its
// reader see them: they may end them before the reader has them.
type seat struct {
	mu          sync.Mutex
	members     []*bus.Member // none until joined
	muted, left bool
}

// take adds m, whose membership ends at once where the others have been ended
// already.
func (s *seat) take(m *bus.Member) {
	s.mu.Lock()
	s.members = append(s.members, m)
	muted, left := s.muted, s.left
	s.mu.Unlock()
	if muted {
		m.Mute()
	}
	if left {
		m.Leave()
	}
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
