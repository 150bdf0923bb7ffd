// Package running has tests start programs and look at the lines that they say. What needs hosts and terminals of its
// own is package hosts.
package running

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Program is one that is running.
type Program struct {
	T        *testing.T // that it ends with
	cmd      *exec.Cmd
	patience time.Duration
	stdin    io.WriteCloser
	ended    chan struct{} // closed when it has ended and all is read

	mu    sync.Mutex
	lines []string // what it said, standard output and standard error
}

// Start starts a program, which ends with the test at the latest. Of the environment nothing that begins with MLES is
// passed on but what env has. What is waited for has to come within patience.
func Start(t *testing.T, patience time.Duration, env []string, cmd *exec.Cmd) *Program {
	t.Helper()
	p := &Program{T: t, cmd: cmd, patience: patience, ended: make(chan struct{})}
	p.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MLES") }), env...)
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.stdin, err = p.cmd.StdinPipe()
	}
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(out)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", cmd.Path, strings.Join(p.lines, "\n"))
		}
	})
	return p
}

func (p *Program) read(out io.Reader) {
	defer close(p.ended)
	for s := bufio.NewScanner(out); s.Scan(); {
		p.mu.Lock()
		p.lines = append(p.lines, s.Text())
		p.mu.Unlock()
	}
	_ = p.cmd.Wait()
}

// Kill ends it at once.
func (p *Program) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// Drains has it end by SIGTERM.
func (p *Program) Drains() {
	p.T.Helper()
	p.Signal(syscall.SIGTERM)
	<-p.ended
}

// Signal sends it a signal.
func (p *Program) Signal(s syscall.Signal) {
	p.T.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.T.Fatal(err)
	}
}

// Types gives it a line.
func (p *Program) Types(line string) {
	p.T.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.T.Fatal(err)
	}
}

// Said are the lines that hold all of these.
func (p *Program) Said(words ...string) (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
line:
	for _, l := range p.lines {
		for _, w := range words {
			if !strings.Contains(l, w) {
				continue line
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// Says waits for such a line, and returns the first.
func (p *Program) Says(words ...string) string {
	p.T.Helper()
	what := strings.Join(words, ", ")
	for end := time.Now().Add(p.patience); ; time.Sleep(20 * time.Millisecond) {
		ended := p.hasEnded() // before looking: all that it said is there then
		if lines := p.Said(words...); len(lines) > 0 {
			return lines[0]
		}
		if ended {
			p.T.Fatalf("it has ended without saying %s", what)
		}
		if time.Now().After(end) {
			p.T.Fatalf("not within %s: it says %s", p.patience, what)
		}
	}
}

func (p *Program) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}
