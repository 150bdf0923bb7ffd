package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepUntil waits for a time on our clock. Go's own timers can be a millisecond
// late when nothing else happens in the process, which would be counted as the
// server's latency; it ends early only by a signal, and then goes on.
func sleepUntil(due int64) {
	for {
		left := due - now()
		if left <= 0 {
			return
		}
		if left > int64(50*time.Millisecond) {
			time.Sleep(time.Duration(left) - 10*time.Millisecond)
			continue
		}
		ts := unix.NsecToTimespec(left)
		unix.Nanosleep(&ts, nil)
	}
}
