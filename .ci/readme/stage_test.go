//go:build readme

package readme

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mles/.ci/hosts"
)

// A clone is what somebody has who got the repository a moment ago, and what the go command needs to build without a
// network: the modules, which this test was built from as well.
type clone struct {
	repository string
	installed  string // home of whoever ran go install
	modules    []string
}

// newClone clones what is committed.
func newClone(t *testing.T) *clone {
	t.Helper()
	c := &clone{repository: filepath.Join(t.TempDir(), "mles"), installed: newHome(t)}
	if out, err := exec.Command("git", "clone", "-q", "../..", c.repository).CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v: %s", err, out)
	}
	out, err := exec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Fields(string(out))
	c.modules = []string{"GOMODCACHE=" + caches[0], "GOCACHE=" + caches[1], "GOPROXY=off"}
	return c
}

// newHome makes a home folder of somebody who has not used anything yet. The go command would go on writing to it, for
// its statistics, after it has ended.
func newHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	hosts.WriteFile(t, filepath.Join(home, ".config", "go", "telemetry", "mode"), []byte("off"))
	return home
}

// A stage is a machine on which blocks of README.md are run: its ports are its own, it reaches nobody.
type stage struct {
	host *hosts.Host
	home string
	dir  string // where commands are run
	env  []string
}

// stage makes a machine with a user in dir, who has what go install has installed within reach.
func (c *clone) stage(t *testing.T, dir string) *stage {
	t.Helper()
	home := newHome(t)
	return &stage{host: hosts.New(t), home: home, dir: dir, env: c.env(home)}
}

// env is what somebody's commands find in the environment besides what the machine has.
func (c *clone) env(home string) []string {
	return append([]string{
		"HOME=" + home, "XDG_CACHE_HOME=", "XDG_CONFIG_HOME=", "GOPATH=", "GOBIN=",
		"PATH=" + filepath.Join(c.installed, "go", "bin") + ":" + os.Getenv("PATH"),
	}, c.modules...)
}

// start runs a block in pipes.
func (s *stage) start(t *testing.T, block string, env ...string) *hosts.Program {
	t.Helper()
	return s.run(t, hosts.Command{}, block, env)
}

// startOnTerminal runs a block on a terminal of its own.
func (s *stage) startOnTerminal(t *testing.T, block string) *hosts.Program {
	t.Helper()
	return s.run(t, hosts.Command{Terminal: true}, block, nil)
}

// run has bash run a block. It becomes the program where the block is one command, so that a signal reaches that.
func (s *stage) run(t *testing.T, c hosts.Command, block string, env []string) *hosts.Program {
	t.Helper()
	c.Name, c.Dir, c.Env = block, s.dir, append(s.env, env...)
	return s.host.Start(t, c, "bash", "-c", block)
}

// does runs a block to its end and expects an exit status.
func (s *stage) does(t *testing.T, status int, block string, env ...string) *hosts.Program {
	t.Helper()
	p := s.start(t, block, env...)
	p.Stdin.Close()
	return ends(t, p, status)
}

// ends waits for the end of a program and expects an exit status.
func ends(t *testing.T, p *hosts.Program, status int) *hosts.Program {
	t.Helper()
	err := p.Wait(t)
	var exit *exec.ExitError
	switch {
	case err == nil && status == 0:
	case errors.As(err, &exit) && exit.ExitCode() == status:
	default:
		t.Fatalf("%s: %v, want exit status %d; it printed %q", p.Name, err, status, p.Screen())
	}
	return p
}

// builds runs a block that compiles, which may take its time, and returns what it printed.
func (s *stage) builds(t *testing.T, block string) (out string) {
	t.Helper()
	cmd := exec.Command("bash", "-c", block)
	cmd.Dir, cmd.Env = s.dir, append(cmd.Environ(), s.env...)
	var text []byte
	var err error
	s.host.Do(func() { text, err = cmd.CombinedOutput() })
	if err != nil {
		t.Fatalf("%s: %v: %s", block, err, text)
	}
	return string(text)
}

// listening waits until ports of the stage answer, on IPv4.
func (s *stage) listening(t *testing.T, ports ...int) {
	t.Helper()
	for _, port := range ports {
		s.host.Listening(t, fmt.Sprintf("127.0.0.1:%d", port))
	}
}

// silent expects that nobody listens on a port of the stage.
func (s *stage) silent(t *testing.T, port int) {
	t.Helper()
	if nc, err := s.host.Dial(fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
		nc.Close()
		t.Errorf("somebody listens on port %d", port)
	}
}

// members waits until so many members of a dialect are counted at the metrics address that README.md names.
func (s *stage) members(t *testing.T, dialect string, n int) {
	t.Helper()
	want := fmt.Sprintf("mles_members{dialect=%q} %d\n", dialect, n)
	hosts.Eventually(t, func() error {
		metrics, err := s.get("127.0.0.1:9077", "/metrics")
		if err == nil && !strings.Contains(metrics, want) {
			err = fmt.Errorf("the metrics do not say %q: %s", want, metrics)
		}
		return err
	})
}

// get asks an HTTP server of the stage.
func (s *stage) get(addr, path string) (string, error) {
	nc, err := s.host.Dial(addr)
	if err != nil {
		return "", err
	}
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(hosts.Patience))
	if _, err := fmt.Fprintf(nc, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(nc)
	if err == nil && !strings.Contains(string(answer), " 200 OK\r\n") {
		err = fmt.Errorf("GET %s: %s", path, answer)
	}
	return string(answer), err
}
