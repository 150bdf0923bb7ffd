package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mles/v1"
)

// journals are the files of histories that hold text.
func (p *process) journals(text string) (names []string) {
	p.t.Helper()
	all, err := filepath.Glob(filepath.Join(p.cache, "history", "journal-?"))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range all {
		b, err := os.ReadFile(name)
		if err != nil {
			p.t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) {
			names = append(names, name)
		}
	}
	return names
}

// next is a gateway that is started with the cache folder of p.
func (p *process) next(args ...string) *process {
	p.t.Helper()
	n := start(p.t, nil, append([]string{"--cache=" + p.cache}, args...)...)
	n.cache = p.cache
	return n
}

// remembers waits until bob on v2 is told what was said.
func (p *process) remembers(what string) {
	p.t.Helper()
	bob := p.dialV2("", "bob")
	if got := heard(p.t, bob); got != what {
		p.t.Errorf("bob heard %q, want %q", got, what)
	}
}

// What alice says on v1 is there for bob on v2 when the gateway has been restarted, and once
// more, though nothing has been said in between.
func TestRestartKeepsHistories(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	p.remembers("hello bob")
	if _, metrics := p.get("/metrics"); !strings.Contains(metrics, "mles_history_kept 1\n") {
		t.Error("the metrics do not say that histories are kept")
	}
	p.stop()
	for _, file := range append(p.journals("hello bob"), filepath.Join(p.cache, "history", "lock")) {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", file, info.Mode(), err)
		}
	}
	if info, err := os.Stat(filepath.Join(p.cache, "history")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, %v", info.Mode(), err)
	}
	again := p.next()
	again.line("histories loaded", nil)
	again.remembers("hello bob")
	again.stop()
	once := again.next()
	once.remembers("hello bob")
	once.stop()
}

// A hard kill loses nothing that was saved.
func TestKillKeepsWhatWasSaved(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--history-save=1s")
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	for len(p.journals("hello bob")) == 0 {
		time.Sleep(20 * time.Millisecond)
	}
	p.signal(syscall.SIGKILL)
	p.wait()
	again := p.next()
	again.remembers("hello bob")
	again.stop()
}

// A second signal ends the gateway at once, and still saves.
func TestSecondSignalSaves(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--drain-time=1m", "--history-save=0")
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	p.remembers("hello bob")
	p.hangUp()
	defer p.deafV2().Close()
	p.signal(syscall.SIGTERM)
	p.line("signal received, draining; a second one ends at once", nil)
	p.signal(syscall.SIGTERM)
	p.wait()
	again := p.next()
	again.remembers("hello bob")
	again.stop()
}

// What is purged is on no disk when the answer comes.
func TestPurgeReachesTheDisk(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--history-save=1s")
	p.dialV1(new(v1.Dialer), "alice", "not for ever")
	for len(p.journals("not for ever")) == 0 {
		time.Sleep(20 * time.Millisecond)
	}
	token, err := os.ReadFile(filepath.Join(p.cache, "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", "http://"+p.addr("--admin-listen")+"/purge?channel=hall", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the answer is %s", resp.Status)
	}
	if left := p.journals("not for ever"); len(left) != 0 {
		t.Errorf("%q still hold it", left)
	}
	p.stop()
}

// A second gateway with the same folder serves, and says that it keeps no histories.
func TestTwoGatewaysOneFolder(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.dialV1(new(v1.Dialer), "alice", "to the first")
	p.remembers("to the first")
	second := p.next()
	second.line("histories are not kept over a restart: another gateway keeps its own in this folder; give each its --cache, or --history-save off", nil)
	second.dialV1(new(v1.Dialer), "alice", "to the second")
	second.remembers("to the second")
	if _, metrics := second.get("/metrics"); !strings.Contains(metrics, "mles_history_kept 0\n") {
		t.Error("the metrics do not say that histories are not kept")
	}
	second.stop()
	p.stop()
	if len(p.journals("to the first")) != 1 || len(p.journals("to the second")) != 0 {
		t.Error("the wrong histories are in the folder")
	}
}

// A gateway that is started while the one before drains waits for its histories.
func TestNextWaitsForHistories(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--drain-time=3s")
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	p.remembers("hello bob")
	p.hangUp()
	defer p.deafV2().Close() // which keeps it from being collected, and so closed
	p.signal(syscall.SIGTERM)
	p.line("signal received, draining; a second one ends at once", nil)
	lock := filepath.Join(p.cache, "history", "lock")
	for b, err := os.ReadFile(lock); err != nil || len(b) == 0; b, err = os.ReadFile(lock) {
		time.Sleep(time.Millisecond)
	}
	n := p.next()
	n.line("waiting for the gateway before to save its histories", nil)
	n.line("the gateway before has saved its histories", nil)
	n.remembers("hello bob")
	p.wait()
	n.stop()
}

// A damaged file is set aside, what can be read of it is used, and the gateway starts.
func TestDamagedHistories(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	p.remembers("hello bob")
	p.stop()
	name := p.journals("hello bob")[0]
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, bytes.Replace(b, []byte("v1ws"), []byte("v1wß"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	again := p.next()
	again.line("a file of histories is set aside; what could be read of it is used", nil)
	again.dialV1(new(v1.Dialer), "alice", "hello again")
	again.remembers("hello again")
	again.stop()
	if asides, _ := filepath.Glob(name + ".aside-*"); len(asides) != 1 {
		t.Errorf("set aside: %q", asides)
	}
	if len(p.journals("hello again")) != 1 {
		t.Error("nothing is saved after that")
	}
}

// Where the folder cannot be used, or is not wanted, the gateway starts.
func TestNoHistoriesOnDisk(t *testing.T) {
	t.Parallel()
	p := start(t, nil, "--history-save=off")
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	p.remembers("hello bob")
	p.stop()
	if _, err := os.Stat(filepath.Join(p.cache, "history")); err == nil {
		t.Error("there is a folder all the same")
	}
	if err := os.WriteFile(filepath.Join(p.cache, "history"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	n := p.next()
	n.line("histories are not kept over a restart: the folder cannot be used", nil)
	n.dialV1(new(v1.Dialer), "alice", "hello bob")
	n.remembers("hello bob")
	n.stop()
}
