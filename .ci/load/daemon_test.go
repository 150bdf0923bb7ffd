//go:build load

package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sharedKey is the key of both dialects in every case.
const sharedKey = "load-shared-key"

// raceDetector has mlesd built with it: memory is not judged then.
var raceDetector = os.Getenv("LOAD_RACE") != ""

// programs is the folder of what TestMain built.
var programs string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if err := raiseDescriptors(24_000); err != nil {
			fmt.Fprintln(os.Stderr, "load:", err)
			return 1
		}
		dir, err := os.MkdirTemp("", "mles-load")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		programs = dir
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, "load:", err)
			return 1
		}
		return m.Run()
	}())
}

// raiseDescriptors allows want open files, or as many as the system lets us have.
func raiseDescriptors(want uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	raised := syscall.Rlimit{Cur: want, Max: max(want, limit.Max)}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err == nil {
		return nil
	}
	limit.Cur = limit.Max
	if limit.Cur < 11_000 {
		return fmt.Errorf("%d open files at most, the idle cases need 11,000: raise the hard limit (ulimit -Hn)", limit.Max)
	}
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// build makes mlesd with the hook in it.
func build(dir string) error {
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(root, "cmd/mlesd/loadhook.go"): filepath.Join(root, ".ci/load/testdata/hook.go"),
	}})
	if err != nil {
		return err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		return err
	}
	args := []string{"build", "-overlay", file, "-o", filepath.Join(dir, "mlesd")}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/mlesd")...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building mlesd: %w\n%s", err, out)
	}
	return nil
}

// daemon is a running mlesd with a listener of each kind on loopback.
type daemon struct {
	cmd    *exec.Cmd
	hook   *http.Client
	exited chan struct{}

	v1, v1s, wss, ws, admin string // addresses

	mu    sync.Mutex
	lines []string
	grown chan struct{} // closed when lines grow
}

// options of a daemon; the zero value is usual.
type options struct {
	descriptors int      // limit on open files; 0: as ours
	env         []string // besides keys and folders
}

var listening = regexp.MustCompile(`msg=listening flag=--(\S+) addr=(\S+)`)

// start runs mlesd until the test ends and waits until it listens everywhere.
func start(t *testing.T, o options, flags ...string) *daemon {
	t.Helper()
	dir := t.TempDir()
	sock := filepath.Join(dir, "hook")
	argv := append([]string{filepath.Join(programs, "mlesd"),
		"--v1-listen=127.0.0.1:0", "--v1-tls-listen=127.0.0.1:0", "--v2-listen=127.0.0.1:0",
		"--plain-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0", "--cache=" + dir}, flags...)
	if o.descriptors > 0 {
		argv = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, o.descriptors), "sh"}, argv...)
	}
	d := &daemon{cmd: exec.Command(argv[0], argv[1:]...), exited: make(chan struct{}), grown: make(chan struct{})}
	d.cmd.Env = append(append(os.Environ(), "MLES_KEY="+sharedKey, "LOAD_HOOK="+sock), o.env...)
	// The daemon must not outlive a test process that is killed; the thread that starts it must stay for that.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	log, err := d.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		started <- d.cmd.Start()
		d.readLog(log)
		d.cmd.Wait()
		close(d.exited)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t) })
	d.hook = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", sock)
	}}}
	for flag, addr := range map[string]*string{
		"v1-listen": &d.v1, "v1-tls-listen": &d.v1s, "v2-listen": &d.wss, "plain-listen": &d.ws, "admin-listen": &d.admin,
	} {
		line := d.awaitLog(t, 1, 10*time.Second, "msg=listening flag=--"+flag+" ")[0]
		*addr = listening.FindStringSubmatch(line)[2]
	}
	return d
}

// stop ends the daemon; if it had ended before, the case has failed.
func (d *daemon) stop(t *testing.T) {
	select {
	case <-d.exited:
		t.Errorf("mlesd ended by itself: %v", d.cmd.ProcessState)
	default:
		d.cmd.Process.Kill()
		<-d.exited
	}
	for i, l := range d.lines {
		if strings.HasPrefix(l, "panic:") || strings.HasPrefix(l, "fatal error:") || strings.Contains(l, "DATA RACE") {
			t.Errorf("mlesd logged, and %d lines more:\n%s", len(d.lines)-i, strings.Join(d.lines[i:min(len(d.lines), i+60)], "\n"))
			break
		}
	}
}

