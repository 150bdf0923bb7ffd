//go:build !unix

package bridge

import (
	"net"

	"mles/v1"
)

// lazy returns nil: there is no known way to wait without a buffer.
func lazy(*net.TCPConn) v1.Lazy { return nil }
