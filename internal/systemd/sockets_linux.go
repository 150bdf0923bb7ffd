package systemd

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// serviceable says why connections cannot be accepted from l as the gateway wants them.
func serviceable(l *net.TCPListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var listens, protocol int
	var failed error
	err = raw.Control(func(fd uintptr) {
		if listens, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ACCEPTCONN); failed == nil {
			protocol, failed = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL)
		}
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case listens == 0:
		return errors.New("it does not listen: it must have Accept=no")
	case protocol == unix.IPPROTO_MPTCP: // which does not tell whether a silent client lives as TCP does
		return errors.New("it speaks Multipath TCP: it must be without SocketProtocol=mptcp")
	}
	return nil
}
