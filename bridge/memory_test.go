package bridge

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// In a container the limit is the group's own or any above it, whichever is the least.
func TestUsableMemory(t *testing.T) {
	const machine = "MemTotal:        8000000 kB\nMemFree:  1 kB\n"
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"machine":    {map[string]string{"proc/meminfo": machine}, 8000000 << 10},
		"no /proc":   {nil, 0},
		"no limit":   {map[string]string{"proc/meminfo": machine, "sys/fs/cgroup/memory.max": "max\n"}, 8000000 << 10},
		"version 1":  {map[string]string{"proc/meminfo": machine, "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824\n"}, 1 << 30},
		"unlimited1": {map[string]string{"proc/meminfo": machine, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 8000000 << 10},
		"container":  {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20},
		"above": {map[string]string{"proc/meminfo": machine, "proc/self/cgroup": "0::/a.slice/b.service\n",
			"sys/fs/cgroup/a.slice/memory.max": "1073741824\n", "sys/fs/cgroup/a.slice/b.service/memory.max": "max\n"}, 1 << 30},
	} {
		root := t.TempDir()
		for file, text := range c.files {
			file = filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := usableMemory(root); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if got := usableMemory("/"); got < 0 || got == math.MaxInt64 {
		t.Errorf("here: %d", got)
	}
}
