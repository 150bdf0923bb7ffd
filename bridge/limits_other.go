//go:build !linux

package bridge

// descriptors is a bound on connections where the system's own is not asked.
func descriptors() int { return 10000 }
