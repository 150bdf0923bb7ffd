package packages

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// What TestMain has made.
var (
	tools    string // the folder of goreleaser and Debian
	releases [2]release
)

// A release is a clone of the repository in which goreleaser has run.
type release struct{ root string }

func TestMain(m *testing.M) { os.Exit(released(m)) }

// released makes the releases and runs the tests.
func released(m *testing.M) int {
	dir, err := os.MkdirTemp("", "packages")
	if err == nil {
		defer os.RemoveAll(dir)
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// prepare makes the two releases, in folders and in surroundings that differ.
func prepare(dir string) (err error) {
	if os.Getuid() != 0 {
		return errors.New("these tests need root")
	}
	if tools = os.Getenv("MLES_TOOLS"); tools == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return err
		}
		tools = filepath.Join(home, ".cache", "mles-tools")
	}
	if out, err := exec.Command("./tools.sh", tools).CombinedOutput(); err != nil {
		return fmt.Errorf("tools.sh: %w\n%s", err, out)
	}
	from := filepath.Join("..", "..")
	for i, place := range []struct {
		folder string
		env    []string
	}{
		{"one", nil},
		{"another/place", []string{"TZ=Asia/Tokyo", "LC_ALL=C.UTF-8", "USER=somebody"}},
	} {
		r := release{filepath.Join(dir, place.folder)}
		if err := r.make(from, place.env); err != nil {
			return err
		}
		releases[i], from = r, r.root // of the same commit, whatever is committed meanwhile
	}
	return nil
}

// targets is the line of .goreleaser.yaml that says for which systems programs are built.
var targets = regexp.MustCompile(`(?m)^( *targets:) .*$`)

// make clones the repository at from and has goreleaser run in the clone.
func (r release) make(from string, env []string) error {
	if out, err := exec.Command("git", "clone", "--quiet", from, r.root).CombinedOutput(); err != nil {
		return fmt.Errorf("git clone: %w\n%s", err, out)
	}
	config, err := os.ReadFile(filepath.Join(r.root, ".goreleaser.yaml"))
	if err != nil {
		return err
	}
	if len(targets.FindAll(config, -1)) != 1 {
		return errors.New(".goreleaser.yaml: want one line that begins with targets:")
	}
	here := r.root + ".yaml" // not in the clone, which would not be that commit any more
	if err := os.WriteFile(here, targets.ReplaceAll(config, []byte("$1 ["+runtime.GOOS+"_"+runtime.GOARCH+"]")), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(tools, "goreleaser"), "release", "--snapshot", "--clean", "--config", here)
	cmd.Dir, cmd.Env = r.root, append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("goreleaser: %w\n%s", err, out)
	}
	return nil
}

// file is the one file of the release that fits the pattern.
func (r release) file(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(r.root, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %q, %v; want one file", pattern, found, err)
	}
	return found[0]
}

// does runs a command, which must succeed, and returns what it prints, errors included.
func does(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// silent runs a command that has something to say only where it finds a fault.
func silent(t *testing.T, name string, args ...string) {
	t.Helper()
	if out := does(t, name, args...); strings.TrimSpace(out) != "" {
		t.Errorf("%s %s:\n%s", name, strings.Join(args, " "), out)
	}
}
