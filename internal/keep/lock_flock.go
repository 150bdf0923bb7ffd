//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package keep

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock, which is held until f is closed, or fails at once.
func tryLock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }
