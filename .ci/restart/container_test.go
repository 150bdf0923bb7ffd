//go:build restart

package restart

import (
	"context"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mles/v1"
)

// asContainer runs a program as a container does: as the first process of its own, on a root that cannot be written, with
// nothing on standard input.
const asContainer = `
mount --make-rprivate / && mount --bind / /mnt && mount -o remount,bind,ro /mnt &&
	mount --rbind /dev /mnt/dev && mount -t proc proc /mnt/proc || exit 99
exec chroot /mnt "$@" <&-`

// In a container the gateway is the first process, which the system has ignore each signal that it does not handle itself; there is
// no standard input, and nothing can be written. It serves, says what it cannot keep, reloads, drains, and ends with 0.
func TestInAContainer(t *testing.T) {
	l := listen(t)
	addr := l.Addr().String()
	l.Close()
	cmd := exec.Command("unshare", "--pid", "--fork", "--kill-child", "--mount", "sh", "-c", asContainer, "sh",
		mlesd, "--v1-listen="+addr, "--v2-listen=off", "--admin-listen=off")
	cmd.Env = append(os.Environ(), "HOME=/root", "MLES_KEY="+sharedKey)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	defer func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }()

	alice := joinsSoon(t, addr)
	defer alice.Close()
	first := childOf(t, cmd.Process.Pid)
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		if err := syscall.Kill(first, s); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond) // or the reload finds a gateway that drains
	}
	select {
	case err := <-over:
		if err != nil {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("does not end")
		_ = syscall.Kill(first, syscall.SIGKILL)
		<-over
	}
	for _, want := range []string{"msg=listening", "read-only file system", "msg=reloaded", "msg=drained"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %q in the log", want)
		}
	}
	if t.Failed() {
		t.Logf("log:\n%s", log.String())
	}
}

// joinsSoon joins when the gateway serves.
func joinsSoon(t *testing.T, addr string) *v1.ClientConn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	d := &v1.Dialer{Key: sharedKey, Dialer: net.Dialer{Timeout: time.Second}}
	for {
		c, err := d.Dial(ctx, addr, "alice", "hall", []byte("hello"))
		if err == nil {
			return c
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// childOf is the process that another one has started.
func childOf(t *testing.T, pid int) int {
	t.Helper()
	id := strconv.Itoa(pid)
	text, err := os.ReadFile("/proc/" + id + "/task/" + id + "/children")
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatalf("%q is no process", text)
	}
	return child
}
