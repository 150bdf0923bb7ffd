package bridge

import (
	"math"

	"golang.org/x/sys/unix"
)

// spareDescriptors are kept for listeners, logs and certificates.
const spareDescriptors = 64

// descriptors is how many connections the limit on open files has room for.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt32
	}
	return int(max(1, min(limit.Cur, math.MaxInt32)-min(limit.Cur/2, spareDescriptors)))
}
