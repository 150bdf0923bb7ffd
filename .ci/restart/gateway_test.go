//go:build restart

package restart

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// sharedKey is the key of both dialects.
const sharedKey = "restart-shared-key"

// mlesd is the program that TestMain built.
var mlesd string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "mles-restart")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		mlesd = filepath.Join(dir, "mlesd")
		build := exec.Command("go", "build", "-o", mlesd, "./cmd/mlesd")
		build.Dir = "../.."
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "restart: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// gateway is one mlesd after the other.
type gateway struct {
	t       *testing.T
	v1, v2  string // addresses
	args    []string
	sockets []*os.File // held for it, as systemd does; none: it listens itself

	cmd    *exec.Cmd
	exited chan struct{}

	mu  sync.Mutex
	log []string
}

// newGateway finds addresses, and listens there if the sockets are to be passed.
func newGateway(t *testing.T, passes bool, args ...string) *gateway {
	t.Helper()
	g := &gateway{t: t}
	for _, addr := range []*string{&g.v1, &g.v2} {
		l := listen(t)
		*addr = l.Addr().String()
		if passes {
			f, err := l.File()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			g.sockets = append(g.sockets, f)
		}
		defer l.Close() // when both are known
	}
	g.args = append([]string{"--admin-listen=off", "--cache=" + t.TempDir(), "--history-limit=100000", "--log-format=text"}, args...)
	if !passes {
		g.args = append(g.args, "--v1-listen="+g.v1, "--v2-listen="+g.v2)
	}
	return g
}

// listen takes a port that is free, and below those that the system gives to clients, who could take it while no gateway
// runs.
func listen(t *testing.T) *net.TCPListener {
	t.Helper()
	var conf net.ListenConfig
	conf.SetMultipathTCP(false)
	for port := 20000 + os.Getpid()%10000; port < 32000; port++ {
		if l, err := conf.Listen(t.Context(), "tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return l.(*net.TCPListener)
		}
	}
	t.Fatal("no free port")
	return nil
}

// start runs the next mlesd, and does not wait for anything.
func (g *gateway) start() {
	g.t.Helper()
	// Only the process itself knows its LISTEN_PID. It must not outlive a test process that is killed.
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`, mlesd}, g.args...)...)
	cmd.Env = append(os.Environ(), "MLES_KEY="+sharedKey)
	if len(g.sockets) > 0 {
		cmd.Env = append(cmd.Env, "LISTEN_FDS=2", "LISTEN_FDNAMES=v1:v2")
		cmd.ExtraFiles = g.sockets
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		g.t.Fatal(err)
	}
	exited := make(chan struct{})
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // whose end would be taken for ours
		started <- cmd.Start()
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			g.mu.Lock()
			g.log = append(g.log, lines.Text())
			g.mu.Unlock()
		}
		_ = cmd.Wait()
		close(exited)
	}()
	if err := <-started; err != nil {
		g.t.Fatal(err)
	}
	g.cmd, g.exited = cmd, exited
}

// end ends it by a signal and waits for that.
func (g *gateway) end(s syscall.Signal) {
	g.t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		g.t.Fatal(err)
	}
	select {
	case <-g.exited:
	case <-time.After(30 * time.Second):
		g.t.Fatalf("mlesd does not end:\n%s", g.tail())
	}
	if status := g.cmd.ProcessState.ExitCode(); s == syscall.SIGTERM && status != 0 {
		g.t.Errorf("exit status %d:\n%s", status, g.tail())
	}
}

// tail is the end of the log, without what each client costs.
func (g *gateway) tail() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Join(g.log[max(0, len(g.log)-40):], "\n")
}

// check makes sure that no mlesd complained of what must not be.
func (g *gateway) check() {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, line := range g.log {
		for _, bad := range []string{"panic:", "fatal error:", "set aside", "not kept", "level=ERROR"} {
			if strings.Contains(line, bad) {
				g.t.Errorf("mlesd logged: %s", line)
			}
		}
	}
}
