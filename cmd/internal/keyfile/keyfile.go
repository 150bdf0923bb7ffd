// Package keyfile reads the files that hold shared keys, for both commands.
//
// Each line is a key. Lines that are blank or begin with # are passed over; a key
// that begins with # is written with a backslash before it. White space around a key
// belongs to it, as it does in MLES_KEY.
//
// The last words of a line may say what its key opens:
//
//	KEY channels=iot/*,hall dialects=v1
//
// in any order, either or both. They and the white space before them do not belong to
// the key. A key that ends in such a word itself has a backslash before that word:
//
//	a key with \channels=in-it
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
	Keys   []Key // in their order; what says the same as a line before it is left out
	Public bool  // every user of the machine can read it
}

// A Key is what a line says.
type Key struct {
	Secret string
	Line   int // where it stands, counted from 1
	// Channels are patterns of the channels that it opens, as written; none: all.
	Channels []string
	// Dialects are those in which it opens them, as written; none: all.
	Dialects []string
	// Doubt is what is odd about the line, without the key; "": nothing.
	Doubt string
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
	keys, err := parse(text)
	if err != nil {
		return File{}, fmt.Errorf("%s:%w", name, err)
	}
	if len(keys) == 0 && len(bytes.TrimSpace(text)) > 0 {
		return File{}, fmt.Errorf("%s holds %w", name, ErrComments)
	}
	info, err := f.Stat()
	public := err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
	return File{Keys: keys, Public: public}, nil
}

// parse reads the lines of a file. An error begins with the line's number.
func parse(text []byte) (keys []Key, err error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // some editors begin a file with it
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		key, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", n, err)
		}
		key.Line = n
		if !slices.ContainsFunc(keys, key.says) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// says reports whether another line says the same.
func (k Key) says(other Key) bool {
	return k.Secret == other.Secret && slices.Equal(k.Channels, other.Channels) && slices.Equal(k.Dialects, other.Dialects)
}
