//go:build !linux

package bridge

// descriptors is a bound on connections where the system's own is not asked.
func descriptors() int { return 10000 }

// machineMemory is taken to be small where it is not asked.
func machineMemory() int64 { return 2 << 30 }
