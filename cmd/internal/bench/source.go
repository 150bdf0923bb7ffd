package bench

import (
	"net"
	"sync"
)

// source gives what a connection receives, with as little memory touched as can
// be: reading must stay much cheaper than serving.
type source interface {
	// begin puts bytes before what will be received.
	begin(rest []byte)
	// next waits for bytes and returns them, what keep was given before them.
	next() ([]byte, error)
	// keep takes the end of what next returned, the beginning of a frame.
	keep(rest []byte)
}

// sharedBuffer is the size of the buffers that plain connections share.
const sharedBuffer = 128 << 10

var sharedBuffers = sync.Pool{New: func() any { b := make([]byte, sharedBuffer); return &b }}

// source chooses: small messages over plain TCP are read into a few buffers that
// all connections share and that so stay in the processor's cache.
func (l *link) source(size int) source {
	if tcp, ok := l.conn.(*net.TCPConn); ok && size <= sharedBuffer/8 {
		if s := newSharedSource(tcp); s != nil {
			return s
		}
	}
	return &ownSource{conn: l.conn, buf: make([]byte, max(32<<10, 2*size+4096))}
}

// ownSource reads into a buffer of its own, which holds two frames at least.
type ownSource struct {
	conn net.Conn
	buf  []byte
	have int
}

func (s *ownSource) begin(rest []byte) { s.keep(rest) }

func (s *ownSource) next() ([]byte, error) {
	if s.have == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.conn.Read(s.buf[s.have:])
	s.have += n
	if n > 0 {
		err = nil
	}
	return s.buf[:s.have], err
}

func (s *ownSource) keep(rest []byte) {
	if len(rest) > len(s.buf) {
		s.buf = make([]byte, 2*len(rest))
	}
	s.have = copy(s.buf, rest)
}
