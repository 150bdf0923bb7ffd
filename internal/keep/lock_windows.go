package keep

import (
	"os"

	"golang.org/x/sys/windows"
)

// tryLock takes the lock, which is held until f is closed, or fails at once. It lies far
// behind what stands in the file, which others could not read otherwise.
func tryLock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{Offset: 1 << 30})
}
