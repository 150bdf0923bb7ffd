//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobody is a user who owns nothing.
const nobody = 65534

// asNobody returns a command of mlesd that somebody without rights runs, and a folder which that user can read only.
func asNobody(t *testing.T, args ...string) (cmd *exec.Cmd, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can become somebody else")
	}
	dir = t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := os.OpenFile(filepath.Join(dir, "mlesd"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(to.Name(), args...)
	cmd.Env = []string{"GORACE=" + quickRace, "HOME=" + dir}
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	return cmd, dir
}

// Who checks has no right to write to the folder, nor to read the keys: each is said.
func TestCheckWithoutRights(t *testing.T) {
	cmd, dir := asNobody(t, "--check", "--v1-listen=127.0.0.1:0", "--v2-listen=127.0.0.1:0", "--admin-listen=off", "--cache=theirs/mles", "--key-file=keys")
	if err := os.WriteFile(filepath.Join(dir, "keys"), []byte("swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitUsage {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{
		"mlesd: --key-file: open keys: permission denied\n",
		"mlesd: --cache theirs/mles: it cannot be made in " + dir + ": permission denied: let user ",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s does not say %s", out, want)
		}
	}
}

// What a start would find kept, and cannot use.
func TestCheckOfOthersFiles(t *testing.T) {
	cmd, dir := asNobody(t, "--check", "--v1-listen=127.0.0.1:0", "--v2-listen=off", "--admin-listen=127.0.0.1:0", "--cache=kept", "--pprof")
	kept := filepath.Join(dir, "kept")
	if err := os.MkdirAll(filepath.Join(kept, "history"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(kept, "admin-token"), []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{
		"warning: --cache kept: permission denied: nothing outlasts the process; let user ",
		"warning: --cache: the admin listener's token cannot be read: open kept/admin-token: permission denied",
		"warning: --cache: histories would not be kept over a restart: kept/history cannot be written to by user ",
		"profiles for the Go tools",
		"It would start, with 3 warnings.",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("%s does not say %s", out, want)
		}
	}
}
