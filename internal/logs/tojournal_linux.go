package logs

import (
	"fmt"
	"os"
	"syscall"
)

// ToJournal reports whether f is what systemd connected to its journal: JOURNAL_STREAM, as getenv knows it, names
// device and inode of that. It may be inherited by who has another standard error.
func ToJournal(f *os.File, getenv func(string) string) bool {
	var st syscall.Stat_t
	stream := getenv("JOURNAL_STREAM")
	if stream == "" || syscall.Fstat(int(f.Fd()), &st) != nil {
		return false
	}
	return stream == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}
