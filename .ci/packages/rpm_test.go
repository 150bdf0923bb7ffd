package packages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The rpm is one that rpm understands and can install: into a folder here, without its scripts and what it depends on,
// since this is no system of rpm.
func TestRPM(t *testing.T) {
	t.Parallel()
	pkg := releases[0].file(t, "dist/*.rpm")
	info := does(t, "rpm", "-qip", pkg)
	for _, want := range []string{"Name        : mles\n", "License     : MPL-2.0\n", "Architecture: "} {
		if !strings.Contains(info, want) {
			t.Errorf("no %q in\n%s", want, info)
		}
	}
	if conf := does(t, "rpm", "-qp", "--configfiles", pkg); strings.TrimSpace(conf) != "/etc/mles/mlesd.env" {
		t.Errorf("configuration files: %q", conf)
	}
	for name, script := range scripts(does(t, "rpm", "-qp", "--scripts", pkg)) {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		silent(t, "sh", "-n", file)
		if strings.Contains(script, "systemctl start") || strings.Contains(script, "enable ") && !strings.Contains(script, "disable ") {
			t.Errorf("%s starts something:\n%s", name, script)
		}
	}
	root := t.TempDir()
	does(t, "rpm", "--root", root, "--initdb")
	does(t, "rpm", "--root", root, "--install", "--nodeps", "--noscripts", "--ignorearch", "--nosignature", pkg)
	for _, name := range []string{
		"usr/bin/mlesd", "usr/bin/mlesctl", "usr/lib/systemd/system/mlesd.service", "usr/lib/systemd/system/mlesd-v1.socket", "usr/lib/sysusers.d/mles.conf",
		"etc/mles/mlesd.env", "usr/share/man/man8/mlesd.8.gz", "usr/share/man/man1/mlesctl.1.gz", "usr/share/zsh/site-functions/_mlesctl",
		"usr/share/doc/mles/LICENSE", "usr/share/doc/mles/third-party-licenses",
	} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
	if out := does(t, filepath.Join(root, "usr/bin/mlesd"), "--version"); !strings.HasPrefix(out, "mlesd v") {
		t.Errorf("mlesd --version: %s", out)
	}
}

// scripts are those of a package, by name, as rpm prints them.
func scripts(printed string) map[string]string {
	all := make(map[string]string)
	name := ""
	for line := range strings.Lines(printed) {
		if head, _, ok := strings.Cut(line, " scriptlet (using /bin/sh):"); ok {
			name = head
			continue
		}
		all[name] += line
	}
	return all
}
