package acme

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is a running mlesd or pebble.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	exited chan struct{} // closed when it has ended and all is read

	mu    sync.Mutex
	lines []string // what it said, standard output and standard error
}

// run starts a program, which ends with the test at the latest.
func run(t *testing.T, env []string, name string, args ...string) *program {
	t.Helper()
	p := &program{t: t, exited: make(chan struct{})}
	p.cmd = exec.Command(filepath.Join(programs, name), args...)
	p.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "MLES") }), env...)
	out, err := p.cmd.StdoutPipe()
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

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// count counts the lines that hold all of these.
func (p *program) count(words ...string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
line:
	for _, l := range p.lines {
		for _, w := range words {
			if !strings.Contains(l, w) {
				continue line
			}
		}
		n++
	}
	return n
}

// says waits for such a line.
func (p *program) says(words ...string) {
	p.t.Helper()
	what := strings.Join(words, ", ")
	eventually(p.t, what, func() bool {
		ended := false
		select {
		case <-p.exited:
			ended = true
		default:
		}
		said := p.count(words...) > 0
		if ended && !said {
			p.t.Fatalf("it has ended without saying %s", what)
		}
		return said
	})
}
