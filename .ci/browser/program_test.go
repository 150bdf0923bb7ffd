package browser

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is a running mlesd or mlesctl.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	exited chan struct{} // closed when it has ended and all is read

	mu    sync.Mutex
	lines []string // what it said, standard output and standard error
}

// run starts one of our programs.
func run(t *testing.T, env []string, name string, args ...string) *program {
	t.Helper()
	return begin(t, name, env, exec.Command(filepath.Join(programs, name), args...))
}

// begin starts a program, which ends with the test at the latest.
func begin(t *testing.T, name string, env []string, cmd *exec.Cmd) *program {
	t.Helper()
	p := &program{t: t, cmd: cmd, exited: make(chan struct{})}
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
	go func() {
		defer close(p.exited)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, s.Text())
			p.mu.Unlock()
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, strings.Join(p.lines, "\n"))
		}
	})
	return p
}

func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// drains has it end by SIGTERM.
func (p *program) drains() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	<-p.exited
}

// types gives it a line.
func (p *program) types(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// said are the lines that hold all of these.
func (p *program) said(words ...string) (lines []string) {
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

// says waits for such a line.
func (p *program) says(words ...string) string {
	p.t.Helper()
	var lines []string
	eventually(p.t, "it says "+strings.Join(words, ", "), func() bool {
		lines = p.said(words...)
		return len(lines) > 0
	})
	return lines[0]
}
