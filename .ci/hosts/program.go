//go:build linux

package hosts

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long anything may take that is expected to happen.
const Patience = 10 * time.Second

// A Command says how a program is started.
type Command struct {
	Name     string   // for people; empty: its first argument
	Env      []string // beside the caller's environment, of which nothing that begins with MLES is passed on
	Dir      string   // empty: the caller's
	Terminal bool     // on a terminal of its own, without echo; else in pipes
}

// A Program is a running process and everything it has printed, standard output and error together.
type Program struct {
	Name  string
	Stdin io.WriteCloser

	cmd   *exec.Cmd
	ended chan struct{} // closed once the process has been waited for; err is its result
	err   error

	mu  sync.Mutex
	out bytes.Buffer
}

// Start runs argv on the host. The process is killed with the test at the latest; what it has started itself gets the
// end of its input, or of its terminal. If the test has failed by then, it logs what the program printed.
//
// A program that edits lines on a terminal may print what it was given.
func (h *Host) Start(t *testing.T, c Command, argv ...string) *Program {
	t.Helper()
	p := &Program{Name: c.Name, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	if p.Name == "" {
		p.Name = argv[0]
	}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MLES") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Dir, p.cmd.Env = c.Dir, append(p.cmd.Env, c.Env...)
	// A group of its own, so that what it has started itself (as go run does) is killed with it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: !c.Terminal}
	if c.Terminal {
		p.runOnTerminal(t, h)
	} else {
		p.runInPipes(t, h)
	}
	return p
}

func (p *Program) runInPipes(t *testing.T, h *Host) {
	t.Helper()
	var err error
	if p.Stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.run(t, h)
}

func (p *Program) runOnTerminal(t *testing.T, h *Host) {
	t.Helper()
	master, slave := openTerminal(t)
	p.cmd.Env = append(p.cmd.Env, "TERM=xterm")
	p.Stdin = master
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr.Setsid, p.cmd.SysProcAttr.Setctty = true, true
	p.run(t, h)
	slave.Close()
	go io.Copy(p, master) // ends when the cleanup below closes the master
	t.Cleanup(func() { master.Close() })
}

func (p *Program) run(t *testing.T, h *Host) {
	t.Helper()
	var err error
	h.Do(func() { err = p.cmd.Start() })
	if err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.Name, p.Screen())
		}
	})
}

// Kill ends the process at once, with its children, and waits for its end.
func (p *Program) Kill() {
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.ended
}

// Terminate asks the process to end, and expects it to do so well.
func (p *Program) Terminate(t *testing.T) {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.Wait(t); err != nil {
		t.Fatalf("%s after SIGTERM: %v", p.Name, err)
	}
}

// Wait returns how the process ended by itself.
func (p *Program) Wait(t *testing.T) error {
	t.Helper()
	return p.WaitFor(t, Patience)
}

// WaitFor does the same for a process that may take d.
func (p *Program) WaitFor(t *testing.T, d time.Duration) error {
	t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(d):
		t.Fatalf("%s does not end", p.Name)
		return nil
	}
}

// Write takes what the process prints.
func (p *Program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// Screen is everything printed so far.
func (p *Program) Screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// Says waits until the program has printed text.
func (p *Program) Says(t *testing.T, text string) {
	t.Helper()
	Eventually(t, func() error {
		if !strings.Contains(p.Screen(), text) {
			return fmt.Errorf("%s has not printed %q but %q", p.Name, text, p.Screen())
		}
		return nil
	})
}

// Types enters one line.
func (p *Program) Types(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(p.Stdin, line+"\n"); err != nil {
		t.Fatalf("%s takes no input: %v", p.Name, err)
	}
}

// Leaves ends the standard input of a program in a pipe, and expects it to end well.
func (p *Program) Leaves(t *testing.T) {
	t.Helper()
	p.Stdin.Close()
	if err := p.Wait(t); err != nil {
		t.Errorf("%s after the end of its input: %v", p.Name, err)
	}
}

// HangsUp types Ctrl-D on a terminal, and expects the program to end well.
func (p *Program) HangsUp(t *testing.T) {
	t.Helper()
	p.Stdin.Write([]byte{'D' - 'A' + 1})
	if err := p.Wait(t); err != nil {
		t.Errorf("%s after Ctrl-D: %v", p.Name, err)
	}
}

// Eventually repeats check until it succeeds; the last failure is reported.
func Eventually(t *testing.T, check func() error) {
	t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}
