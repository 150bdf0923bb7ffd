//go:build !unix

package bridge

import (
	"io"
	"net"
)

// lazy keeps a buffer while it waits, where no other way is known.
func lazy(tcp *net.TCPConn) io.Reader { return tcp }
