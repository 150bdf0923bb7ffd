//go:build unix

package bridge

import (
	"net"
	"sync"
	"syscall"
)

// rawWriter returns what tryWrite needs.
func rawWriter(tcp *net.TCPConn) syscall.RawConn {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// attempt is one write without waiting.
type attempt struct {
	p   []byte
	n   int
	err error
	do  func(fd uintptr) bool // kept so that a write allocates nothing
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.do = a.write
	return a
}}

// write never says that fd must be waited for.
func (a *attempt) write(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), a.p)
		switch err {
		case nil:
			a.n = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			a.err = err
		}
		return true
	}
}

// tryWrite writes as much of p as can be written without waiting.
func tryWrite(raw syscall.RawConn, p []byte) (int, error) {
	a := attempts.Get().(*attempt)
	a.p, a.n, a.err = p, 0, nil
	err := raw.Write(a.do)
	n := a.n
	if err == nil {
		err = a.err
	}
	a.p = nil
	attempts.Put(a)
	return n, err
}
