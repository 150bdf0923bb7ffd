package systemd

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// A Notifier tells the service manager of the service's state, as sd_notify(3) describes. A nil Notifier tells nobody;
// so a service that was not started by a manager needs no other code. Messages may be sent from any goroutine. That
// one could not be sent is no reason to do anything else, and is the returned error.
type Notifier struct {
	addr net.UnixAddr
	// Watchdog is how often the manager wants to hear that the service works, WatchdogUSec; 0: it does not. Half of it is
	// a good pause between two messages.
	Watchdog time.Duration
}

// NewNotifier takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no child of the service
// speaks for it. It is nil where there is no manager to tell. The error names a variable that does not fit; then there is
// no watchdog.
func NewNotifier() (*Notifier, error) {
	watchdog, err := daemon.SdWatchdogEnabled(true)
	if err != nil {
		err = fmt.Errorf("WATCHDOG_USEC, WATCHDOG_PID: %w", err)
	}
	name := os.Getenv("NOTIFY_SOCKET")
	if err := os.Unsetenv("NOTIFY_SOCKET"); err != nil || name == "" {
		return nil, err
	}
	return &Notifier{addr: net.UnixAddr{Name: name, Net: "unixgram"}, Watchdog: watchdog}, err
}

// Ready says that the service serves, or has read its configuration again.
func (n *Notifier) Ready() error { return n.send(daemon.SdNotifyReady) }

// Reloading says that the service reads its configuration again; Ready must follow, whatever comes of it.
func (n *Notifier) Reloading() error {
	return n.send(daemon.SdNotifyReloading, strings.TrimSuffix(daemon.SdNotifyMonotonicUsec(), "\n"))
}

// Stopping says that the service ends, and needs up to so long for it: the manager's TimeoutStopSec is made longer where
// it would end before.
func (n *Notifier) Stopping(within time.Duration) error {
	return n.send(daemon.SdNotifyStopping, fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", within.Microseconds()))
}

// Works feeds the watchdog.
func (n *Notifier) Works() error { return n.send(daemon.SdNotifyWatchdog) }

// Status is a line for people: systemctl status shows it.
func (n *Notifier) Status(line string) error {
	return n.send("STATUS=" + strings.ReplaceAll(line, "\n", " "))
}

// send sends assignments of variables in one message. A socket that is connected only now is that of a manager which was
// started anew, too.
func (n *Notifier) send(assignments ...string) error {
	if n == nil {
		return nil
	}
	conn, err := net.DialUnix(n.addr.Net, nil, &n.addr)
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte(strings.Join(assignments, "\n")))
	if closed := conn.Close(); err == nil {
		err = closed
	}
	return err
}
