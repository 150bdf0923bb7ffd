//go:build linux

package main

import (
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"mles/v1"
)

// activated is a command that runs mlesd with sockets as systemd passes them, which stay the test's own, too.
func activated(t *testing.T, names string, sockets []syscall.Conn, args ...string) *exec.Cmd {
	t.Helper()
	// Only the process itself knows its LISTEN_PID.
	cmd := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec mlesd "$@"`, "mlesd"}, args...)...)
	cmd.Env = append(os.Environ(), "GORACE="+quickRace, "XDG_CACHE_HOME="+t.TempDir(),
		"LISTEN_FDNAMES="+names, "LISTEN_FDS="+string(rune('0'+len(sockets))))
	for _, s := range sockets {
		f, err := s.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	return cmd
}

func listenTCP(t *testing.T, addr string) *net.TCPListener {
	t.Helper()
	conf := new(net.ListenConfig)
	conf.SetMultipathTCP(false) // Go's own default
	l, err := conf.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*net.TCPListener)
}

// usualArgs run mlesd without anything but the sockets it is passed.
var usualArgs = []string{"--v1-listen=off", "--v2-listen=off", "--admin-listen=off", "--log-format=json", "--log-level=debug"}

// systemd listens: alice and carol connect while no gateway runs, by two sockets of one name, and are served when it has
// started; so is dave, who comes after it has ended, by the next one.
func TestSocketsOutliveTheGateway(t *testing.T) {
	one, two, admin := listenTCP(t, "127.0.0.1:0"), listenTCP(t, "127.0.0.1:0"), listenTCP(t, "127.0.0.1:0")
	join := func(l net.Listener, uid string) *v1.ClientConn {
		c, err := new(v1.Dialer).Dial(t.Context(), l.Addr().String(), uid, "hall", []byte(uid+" is here"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.NetConn().SetDeadline(time.Now().Add(20 * time.Second))
		return c
	}
	begin := func() *process {
		return runCommand(t, activated(t, "v1:v1:admin", []syscall.Conn{one, two, admin}, usualArgs...))
	}
	hears := func(c *v1.ClientConn, what string) {
		t.Helper()
		for {
			m, err := c.Recv()
			if err != nil {
				t.Fatalf("waiting for %q: %v", what, err)
			}
			if string(m.Message) == what {
				return
			}
		}
	}
	alice := join(one, "alice")
	defer alice.Close()
	p := begin()
	p.line("joined", func(l map[string]any) bool { return l["uid"] == "alice" })
	carol := join(two, "carol")
	defer carol.Close()
	hears(alice, "carol is here")
	if status, _ := p.get("/readyz"); status != 200 {
		t.Errorf("/readyz is %d", status)
	}
	p.signal(syscall.SIGHUP) // a reload keeps them
	p.line("reloaded", nil)
	bob := join(one, "bob")
	defer bob.Close()
	hears(alice, "bob is here")
	p.signal(syscall.SIGTERM)
	if status := p.wait(); status != exitOK {
		t.Errorf("exit status %d", status)
	}

	dave := join(one, "dave")
	defer dave.Close()
	p = begin()
	erin := join(two, "erin")
	defer erin.Close()
	hears(dave, "erin is here")
	p.signal(syscall.SIGTERM)
	p.wait()
}

// What cannot be served is said in one line that names the socket: exit status 2.
func TestSocketsOfNoUse(t *testing.T) {
	tcp := listenTCP(t, "127.0.0.1:0")
	local, err := net.Listen("unix", t.TempDir()+"/s")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	accepted, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	for _, c := range []struct {
		names  string
		socket syscall.Conn
		want   []string
	}{
		{"mlesd.socket", tcp, []string{`"mlesd.socket"`, "FileDescriptorName="}},
		{"", tcp, []string{"FileDescriptorName="}},
		{"v1", local.(*net.UnixListener), []string{`"v1"`, "only TCP"}},
		{"v2", udp.(*net.UDPConn), []string{`"v2"`, "no TCP socket"}},
		{"plain", accepted.(*net.TCPConn), []string{`"plain"`, "Accept=no"}},
	} {
		cmd := activated(t, c.names, []syscall.Conn{c.socket}, usualArgs...)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = io.Discard, &said
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != exitUsage {
			t.Errorf("%s: exit status %d:\n%s", c.names, got, said.String())
		}
		if n := strings.Count(said.String(), "\n"); n != 1 {
			t.Errorf("%s: %d lines", c.names, n)
		}
		for _, want := range c.want {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%s: no %s in %s", c.names, want, said.String())
			}
		}
	}
}

// A socket of Multipath TCP is refused: the gateway could not find out whether a silent client lives.
func TestSocketOfMultipathTCP(t *testing.T) {
	conf := new(net.ListenConfig)
	conf.SetMultipathTCP(true)
	l, err := conf.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	protocol := 0
	raw, err := l.(*net.TCPListener).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { protocol, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_PROTOCOL) })
	}
	if err != nil || protocol != unix.IPPROTO_MPTCP {
		t.Skip("no Multipath TCP here")
	}
	cmd := activated(t, "v1", []syscall.Conn{l.(*net.TCPListener)}, usualArgs...)
	var said strings.Builder
	cmd.Stderr = &said
	_ = cmd.Run()
	if got := cmd.ProcessState.ExitCode(); got != exitUsage || !strings.Contains(said.String(), "SocketProtocol=mptcp") {
		t.Errorf("exit status %d: %s", got, said.String())
	}
}

// An admin listener that others reach is refused as it is with the flag, also if another of its sockets is on loopback.
func TestAdminSocketForEverybody(t *testing.T) {
	local, all := listenTCP(t, "127.0.0.1:0"), listenTCP(t, "0.0.0.0:0")
	p := passed{"--admin-listen": {local, all}}
	if a, ok := p.address("--admin-listen"); !ok || a.loopback() || a.String() != local.Addr().String()+" "+all.Addr().String() {
		t.Errorf("%s: loopback %v", a, a.loopback())
	}
	if a, ok := (passed{"--admin-listen": {local}}).address("--admin-listen"); !ok || !a.loopback() {
		t.Errorf("%s is not loopback", a)
	}
}

// Flags that systemd's sockets take the place of are named.
func TestSocketsBeforeFlags(t *testing.T) {
	l := listenTCP(t, "127.0.0.1:0")
	c, err := parseWith([]string{"--v1-listen=:1", "--v2-listen=off", "--admin-listen=off"}, io.Discard, passed{"--v1-listen": {l}})
	if err != nil {
		t.Fatal(err)
	}
	if c.v1.String() != l.Addr().String() {
		t.Errorf("v1 at %s", c.v1)
	}
	if len(c.keys.warnings) != 1 || !strings.Contains(c.keys.warnings[0], "--v1-listen :1 has no effect") {
		t.Errorf("warnings %q", c.keys.warnings)
	}
}
