package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long the files must have been quiet before they are read: tools write the certificate and the key
	// one after the other, and between the two they do not fit each other.
	settle = 200 * time.Millisecond
	// settleAtMost bounds that, for a folder in which there is never quiet.
	settleAtMost = 2 * time.Second
	// pollEvery is how often they are read without any notification, which network file systems do not give.
	pollEvery = time.Minute
	// maxPEM bounds what is read of either file; a chain has a few KiB.
	maxPEM = 1 << 20
)

// NewFiles returns the certificate in certFile (PEM, the chain after it) with the key in keyFile (PEM), and follows the
// files: written in place, replaced by renaming, or switched by a symbolic link anywhere in their paths, as certbot and
// Kubernetes do. A new pair that is broken is logged once and the one before it stays.
//
// It fails if the pair cannot be read or does not fit together now.
func NewFiles(certFile, keyFile string, log *slog.Logger) (*Certificates, error) {
	p := &pair{certFile: certFile, keyFile: keyFile, log: logger(log), tasks: newTasks()}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		p.log.Warn("the certificate files are looked at only once a minute", "err", err)
	}
	p.watch(watcher) // before the files are read, so that no change falls between
	if err := p.load(); err != nil {
		if watcher != nil {
			_ = watcher.Close()
		}
		return nil, err
	}
	p.tasks.run(func(ctx context.Context) { p.follow(ctx, watcher, pollEvery) })
	return &Certificates{get: p.get, tasks: p.tasks, status: p.status}, nil
}

// pair is a certificate file with its key file.
type pair struct {
	// Fixed after construction.
	certFile, keyFile string
	log               *slog.Logger
	tasks             *tasks

	current  atomic.Pointer[tls.Certificate]
	troubles troubles

	// Owned by the goroutine that follows the files.
	seen [sha256.Size]byte // of what was looked at last, good or not
}

func (p *pair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return p.current.Load(), nil
}

// load reads the pair and shows it from now on; content that was looked at before is passed over, so that a broken
// pair is an error only once.
func (p *pair) load() error {
	cert, err := readPEM(p.certFile)
	var key []byte
	if err == nil {
		key, err = readPEM(p.keyFile)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %s %v", len(cert), cert, key, err))
	if sum == p.seen {
		return nil
	}
	p.seen = sum
	var loaded tls.Certificate
	if err == nil {
		if loaded, err = tls.X509KeyPair(cert, key); err != nil {
			err = fmt.Errorf("%s with %s: %w", p.certFile, p.keyFile, err)
		}
	}
	p.troubles.note(err)
	if err != nil {
		return err
	}
	p.current.Store(&loaded)
	p.log.Info("certificate loaded", "file", p.certFile, "names", loaded.Leaf.DNSNames, "until", loaded.Leaf.NotAfter)
	if time.Now().After(loaded.Leaf.NotAfter) {
		p.log.Warn("the certificate has expired", "file", p.certFile, "until", loaded.Leaf.NotAfter)
	}
	return nil
}

// readPEM reads a file with certificates or a key.
func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(f, maxPEM)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// follow loads the pair again when something beside it has changed, and every poll. It owns watcher, which may be nil.
func (p *pair) follow(ctx context.Context, watcher *fsnotify.Watcher, poll time.Duration) {
	var events <-chan fsnotify.Event
	var failures <-chan error
	if watcher != nil {
		defer watcher.Close()
		events, failures = watcher.Events, watcher.Errors
	}
	next := time.NewTimer(poll)
	defer next.Stop()
	var first time.Time // of the events since the last look
	for {
		select {
		case <-ctx.Done():
			return
		case <-events:
			if first.IsZero() {
				first = time.Now()
			}
			next.Reset(min(settle, time.Until(first.Add(settleAtMost))))
			continue
		case err := <-failures: // events may be lost
			p.log.Warn("watching the certificate files", "err", err)
			next.Reset(settle)
			continue
		case <-next.C:
		}
		p.watch(watcher)
		if err := p.load(); err != nil {
			p.log.Error("the new certificate is not used, the one before it stays", "err", err)
		}
		first = time.Time{}
		next.Reset(poll)
	}
}

// watch has the watcher look at every folder in which a change can change the files. Folders and not files: a file that
// is renamed over takes its watch with it.
func (p *pair) watch(watcher *fsnotify.Watcher) {
	if watcher == nil {
		return
	}
	want := append(folders(p.certFile), folders(p.keyFile)...)
	for _, have := range watcher.WatchList() {
		if !slices.Contains(want, have) {
			_ = watcher.Remove(have) // it may be gone already
		}
	}
	for _, folder := range want {
		if err := watcher.Add(folder); err != nil {
			p.log.Debug("a folder cannot be watched", "folder", folder, "err", err)
		}
	}
}

// folders returns the folder that really holds path, and each that holds a symbolic link on the way to it.
func folders(path string) []string {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	const slash = string(filepath.Separator)
	root := filepath.VolumeName(path) + slash
	var found []string
	dir, rest := root, strings.Split(path[len(root):], slash)
	for links := 0; len(rest) > 0 && links < 40; { // as many as the kernel follows
		at := filepath.Join(dir, rest[0])
		target, err := os.Readlink(at)
		if err != nil {
			dir, rest = at, rest[1:]
			continue
		}
		found = append(found, dir)
		links++
		if filepath.IsAbs(target) {
			dir, target = root, target[len(root):]
		}
		rest = append(strings.Split(target, slash), rest[1:]...)
	}
	return append(found, filepath.Dir(dir))
}
