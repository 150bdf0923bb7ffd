//go:build !linux

package bench

import "time"

// sleepUntil waits for a time on our clock.
func sleepUntil(due int64) { time.Sleep(time.Duration(due - now())) }
