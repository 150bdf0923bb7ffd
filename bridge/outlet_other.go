//go:build !unix

package bridge

import (
	"net"
	"syscall"
)

// rawWriter returns nil: each connection has its own goroutine write for it.
func rawWriter(*net.TCPConn) syscall.RawConn { return nil }

func tryWrite(syscall.RawConn, []byte) (int, error) { return 0, nil }
