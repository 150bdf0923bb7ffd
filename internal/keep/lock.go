package keep

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// A lock is held on a file for as long as that is open. In the file stands until when its
// holder will have ended, as Unix seconds behind "until ", if it is about to.
type lock struct{ f *os.File }

// takeLock takes the lock or fails at once.
func takeLock(name string) (*lock, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		defer f.Close()
		return nil, &InUseError{Path: name, Until: noted(f), err: err}
	}
	l := &lock{f}
	l.write("") // what the last holder has left
	return l, nil
}

// noted reads when the holder will have ended.
func noted(f *os.File) time.Time {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 64))
	rest, found := strings.CutPrefix(strings.TrimSpace(string(text)), "until ")
	sec, bad := strconv.ParseInt(rest, 10, 64)
	if err != nil || !found || bad != nil {
		return time.Time{}
	}
	return time.Unix(sec, 0)
}

func (l *lock) note(until time.Time) { l.write(fmt.Sprintf("until %d\n", until.Unix())) }

// write replaces what stands in the file. Where that fails, nobody waits.
func (l *lock) write(text string) {
	if err := l.f.Truncate(0); err == nil {
		_, _ = l.f.WriteAt([]byte(text), 0)
	}
}

func (l *lock) release() { l.f.Close() }
