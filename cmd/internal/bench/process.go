package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// clockTick is the unit of CPU times in /proc on every Linux there is.
const clockTick = 100

// cpuOf returns the CPU time in seconds that processes have used.
func cpuOf(pids []int) (seconds float64, err error) {
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, fmt.Errorf("CPU of process %d: %w", pid, err)
		}
		// The name in parentheses may hold anything; utime and stime are the
		// 12th and 13th fields after it.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) < 13 {
			return 0, fmt.Errorf("/proc/%d/stat is cut short", pid)
		}
		for _, f := range fields[11:13] {
			n, err := strconv.ParseFloat(f, 64)
			if err != nil {
				return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
			}
			seconds += n / clockTick
		}
	}
	return seconds, nil
}

// memoryOf returns the bytes that a field of /proc/PID/status tells, of all
// processes: VmRSS is what they take now, VmHWM what they took at most.
func memoryOf(pids []int, field string) (total float64, err error) {
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, fmt.Errorf("memory of process %d: %w", pid, err)
		}
		for line := range strings.Lines(string(status)) {
			value, ok := strings.CutPrefix(line, field+":")
			if !ok {
				continue
			}
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			if err != nil {
				return 0, fmt.Errorf("/proc/%d/status: %w", pid, err)
			}
			total += kib * 1024
		}
	}
	return total, nil
}
