//go:build !linux

package bridge

import "net"

// probed cannot ask here, and so takes the other end for alive.
func probed(*net.TCPConn) bool { return true }
