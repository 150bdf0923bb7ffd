package seen

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Files in the folder.
const (
	journalName = "seen.journal"
	damagedName = "seen.journal.damaged"
	newName     = "seen.journal.new"
	lockName    = "seen.lock"
)

const (
	// rewriteAt is how large the file may grow in any case before it is replaced.
	rewriteAt = 1 << 20
	// maxFile is larger than any file that a gateway writes.
	maxFile = 64 << 20
	// quiet is how long nothing is written where nobody is there.
	quiet = 5 * time.Minute
)

// disk is a store's file. One goroutine uses it.
type disk struct {
	dir  string
	lock *os.File // held while this gateway has the folder
	file *os.File // what is appended to; nil: to be made anew

	size, short int64     // of the file, now and when it was made
	beat        time.Time // when it was last written
}

func (d *disk) path(name string) string { return filepath.Join(d.dir, name) }

// write puts what s has on disk. After an error the next call tries everything anew.
func (d *disk) write(s *Store, last bool) error {
	if d.lock == nil {
		if err := d.open(s); err != nil {
			return err
		}
	}
	if d.file == nil || d.size > max(rewriteAt, 2*d.short) || !d.there() {
		return d.rewrite(s, last)
	}
	text := s.changes(last, time.Since(d.beat) >= quiet)
	if len(text) == 0 {
		return nil
	}
	n, err := d.file.Write(text)
	if err == nil {
		err = d.file.Sync()
	}
	if err != nil {
		d.letGo() // a line may be cut off: nothing may follow it
		return err
	}
	d.size += int64(n)
	d.beat = time.Now()
	return nil
}

// there says whether the file still has its name.
func (d *disk) there() bool {
	ours, err := d.file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(d.path(journalName))
	return err == nil && os.SameFile(ours, named)
}

// open takes the folder and what it tells of the past.
func (d *disk) open(s *Store) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(d.path(lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := tryLock(lock); err != nil {
		lock.Close()
		return fmt.Errorf("%s: another gateway has it: %w", d.path(lockName), err)
	}
	p, found, err := d.load(time.Now())
	if err != nil {
		lock.Close()
		return err
	}
	d.lock = lock
	if found && p.damage != nil {
		s.log.Warn("the record of who was seen is damaged: set aside, and begun anew with what could be read of it",
			"file", d.path(damagedName), "err", p.damage)
	}
	if found {
		s.recall(p)
	}
	return nil
}

// load reads the file; found is false where there is none. A damaged one is renamed.
func (d *disk) load(now time.Time) (p past, found bool, err error) {
	name := d.path(journalName)
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, false, nil
	case err != nil:
		return p, false, err
	case info.Size() > maxFile:
		p.damage = fmt.Errorf("it has %d bytes", info.Size())
	default:
		text, err := os.ReadFile(name)
		if err != nil {
			return p, false, err
		}
		p = parse(text, now)
	}
	if p.damage != nil {
		err = os.Rename(name, d.path(damagedName))
	}
	return p, true, err
}

// rewrite replaces the file by a short one: whoever reads it finds the old or the new.
func (d *disk) rewrite(s *Store, last bool) error {
	d.letGo()
	text := s.everything(last)
	f, err := os.OpenFile(d.path(newName), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err = f.Chmod(0o600); err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(d.path(newName), d.path(journalName))
	}
	if err != nil {
		f.Close()
		return err
	}
	d.syncFolder()
	d.file, d.beat = f, time.Now()
	d.size, d.short = int64(len(text)), int64(len(text))
	return nil
}

// syncFolder makes the new name outlast a crash, where the system can do that.
func (d *disk) syncFolder() {
	if f, err := os.Open(d.dir); err == nil {
		_ = f.Sync()
		f.Close()
	}
}

func (d *disk) letGo() {
	if d.file != nil {
		d.file.Close()
		d.file = nil
	}
}

// close gives the folder to the next gateway.
func (d *disk) close() {
	d.letGo()
	if d.lock != nil {
		d.lock.Close()
		d.lock = nil
	}
}
