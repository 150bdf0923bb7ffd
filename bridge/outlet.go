package bridge

import (
	"sync"
	"syscall"
)

// An outlet is the way out of a socket. While it is hasty it takes what the system
// takes at once and keeps the rest, so that a write never waits for the client,
// not even one that TLS makes by itself.
type outlet struct {
	raw syscall.RawConn // nil where there is no writing without waiting

	mu    sync.Mutex
	hasty bool
	left  []byte // not yet written
}

// Write writes to the connection, as [net.Conn] has it, or hastily.
func (s *socket) Write(p []byte) (int, error) {
	o := &s.out
	o.mu.Lock()
	if !o.hasty {
		o.mu.Unlock()
		return s.Conn.Write(p)
	}
	defer o.mu.Unlock()
	n := 0
	if len(o.left) == 0 {
		var err error
		if n, err = tryWrite(o.raw, p); err != nil {
			return n, err
		}
	}
	o.left = append(o.left, p[n:]...)
	return len(p), nil
}

// hasten makes writes hasty, if the connection can do that.
func (s *socket) hasten() bool {
	o := &s.out
	if o.raw == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hasty = true
	return true
}

// rest makes writes wait again, and writes what is left.
func (s *socket) rest() error {
	o := &s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hasty = false
	if len(o.left) == 0 {
		return nil
	}
	left := o.left
	o.left = nil
	_, err := s.Conn.Write(left)
	return err
}

// full says whether something is left to write.
func (s *socket) full() bool {
	o := &s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.left) > 0
}