func (d *daemon) readLog(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		d.mu.Lock()
		d.lines = append(d.lines, lines.Text())
		close(d.grown)
		d.grown = make(chan struct{})
		d.mu.Unlock()
	}
}

// log returns the lines so far that hold all parts.
func (d *daemon) log(parts ...string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return matching(d.lines, parts)
}

func matching(lines, parts []string) (found []string) {
next:
	for _, l := range lines {
		for _, p := range parts {
			if !strings.Contains(l, p) {
				continue next
			}
		}
		found = append(found, l)
	}
	return found
}

func (d *daemon) tail(n int) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lines[max(0, len(d.lines)-n):]
}

// awaitLog waits until n lines hold all parts.
func (d *daemon) awaitLog(t *testing.T, n int, patience time.Duration, parts ...string) []string {
	t.Helper()
	deadline := time.After(patience)
	for {
		d.mu.Lock()
		found, grown := matching(d.lines, parts), d.grown
		d.mu.Unlock()
		if len(found) >= n {
			return found
		}
		select {
		case <-grown:
			time.Sleep(20 * time.Millisecond) // many come at once
		case <-deadline:
			t.Fatalf("%d of %d log lines with %q after %s; last lines:\n%s", len(found), n, parts, patience, strings.Join(d.tail(20), "\n"))
		case <-d.exited:
			t.Fatalf("mlesd ended while %q was awaited; last lines:\n%s", parts, strings.Join(d.tail(20), "\n"))
		}
	}
}

// status returns a size from /proc/PID/status in bytes: VmRSS, VmHWM.
func (d *daemon) status(t testing.TB, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in %s", field, text)
	return 0
}

// descriptors is how many files the daemon has open.
func (d *daemon) descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// within checks that the daemon has never taken more memory than limit.
func (d *daemon) within(t *testing.T, limit int64) {
	t.Helper()
	if peak := d.status(t, "VmHWM"); peak > limit && !raceDetector {
		t.Errorf("resident memory reached %s, limit %s", mib(peak), mib(limit))
	}
}

// collect has the daemon collect its garbage (gc) or also give it back to the system (free).
func (d *daemon) collect(t *testing.T, how string) runtime.MemStats {
	t.Helper()
	var m runtime.MemStats
	if err := json.Unmarshal(d.ask(t, "/"+how), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// ask gets a path from the hook.
func (d *daemon) ask(t *testing.T, path string) []byte {
	t.Helper()
	answer, err := d.hook.Get("http://hook" + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// profile leaves heap and goroutine profiles where LOAD_PROFILES says, if it does.
func (d *daemon) profile(t *testing.T, name string) {
	dir := os.Getenv("LOAD_PROFILES")
	if dir == "" {
		return
	}
	for _, kind := range []string{"heap", "goroutine"} {
		file := filepath.Join(dir, name+"."+kind)
		if err := os.WriteFile(file, d.ask(t, "/debug/pprof/"+kind), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// metric sums the samples of a metric.
func (d *daemon) metric(t *testing.T, name string) float64 {
	t.Helper()
	client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + d.admin + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	sum, found := 0.0, false
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), name)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		n, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum, found = sum+n, true
	}
	if err := errors.Join(lines.Err(), answer.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if !found && !strings.HasSuffix(name, "_total") {
		t.Fatalf("no metric %s", name)
	}
	return sum
}

// field returns a log line's value for key.
func field(line, key string) string {
	_, rest, ok := strings.Cut(line, " "+key+"=")
	if !ok {
		return ""
	}
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		value, _ := strconv.Unquote(quoted)
		return value
	}
	value, _, _ := strings.Cut(rest, " ")
	return value
}

// settles waits until what f measures is at most want, and returns it.
func settles(t *testing.T, what string, want float64, patience time.Duration, f func() float64) float64 {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		got := f()
		if got <= want {
			return got
		}
		if time.Now().After(deadline) {
			t.Errorf("%s is %g after %s, want at most %g", what, got, patience, want)
			return got
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func mib(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }
func kib(n int64) string { return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10)) }
