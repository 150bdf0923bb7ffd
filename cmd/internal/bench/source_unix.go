//go:build unix

package bench

import (
	"io"
	"net"
	"syscall"
)

// sharedSource borrows a buffer only while there is something to read.
type sharedSource struct {
	raw  syscall.RawConn
	try  func(fd uintptr) bool // bound once
	rest []byte                // the begun frame
	buf  *[]byte               // borrowed, between next and keep
	n    int
	err  error
}

func newSharedSource(tcp *net.TCPConn) source {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	s := &sharedSource{raw: raw}
	s.try = s.read
	return s
}

func (s *sharedSource) begin(rest []byte) { s.rest = append(s.rest[:0], rest...) }

func (s *sharedSource) next() ([]byte, error) {
	if len(s.rest) > sharedBuffer/2 {
		return nil, errNoFrame // larger than any that was sent
	}
	if err := s.raw.Read(s.try); err != nil {
		return nil, err
	}
	if s.err == nil && s.n == 0 {
		s.err = io.EOF
	}
	if s.err != nil {
		s.keep(nil)
		return nil, s.err
	}
	return (*s.buf)[:len(s.rest)+s.n], nil
}

func (s *sharedSource) read(fd uintptr) bool {
	s.buf = sharedBuffers.Get().(*[]byte)
	had := copy(*s.buf, s.rest)
	for {
		s.n, s.err = syscall.Read(int(fd), (*s.buf)[had:])
		if s.err != syscall.EINTR {
			break
		}
	}
	if s.err == syscall.EAGAIN {
		sharedBuffers.Put(s.buf)
		s.buf = nil
		return false
	}
	return true
}

func (s *sharedSource) keep(rest []byte) {
	s.rest = append(s.rest[:0], rest...)
	if s.buf != nil {
		sharedBuffers.Put(s.buf)
		s.buf = nil
	}
}
