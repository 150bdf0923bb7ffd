package logs

import (
	"fmt"
	"os"
	"syscall"
	"testing"
)

func TestIsJournal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil {
		t.Fatal(err)
	}
	if !ToJournal(f, func(string) string { return fmt.Sprintf("%d:%d", st.Dev, st.Ino) }) {
		t.Error("not found to be the journal")
	}
}
