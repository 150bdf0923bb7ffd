package bridge

import (
	"bufio"
	"os"
	"path"
	"strconv"
	"strings"
)

// unknownMemory stands for the machine's memory where that cannot be told.
const unknownMemory = 2 << 30

// UsableMemory is what this process may use in bytes: the machine's memory, or
// its cgroup's where that is less; 0 where it cannot be told. Config.MemoryLimit
// is half of it unless set.
func UsableMemory() int64 { return usableMemory("/") }

// usableMemory looks below root, which is "/".
func usableMemory(root string) int64 {
	total := installedMemory(path.Join(root, "proc/meminfo"))
	files := []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"}
	if own, err := os.ReadFile(path.Join(root, "proc/self/cgroup")); err == nil {
		for line := range strings.Lines(string(own)) {
			group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
			for ; ok && group != "/" && group != "."; group = path.Dir(group) { // a limit above counts too
				files = append(files, path.Join("sys/fs/cgroup", group, "memory.max"))
			}
		}
	}
	for _, file := range files {
		text, err := os.ReadFile(path.Join(root, file))
		if err != nil {
			continue
		}
		// "max", and in version 1 a huge number, mean no limit.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 && total > 0 {
			total = min(total, n)
		}
	}
	return total
}

func installedMemory(file string) int64 {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 3 && fields[0] == "MemTotal:" {
			if kib, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
