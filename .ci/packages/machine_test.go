package packages

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// lintian, which holds packages to Debian's policy, finds no error and nothing to warn of.
func TestLintian(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("lintian", "--allow-root", "--fail-on", "error,warning", releases[0].file(t, "dist/*.deb")).CombinedOutput()
	if err != nil {
		t.Errorf("lintian: %v\n%s", err, out)
	}
}

// The deb from its installation to its purge, on a machine of its own: testdata/life.sh.
func TestLifeOfThePackage(t *testing.T) {
	t.Parallel()
	deb := releases[0].file(t, "dist/*.deb")
	root := t.TempDir()
	does(t, "tar", "-C", root, "-xf", filepath.Join(tools, "bookworm.tar"))
	life := filepath.Join(root, "life")
	does(t, "install", "-D", "-t", life, "testdata/life.sh")
	does(t, "install", "-D", "-m", "644", deb, filepath.Join(life, "1.deb"))
	later(t, deb, filepath.Join(life, "2.deb"))
	does(t, "install", "-m", "644", "testdata/life.service", filepath.Join(root, "etc/systemd/system"))
	if err := os.WriteFile(filepath.Join(root, "etc/hosts"), []byte("127.0.0.1 localhost\n::1 localhost\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	machine := exec.CommandContext(ctx, "systemd-nspawn", "--quiet", "--directory", root, "--machine", "mles-"+filepath.Base(root),
		"--private-network", "--register=no", "--keep-unit", "--console=pipe", "--boot", "systemd.unit=life.service")
	machine.Cancel = func() error { return machine.Process.Signal(os.Interrupt) }
	machine.WaitDelay = 10 * time.Second
	console, err := machine.CombinedOutput()
	log, missing := os.ReadFile(filepath.Join(life, "log"))
	if err != nil || missing != nil {
		t.Fatalf("systemd-nspawn: %v, %v\n%s\n%s", err, missing, console, log)
	}
	t.Logf("%s", log)
}

// later makes the package that deb is upgraded to: the same, with a later version.
func later(t *testing.T, deb, to string) {
	t.Helper()
	dir := t.TempDir()
	does(t, "dpkg-deb", "--raw-extract", deb, dir)
	control := filepath.Join(dir, "DEBIAN", "control")
	text, err := os.ReadFile(control)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`(?m)^Version: .*$`).ReplaceAll(text, []byte("${0}.later"))
	if err := os.WriteFile(control, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	does(t, "dpkg-deb", "--root-owner-group", "-Znone", "--build", dir, to)
}
