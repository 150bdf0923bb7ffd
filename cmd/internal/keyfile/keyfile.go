// Package keyfile reads the files that hold shared keys, for both commands.
//
// Each line is a key. Lines that are blank or begin with # are passed over; a key
// that begins with # is written with a backslash before it. Nothing else is
// special: white space around a key belongs to it, as it does in MLES_KEY.
package keyfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxSize bounds a file with keys: more is another file, given by mistake.
const maxSize = 64 << 10

// ErrComments is a file with comments and no key. Taken for an empty file, a key
// that begins with # would open a server to everybody.
var ErrComments = errors.New(`nothing but comments: leave the file empty to need no key, write \# for a key's own #`)

// A File is what was read.
type File struct {
	Keys   []string // each once, in their order
	Lines  []int    // where each stands first, counted from 1
	Public bool     // every user of the machine can read it
}

// Read reads a file; one without any text has no keys. No error holds a key.
func Read(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return File{}, err
	}
	if len(text) > maxSize {
		return File{}, fmt.Errorf("%s has more than %d KiB: that is no file of keys", name, maxSize>>10)
	}
	keys, lines := parse(text)
	if len(keys) == 0 && len(bytes.TrimSpace(text)) > 0 {
		return File{}, fmt.Errorf("%s holds %w", name, ErrComments)
	}
	info, err := f.Stat()
	public := err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
	return File{Keys: keys, Lines: lines, Public: public}, nil
}

func parse(text []byte) (keys []string, lines []int) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors begin a file with it
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		key := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.TrimSpace(key) == "" || key[0] == '#' {
			continue
		}
		if strings.HasPrefix(key, `\#`) {
			key = key[1:]
		}
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
			lines = append(lines, n)
		}
	}
	return keys, lines
}
