package web

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// certFolder is a folder with tls.crt and tls.key, serial number 1.
func certFolder(t *testing.T) (dir, certFile, keyFile string) {
	t.Helper()
	dir = t.TempDir()
	cert, key := issue(t, 1, "mles.example")
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	write(t, certFile, cert)
	write(t, keyFile, key)
	return dir, certFile, keyFile
}

// serveFiles serves the pair and returns the address and the log.
func serveFiles(t *testing.T, certFile, keyFile string) (string, *journal) {
	t.Helper()
	log := new(journal)
	certs, err := NewFiles(certFile, keyFile, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { certs.Close() })
	return listen(t, certs.TLSConfig("http/1.1")), log
}

func TestFilesReplacedByRename(t *testing.T) {
	dir, certFile, keyFile := certFolder(t)
	addr, _ := serveFiles(t, certFile, keyFile)
	if got := shown(t, addr); got != 1 {
		t.Fatalf("serial number %d", got)
	}
	for serial := int64(2); serial < 5; serial++ {
		cert, key := issue(t, serial, "mles.example")
		write(t, filepath.Join(dir, "new"), cert)
		if err := os.Rename(filepath.Join(dir, "new"), certFile); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "new"), key)
		if err := os.Rename(filepath.Join(dir, "new"), keyFile); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the renamed pair is shown", func() bool { return shown(t, addr) == serial })
	}
}

func TestFilesWrittenInPlace(t *testing.T) {
	_, certFile, keyFile := certFolder(t)
	addr, _ := serveFiles(t, certFile, keyFile)
	cert, key := issue(t, 2, "mles.example")
	write(t, certFile, cert)
	write(t, keyFile, key)
	eventually(t, "the new pair is shown", func() bool { return shown(t, addr) == 2 })
}

// Kubernetes mounts tls.crt as a link to ..data/tls.crt and ..data as a link to a dated folder; an update makes a new
// folder, renames a new ..data over the old one and removes the old folder. Twice, since the second update must be
// seen from the folder that the first one brought.
func TestFilesSwitchedByLink(t *testing.T) {
	dir := t.TempDir()
	publish := func(serial int64, folder, before string) {
		t.Helper()
		cert, key := issue(t, serial, "mles.example")
		if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, folder, "tls.crt"), cert)
		write(t, filepath.Join(dir, folder, "tls.key"), key)
		if err := os.Symlink(folder, filepath.Join(dir, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
		if before != "" {
			if err := os.RemoveAll(filepath.Join(dir, before)); err != nil {
				t.Fatal(err)
			}
		}
	}
	publish(1, "..2026_01", "")
	for _, name := range []string{"tls.crt", "tls.key"} {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	addr, _ := serveFiles(t, filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
	publish(2, "..2026_02", "..2026_01")
	eventually(t, "the second pair is shown", func() bool { return shown(t, addr) == 2 })
	publish(3, "..2026_03", "..2026_02")
	eventually(t, "the third pair is shown", func() bool { return shown(t, addr) == 3 })
}

// The files lie elsewhere and the link to their folder is switched; nothing in the first folder changes.
func TestFilesBehindALinkedFolder(t *testing.T) {
	_, oldCert, _ := certFolder(t)
	newDir, newCert, newKey := certFolder(t)
	cert, key := issue(t, 2, "mles.example")
	write(t, newCert, cert)
	write(t, newKey, key)

	dir := t.TempDir()
	live := filepath.Join(dir, "live")
	if err := os.Symlink(filepath.Dir(oldCert), live); err != nil {
		t.Fatal(err)
	}
	addr, _ := serveFiles(t, filepath.Join(live, "tls.crt"), filepath.Join(live, "tls.key"))
	if got := shown(t, addr); got != 1 {
		t.Fatalf("serial number %d", got)
	}
	if err := os.Symlink(newDir, live+"2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(live+"2", live); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the pair of the other folder is shown", func() bool { return shown(t, addr) == 2 })
}

// Somebody copies a key that does not fit: clients go on seeing the old certificate, the log says so once, and the
// repaired pair is taken.
func TestBrokenPairKeepsTheOld(t *testing.T) {
	_, certFile, keyFile := certFolder(t)
	addr, log := serveFiles(t, certFile, keyFile)
	cert, key := issue(t, 2, "mles.example")
	_, wrong := issue(t, 3, "mles.example")
	write(t, keyFile, wrong)
	write(t, certFile, cert)
	const line = "the one before it stays"
	eventually(t, "the broken pair is logged", func() bool { return log.count(line) == 1 })
	if got := shown(t, addr); got != 1 {
		t.Errorf("serial number %d is shown", got)
	}
	write(t, filepath.Join(filepath.Dir(keyFile), "other"), nil) // an event that changes nothing of the pair
	time.Sleep(2 * settle)
	if n := log.count(line); n != 1 {
		t.Errorf("the broken pair was logged %d times", n)
	}
	write(t, keyFile, key)
	eventually(t, "the repaired pair is shown", func() bool { return shown(t, addr) == 2 })
	if log.count("BEGIN") > 0 {
		t.Error("the log holds what was in a file")
	}
}

// Without notifications, as on a network file system, the change is seen by looking.
func TestFilesPolled(t *testing.T) {
	_, certFile, keyFile := certFolder(t)
	p := &pair{certFile: certFile, keyFile: keyFile, log: new(journal).logger(), tasks: newTasks()}
	if err := p.load(); err != nil {
		t.Fatal(err)
	}
	p.tasks.run(func(ctx context.Context) { p.follow(ctx, nil, time.Millisecond) })
	defer p.tasks.stop()
	before := p.current.Load()
	cert, key := issue(t, 2, "mles.example")
	write(t, certFile, cert)
	write(t, keyFile, key)
	eventually(t, "the new pair is found", func() bool { return p.current.Load() != before })
}

func TestFilesThatDoNotFitAreRefusedAtStart(t *testing.T) {
	dir, certFile, keyFile := certFolder(t)
	_, wrong := issue(t, 2, "mles.example")
	write(t, filepath.Join(dir, "wrong.key"), wrong)
	for _, files := range [][2]string{
		{certFile, filepath.Join(dir, "wrong.key")},
		{certFile, filepath.Join(dir, "missing")},
		{keyFile, certFile},
	} {
		if certs, err := NewFiles(files[0], files[1], nil); err == nil {
			certs.Close()
			t.Errorf("%v was taken", files)
		}
	}
}

func TestFoldersToWatch(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"a", "b/c"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for at, to := range map[string]string{"a/crt": "../link/crt", "link": "b/c", "loop": "loop"} {
		if err := os.Symlink(to, filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	got := folders(filepath.Join(dir, "a/crt"))
	want := []string{filepath.Join(dir, "a"), dir, filepath.Join(dir, "b/c")}
	if !slices.Equal(got, want) {
		t.Errorf("folders %v, want %v", got, want)
	}
	folders(filepath.Join(dir, "loop/crt")) // ends
}
