//go:build interop

package interop

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

	"golang.org/x/sys/unix"
)

// patience is how long anything may take that is expected to happen.
const patience = 10 * time.Second

// A program is a running process and everything it has printed, standard output and error together.
type program struct {
	name  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ended chan struct{} // closed once the process has been waited for; err is its result
	err   error

	mu  sync.Mutex
	out bytes.Buffer
}

// start runs argv on the host with extra environment variables. The process gets no key from the caller's environment,
// and is killed with the test at the latest.
func (h *host) start(t *testing.T, name string, env []string, argv ...string) *program {
	t.Helper()
	p := newProgram(name, env, argv)
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.run(t, h)
	return p
}

// startOnTerminal is start for a program that wants a terminal; what is typed is not echoed by it. A program that edits
// lines itself may still print what it was given.
func (h *host) startOnTerminal(t *testing.T, name string, env []string, argv ...string) *program {
	t.Helper()
	master, slave := openTerminal(t)
	p := newProgram(name, append(env, "TERM=xterm"), argv)
	p.stdin = master
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = slave, slave, slave
	p.cmd.SysProcAttr.Setsid, p.cmd.SysProcAttr.Setctty = true, true
	p.run(t, h)
	slave.Close()
	go io.Copy(p, master) // ends when the cleanup below closes the master
	t.Cleanup(func() { master.Close() })
	return p
}

func newProgram(name string, env, argv []string) *program {
	p := &program{name: name, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MLES") {
			p.cmd.Env = append(p.cmd.Env, v)
		}
	}
	p.cmd.Env = append(p.cmd.Env, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return p
}

func (p *program) run(t *testing.T, h *host) {
	t.Helper()
	var err error
	h.do(func() { err = p.cmd.Start() })
	if err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s printed:\n%s", p.name, p.screen())
		}
	})
}

// kill ends the process at once and waits for its end.
func (p *program) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// terminate asks the process to end, and expects it to do so well.
func (p *program) terminate(t *testing.T) {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.wait(t); err != nil {
		t.Fatalf("%s after SIGTERM: %v", p.name, err)
	}
}

// wait returns how the process ended by itself.
func (p *program) wait(t *testing.T) error {
	t.Helper()
	select {
	case <-p.ended:
		return p.err
	case <-time.After(patience):
		t.Fatalf("%s does not end", p.name)
		return nil
	}
}

// Write takes what the process prints.
func (p *program) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(b)
}

// screen is everything printed so far.
func (p *program) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// says waits until the program has printed text.
func (p *program) says(t *testing.T, text string) {
	t.Helper()
	eventually(t, func() error {
		if !strings.Contains(p.screen(), text) {
			return fmt.Errorf("%s has not printed %q but %q", p.name, text, p.screen())
		}
		return nil
	})
}

// types enters one line.
func (p *program) types(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		t.Fatalf("%s takes no input: %v", p.name, err)
	}
}

// eventually repeats check until it succeeds; the last failure is reported.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// openTerminal returns both ends of a pseudo terminal without echo.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	quiet, err := unix.IoctlGetTermios(int(slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	quiet.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(slave.Fd()), unix.TCSETS, quiet); err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: 200}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}
