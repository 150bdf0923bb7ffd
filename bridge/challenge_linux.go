package bridge

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// probed asks the other end of a TCP connection by keepalive probes a second
// apart and says whether it answers within challengeTime. Where it cannot ask it
// says yes.
func probed(tcp *net.TCPConn) bool {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return true
	}
	quick := net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second, Count: keepAlive.Count}
	if err := tcp.SetKeepAliveConfig(quick); err != nil {
		return true
	}
	defer tcp.SetKeepAliveConfig(keepAlive)
	start := time.Now()
	for time.Since(start) < challengeTime {
		time.Sleep(25 * time.Millisecond)
		var info *unix.TCPInfo
		var failed error
		if err := raw.Control(func(fd uintptr) {
			info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		}); err != nil || failed != nil {
			return false // closed meanwhile
		}
		heard := time.Duration(min(info.Last_ack_recv, info.Last_data_recv)) * time.Millisecond
		if heard+10*time.Millisecond < time.Since(start) {
			return true
		}
	}
	return false
}
