package bridge

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"time"
)

// handshake makes s a TLS connection, in the time there is for joining.
func (a *acceptor) handshake(s *socket, conf *tls.Config) (*tls.Conn, error) {
	s.SetDeadline(s.accepted.Add(joinTime))
	s.in.record = new(records)
	tc := tls.Server(s, conf)
	err := tc.HandshakeContext(context.Background())
	s.shakes.Store(false)
	s.freeSlot()
	if err != nil {
		if s.spoke.Load() {
			a.g.counters.handshakesFailed.Add(1)
		}
		a.g.refuseSocket(s, "tls handshake", err)
		s.Close()
		return nil, err
	}
	a.g.counters.handshakes.Add(1)
	s.SetDeadline(time.Time{})
	return tc, nil
}

// bounded returns conf with at most as many handshakes computed at a time as
// there are slots: from the client's hello until the server waits for it again.
func (a *acceptor) bounded(conf *tls.Config) *tls.Config {
	inner := conf.GetConfigForClient
	conf = conf.Clone()
	conf.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if s, ok := hello.Conn.(*socket); ok {
			s.shakes.Store(true)
			if err := s.takeSlot(); err != nil {
				return nil, err
			}
		}
		if inner == nil {
			return nil, nil
		}
		return inner(hello)
	}
	return conf
}

// takeSlot waits for a handshake slot, as long as there is time for joining: who
// has no time left is not worth computing for.
func (s *socket) takeSlot() error {
	if s.slot.Load() {
		return nil
	}
	if !s.g.unjoined.pause(s) {
		return net.ErrClosed
	}
	late := time.NewTimer(time.Until(s.accepted.Add(joinTime)))
	defer late.Stop()
	select {
	case s.g.acceptor.slots <- struct{}{}:
		s.slot.Store(true)
		if !s.g.unjoined.pause(s) { // closed meanwhile, to make room
			return net.ErrClosed
		}
		return nil
	case <-late.C:
		return os.ErrDeadlineExceeded
	case <-s.g.closing:
		return net.ErrClosed
	}
}

func (s *socket) freeSlot() {
	if s.slot.CompareAndSwap(true, false) {
		<-s.g.acceptor.slots
		s.g.unjoined.resume(s)
	}
}
