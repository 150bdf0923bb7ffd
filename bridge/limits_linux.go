package bridge

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"strings"

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

// machineMemory is the memory in bytes that this process may take: the
// machine's, or less where its cgroup says so.
func machineMemory() int64 {
	memory := int64(2 << 30)
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err == nil {
		memory = int64(uint64(info.Totalram) * uint64(info.Unit))
	}
	for _, file := range cgroupFiles() {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && n > 0 {
			memory = min(memory, n)
		}
	}
	return memory
}

// cgroupFiles names the files that may hold a memory limit for this process:
// those of its own group and of the groups above it, in both versions.
func cgroupFiles() []string {
	files := []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return files
	}
	for line := range strings.Lines(string(text)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ok && path != "/" && path != "" {
			files = append(files, "/sys/fs/cgroup"+path+"/memory.max")
			path = path[:strings.LastIndexByte(path, '/')]
		}
	}
	return files
}
