package admin

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
)

// TokenFile is the name of the file in the cache folder in which [KeepToken] keeps a token.
const TokenFile = "admin-token"

// MinToken is the least length of a token in bytes, so that none can be found by trying.
const MinToken = 16

const maxTokenFile = 4 << 10

// A Secret is what a token file holds, and where it is.
type Secret struct {
	Value string // of the token
	File  string
	// Public says that other users of the machine can read the file.
	Public bool
}

// A Token is what callers have to know. The zero value is none: nobody knows it. It is safe for concurrent use.
type Token struct{ valid atomic.Pointer[secret] }

type secret struct {
	sum    [sha256.Size]byte
	file   string
	absent error // why there is none; nil: there is one
}

// Set makes s the token that is valid from now on, and reports whether it is another than before.
func (t *Token) Set(s Secret) (changed bool) {
	next := &secret{sum: sha256.Sum256([]byte(s.Value)), file: s.File}
	old := t.valid.Swap(next)
	return old == nil || old.absent != nil || old.sum != next.sum
}

// Unset makes no token valid; why is told to those who would need one.
func (t *Token) Unset(why error) { t.valid.Store(&secret{absent: why}) }

// absent says why no token is valid; nil: one is.
func (t *Token) absent() error {
	s := t.valid.Load()
	if s == nil {
		return errors.New("there is none")
	}
	return s.absent
}

// file is where the token stands; "": nowhere.
func (t *Token) file() string {
	if s := t.valid.Load(); s != nil {
		return s.file
	}
	return ""
}

// is reports whether value is the token, in a time that does not depend on how much of it is right.
func (t *Token) is(value string) bool {
	s := t.valid.Load()
	sum := sha256.Sum256([]byte(value))
	return s != nil && s.absent == nil && subtle.ConstantTimeCompare(s.sum[:], sum[:]) == 1
}

// ReadToken reads the token that stands in a file, alone in one line. No error holds any of it.
func ReadToken(file string) (Secret, error) {
	f, err := os.Open(file)
	if err != nil {
		return Secret{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return Secret{}, err
	}
	value := strings.TrimRight(string(text), "\r\n")
	switch {
	case len(text) > maxTokenFile:
		return Secret{}, fmt.Errorf("%s has more than %d bytes: that is no token", file, maxTokenFile)
	case value == "":
		return Secret{}, fmt.Errorf("%s is empty", file)
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return Secret{}, fmt.Errorf("%s: a token is one line of visible ASCII characters, without spaces", file)
	case len(value) < MinToken:
		return Secret{}, fmt.Errorf("%s: the token is shorter than %d characters", file, MinToken)
	}
	s := Secret{Value: value, File: file}
	if info, err := f.Stat(); err == nil {
		s.Public = info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 && runtime.GOOS != "windows"
	}
	return s, nil
}

// KeepToken reads the token in the folder dir, or makes one that later calls find: 32 random bytes in hex, mode 0600.
// Of several who make one at once all get the same.
func KeepToken(dir string) (Secret, error) {
	if dir == "" {
		return Secret{}, errors.New("there is no cache folder")
	}
	file := filepath.Join(dir, TokenFile)
	s, err := ReadToken(file)
	if !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Secret{}, err
	}
	if err := makeToken(dir, file); err != nil {
		return Secret{}, err
	}
	return ReadToken(file)
}

// makeToken puts a new token in a file, whole, unless there is one by then.
func makeToken(dir, file string) error {
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	_, err = f.WriteString(hex.EncodeToString(random) + "\n")
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	// A link, unlike a rename, does not replace what another has just made.
	if err = os.Link(f.Name(), file); errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil { // a file system without links
		return os.Rename(f.Name(), file)
	}
	return nil
}
