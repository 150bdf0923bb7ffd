//go:build unix

package bridge

import (
	"io"
	"net"
	"syscall"

	"mles/v1"
)

// lazyConn reads from a TCP connection with a buffer that is borrowed only once
// there is something to read; see [v1.Lazy].
type lazyConn struct {
	raw syscall.RawConn
	try func(fd uintptr) bool // kept so that a read allocates nothing

	// Of the read under way.
	get func() []byte
	put func([]byte)
	buf []byte
	n   int
	err error
}

// lazy returns nil where the connection cannot be read so.
func lazy(tcp *net.TCPConn) v1.Lazy {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	c := &lazyConn{raw: raw}
	c.try = c.read
	return c
}

// ReadLazy implements [v1.Lazy].
func (c *lazyConn) ReadLazy(get func() []byte, put func([]byte)) ([]byte, int, error) {
	c.get, c.put, c.buf, c.n, c.err = get, put, nil, 0, nil
	err := c.raw.Read(c.try)
	buf := c.buf
	c.buf = nil
	switch {
	case err != nil:
		return buf, 0, err
	case c.err != nil:
		return buf, 0, c.err
	case c.n == 0:
		return buf, 0, io.EOF
	}
	return buf, c.n, nil
}

// read is called when fd may be readable, and says whether it was.
func (c *lazyConn) read(fd uintptr) bool {
	buf := c.get()
	for {
		c.n, c.err = syscall.Read(int(fd), buf)
		if c.err != syscall.EINTR {
			break
		}
	}
	if c.err == syscall.EAGAIN {
		c.put(buf)
		return false
	}
	c.n = max(c.n, 0)
	c.buf = buf
	return true
}
