package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"mlesd": main})
}

// quickRace has a child that was built with -race not sleep for a second at its end.
const quickRace = "atexit_sleep_ms=0"

// leakChecked looks for leaked goroutines after the tests.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	status := l.m.Run()
	if status != 0 {
		return status
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", env.Getenv("WORK")+"/cache")
			env.Setenv("GORACE", quickRace)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": scriptStatus,
			"occupy": scriptOccupy,
			"issue":  scriptIssue,
		},
	})
}

// scriptStatus runs a command that must end with a status: status 2 mlesd --nonsense. If that is not 0, the command
// must have said so in one line on standard error.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N command [arg...]")
	}
	got := 0
	var failed *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &failed) {
		got = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
	if lines := strings.Count(ts.ReadFile("stderr"), "\n"); got != 0 && lines != 1 {
		ts.Fatalf("%d lines on standard error, want 1", lines)
	}
}

// scriptOccupy takes a free port on an address and stores it in a variable: occupy PORT 127.0.0.1.
func scriptOccupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: occupy VARIABLE host")
	}
	l, err := net.Listen("tcp", net.JoinHostPort(args[1], "0"))
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// process is a running mlesd.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout strings.Builder
	cache  string
	exited chan struct{} // closed when it has ended and all is read
	status int           // valid then

	clients []func() // end the test's own connections

	mu      sync.Mutex
	changed *sync.Cond // a line came or the process ended
	ended   bool
	lines   []map[string]any // of the JSON log
	raw     strings.Builder
}

// start runs mlesd with free ports and its own cache folder; args may override anything. env holds NAME=value pairs.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	cache := t.TempDir()
	// Shared loopback ports: IPv4 alone, so that no other test's ::1 is in the way.
	args = append([]string{"--v1-listen=127.0.0.1:0", "--v2-listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0",
		"--log-format=json", "--log-level=debug", "--cache=" + cache}, args...)
	p := run(t, env, args...)
	p.cache = cache
	return p
}

// startBare runs it with nothing but args; what is not among them is as for everybody.
func startBare(t *testing.T, args ...string) *process {
	t.Helper()
	cache := t.TempDir()
	p := run(t, []string{"XDG_CACHE_HOME=" + cache}, args...)
	p.cache = filepath.Join(cache, "mles")
	return p
}

// run runs it.
func run(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	cmd := exec.Command("mlesd", args...)
	cmd.Env = append(os.Environ(), "XDG_CACHE_HOME="+t.TempDir(), "GORACE="+quickRace)
	cmd.Env = append(cmd.Env, env...)
	return runCommand(t, cmd)
}

// runCommand runs it as cmd.
func runCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, exited: make(chan struct{})}
	p.changed = sync.NewCond(&p.mu)
	p.cmd.Stdout = &p.stdout
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(bufio.NewScanner(stderr))
	t.Cleanup(func() {
		p.hangUp()
		_ = p.cmd.Process.Kill()
		<-p.exited
		if t.Failed() {
			t.Logf("log of mlesd:\n%s", p.log())
		}
	})
	return p
}

func (p *process) read(stderr *bufio.Scanner) {
	defer close(p.exited)
	for stderr.Scan() {
		var line map[string]any
		_ = json.Unmarshal(stderr.Bytes(), &line) // a line that is none is kept as text
		p.mu.Lock()
		p.lines = append(p.lines, line)
		fmt.Fprintln(&p.raw, stderr.Text())
		p.changed.Broadcast()
		p.mu.Unlock()
	}
	_ = p.cmd.Wait() // the status says it
	p.status = p.cmd.ProcessState.ExitCode()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.changed.Broadcast()
}

// line waits for a line of the log with this message that fits, and returns it.
func (p *process) line(msg string, fits func(map[string]any) bool) map[string]any {
	p.t.Helper()
	stop := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer stop.Stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	for seen := 0; ; {
		for ; seen < len(p.lines); seen++ {
			if l := p.lines[seen]; l["msg"] == msg && (fits == nil || fits(l)) {
				return l
			}
		}
		if p.ended {
			p.t.Fatalf("mlesd never logged %q:\n%s", msg, p.raw.String())
		}
		p.changed.Wait()
	}
}

// addr waits until the listener of a flag is open and returns its address.
func (p *process) addr(flag string) string {
	p.t.Helper()
	return p.line("listening", func(l map[string]any) bool { return l["flag"] == flag })["addr"].(string)
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits for the end and returns the exit status, -1 if a signal ended it.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		p.t.Fatal("mlesd does not end")
	}
	return p.status
}

func (p *process) hangUp() {
	for _, hangUp := range p.clients {
		hangUp()
	}
	p.clients = nil
}

// stop ends it as an operator does, with nobody there any more, and checks that it went well.
func (p *process) stop() {
	p.t.Helper()
	p.hangUp()
	p.signal(syscall.SIGTERM)
	if status := p.wait(); status != exitOK {
		p.t.Errorf("exit status %d after SIGTERM", status)
	}
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.raw.String()
}
