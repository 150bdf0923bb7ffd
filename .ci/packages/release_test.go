package packages

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// goreleaser finds no fault in the configuration, that of all systems.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	out := does(t, filepath.Join(tools, "goreleaser"), "check", filepath.Join("..", "..", ".goreleaser.yaml"))
	if strings.Contains(out, "deprecat") {
		t.Error(out)
	}
}

// Whoever builds the same commit gets the same bytes.
func TestReproducible(t *testing.T) {
	t.Parallel()
	one, another := sums(t, releases[0]), sums(t, releases[1])
	if len(one) < 6 {
		t.Fatalf("%d files in the release", len(one))
	}
	for name, sum := range one {
		if another[name] != sum {
			t.Errorf("%s differs between two releases of one commit", name)
		}
	}
	for name := range another {
		if _, ok := one[name]; !ok {
			t.Errorf("%s is in one of two releases of one commit", name)
		}
	}
}

// sums are the check sums of packages, archives, programs and the file of check sums.
func sums(t *testing.T, r release) map[string][sha256.Size]byte {
	t.Helper()
	all := make(map[string][sha256.Size]byte)
	for _, pattern := range []string{"*.deb", "*.rpm", "*.tar.gz", "SHA256SUMS", "*/mlesd", "*/mlesctl"} {
		found, err := filepath.Glob(filepath.Join(r.root, "dist", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %q, %v", pattern, found, err)
		}
		for _, name := range found {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			rel, err := filepath.Rel(r.root, name)
			if err != nil {
				t.Fatal(err)
			}
			all[rel] = sha256.Sum256(data)
		}
	}
	return all
}

// The programs know the commit that they were built from.
func TestVersion(t *testing.T) {
	t.Parallel()
	commit := strings.TrimSpace(does(t, "git", "-C", releases[0].root, "rev-parse", "--short=12", "HEAD"))
	for _, program := range []string{"mlesd", "mlesctl"} {
		version := does(t, releases[0].file(t, "dist/"+program+"_*/"+program), "--version")
		if !strings.Contains(version, commit) || strings.Contains(version, "dirty") || strings.Contains(version, "modified") {
			t.Errorf("%s --version: %s, want commit %s", program, version, commit)
		}
	}
}

// The archive has what somebody without a package needs.
func TestArchive(t *testing.T) {
	t.Parallel()
	list := does(t, "tar", "-tzf", releases[0].file(t, "dist/*.tar.gz"))
	for _, name := range []string{
		"/mlesd", "/mlesctl", "/LICENSE", "/third-party-licenses", "/README.md", "/docs/operations.md", "/man/mlesd.8", "/man/mlesctl.1",
		"/mlesd.env", "/completions/mlesctl.bash", "/completions/mlesd.zsh", "/completions/mlesd.fish",
	} {
		if !strings.Contains(list, name+"\n") {
			t.Errorf("no %s in\n%s", name, list)
		}
	}
}
