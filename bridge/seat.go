package bridge

import (
	"sync"

	"mles/bridge/bus"
)

// seat is a connection's membership as goroutines other than its reader see it:
// they may end it before the reader has it.
type seat struct {
	mu          sync.Mutex
	member      *bus.Member // nil until joined
	muted, left bool
}

// take gives the seat to m, unless that has been ended already.
func (s *seat) take(m *bus.Member) {
	s.mu.Lock()
	s.member = m
	muted, left := s.muted, s.left
	s.mu.Unlock()
	if muted {
		m.Mute()
	}
	if left {
		m.Leave()
	}
}

// mute ends the subscription, but not the voice.
func (s *seat) mute() {
	s.mu.Lock()
	s.muted = true
	m := s.member
	s.mu.Unlock()
	if m != nil {
		m.Mute()
	}
}

// leave ends the membership.
func (s *seat) leave() {
	s.mu.Lock()
	s.left = true
	m := s.member
	s.mu.Unlock()
	if m != nil {
		m.Leave()
	}
}
