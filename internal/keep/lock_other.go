//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly || windows)

package keep

import (
	"errors"
	"os"
)

// tryLock fails: without locks two gateways would write the same files.
func tryLock(*os.File) error { return errors.ErrUnsupported }
