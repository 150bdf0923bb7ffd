package bridge

import (
	"net"

	"golang.org/x/sys/unix"
)

// maxUnsent is how many bytes in the system wait for a client's window, beyond
// those under way. Without a bound it takes up to 4 MiB for each client that does
// not read, in memory that all connections of the machine share: with 500 of
// them that is used up, and segments of everybody are dropped. What waits with
// us instead counts against the budget, and is kept once for all.
const maxUnsent = 256 << 10

func boundUnsent(tcp *net.TCPConn) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
	})
}
