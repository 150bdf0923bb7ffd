package keep

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mles/bridge/bus"
)

const (
	// freshAt is how large a journal may grow in any case before a fresh one takes its place.
	freshAt = 256 << 10
	// bufferSize is what is gathered before it is written.
	bufferSize = 64 << 10
)

// A journal is one file of records. The store's lock guards it.
type journal struct {
	name     string // path
	dialects []string

	size  int64 // of the file, as far as it is good; 0: there is none
	short int64 // what a fresh one would take, as of the last time that this was known
	spoil bool  // the file is to be replaced before anything is appended
	purge bool  // it holds what is to vanish

	// While something is saved.
	file  *os.File
	out   *bufio.Writer
	w     writer
	fresh bool // file is to take the journal's place
}

func (j *journal) newName() string { return j.name + ".new" }

// stale says whether a fresh journal is due.
func (j *journal) stale() bool { return j.size > max(freshAt, 2*j.short) }

// put writes a change.
func (j *journal) put(c *bus.Change) error {
	if j.file == nil {
		if err := j.open(); err != nil {
			return err
		}
	}
	return j.w.change(c)
}

// open opens the journal at its end or, where a fresh one is to be written, that.
func (j *journal) open() (err error) {
	if j.size == 0 {
		j.fresh = true
	}
	if j.fresh {
		_ = os.Remove(j.newName()) // whatever it is
		j.file, err = os.OpenFile(j.newName(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	} else {
		j.file, err = os.OpenFile(j.name, os.O_WRONLY, 0)
		if err == nil {
			err = j.toEnd()
		}
	}
	if err != nil {
		return err
	}
	j.out = bufio.NewWriterSize(j.file, bufferSize)
	j.w.w, j.w.n = j.out, 0
	if j.fresh {
		return j.w.preamble(j.dialects)
	}
	return nil
}

var errChanged = errors.New("the file was changed by somebody else")

// toEnd goes behind the last record, and makes sure that it is the end.
func (j *journal) toEnd() error {
	info, err := j.file.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() < j.size) {
		j.spoil = true
		err = &fs.PathError{Op: "append", Path: j.name, Err: errChanged}
	}
	if err == nil && info.Size() > j.size {
		err = j.file.Truncate(j.size)
	}
	if err == nil {
		_, err = j.file.Seek(j.size, io.SeekStart)
	}
	return err
}

// sync makes what was put last, and a fresh journal the journal.
func (j *journal) sync() error {
	if j.file == nil && j.fresh { // nothing is remembered
		return j.remove()
	}
	if j.file == nil {
		return nil
	}
	err := j.out.Flush()
	if err == nil {
		err = j.file.Sync()
	}
	if closed := j.file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err // and is rolled back
	}
	j.file = nil
	if !j.fresh {
		j.size += j.w.n
		return nil
	}
	if err := os.Rename(j.newName(), j.name); err != nil {
		return err
	}
	syncFolder(filepath.Dir(j.name))
	j.size, j.short = j.w.n, j.w.n
	j.fresh, j.spoil, j.purge = false, false, false
	return nil
}

// remove takes away a journal in which nothing would stand.
func (j *journal) remove() error {
	if err := os.Remove(j.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	syncFolder(filepath.Dir(j.name))
	j.size, j.short = 0, 0
	j.fresh, j.spoil, j.purge = false, false, false
	return nil
}

// rollBack leaves the journal as it was before anything was put.
func (j *journal) rollBack() {
	if j.file != nil {
		_ = j.file.Close()
	}
	switch {
	case j.fresh:
		_ = os.Remove(j.newName())
	case j.file != nil && os.Truncate(j.name, j.size) != nil:
		j.spoil = true // or what was begun would stand before what comes
	}
	j.file, j.fresh = nil, false
}

// syncFolder makes names outlast a crash, where the system can do that.
func syncFolder(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		f.Close()
	}
}
