//go:build interop

package interop

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// Names of the reference programs under the folder of references.sh.
const (
	mles1      = "v1/bin/mles"
	client1    = "v1c/bin/mles-client"
	mles2      = "v2/bin/mles"
	client2    = "v2c/bin/mles-client"
	webproxy   = "wp/bin/mles-webproxy"
	websocat   = "wc/bin/websocat"
	installing = "run .ci/references.sh"
)

// programs is a folder with mlesd and mlesctl: $MLES_INTEROP_PROGRAMS if set, else built from this tree. TestMain sets it
// before any test runs.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

// proved says what a scenario that has not failed proved, in one line on standard output. With -v the line stands with
// the scenario's other output; without, go test shows it where it is given no package but a folder (go -C .ci/interop test).
func proved(t *testing.T, format string, args ...any) {
	t.Helper()
	switch {
	case t.Failed():
	case testing.Verbose():
		t.Logf(format, args...)
	default:
		fmt.Printf("%s: %s\n", t.Name(), fmt.Sprintf(format, args...))
	}
}

func run(m *testing.M) int {
	for _, name := range []string{mles1, client1, mles2, client2, webproxy, websocat} {
		if _, err := exec.LookPath(ref(name)); err != nil {
			fmt.Fprintf(os.Stderr, "a reference program is missing: %v (%s)\n", err, installing)
			return 1
		}
	}
	if programs = os.Getenv("MLES_INTEROP_PROGRAMS"); programs != "" {
		return m.Run()
	}
	var err error
	if programs, err = os.MkdirTemp("", "mles-interop-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-o", programs, "mles/cmd/mlesd", "mles/cmd/mlesctl")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	return m.Run()
}

// ref is the path of a reference program: under $MLES_REFS, else under ~/.cache/mles-refs.
func ref(name string) string {
	dir := os.Getenv("MLES_REFS")
	if dir == "" {
		dir = filepath.Join(os.Getenv("HOME"), ".cache", "mles-refs")
	}
	return filepath.Join(dir, name)
}

// keyEnv gives a program the shared key; without one, nothing.
func keyEnv(key string) []string {
	if key == "" {
		return nil
	}
	return []string{"MLES_KEY=" + key}
}

// startMles2 runs mles 2.9.4 on wss://localhost at a port, with a page of its own.
func (h *host) startMles2(t *testing.T, key string, c hosts.Certificate, port string) *program {
	t.Helper()
	return h.startMles2With(t, key, c, port, "--per-ip-limit", "30000")
}

// startMles2With is startMles2 with the limits that the flags say, or its own: 32 connections from an address.
func (h *host) startMles2With(t *testing.T, key string, c hosts.Certificate, port string, flags ...string) *program {
	t.Helper()
	www := t.TempDir()
	hosts.WriteFile(t, filepath.Join(www, "localhost", "index.html"), []byte("mles"))
	return h.startMles2Site(t, key, c, port, www, []string{"localhost"}, flags...)
}

// startMles2Site runs mles 2.9.4 for some domains, the first of which is localhost, with their pages in www. The
// certificate is in its ACME cache.
func (h *host) startMles2Site(t *testing.T, key string, c hosts.Certificate, port, www string, domains []string, flags ...string) *program {
	t.Helper()
	cache := t.TempDir()
	hash := sha256.Sum256([]byte(strings.Join(domains, "\x00") + "\x00https://acme-v02.api.letsencrypt.org/directory"))
	hosts.WriteFile(t, filepath.Join(cache, "cached_cert_"+base64.RawURLEncoding.EncodeToString(hash[:])), c.PEM)
	argv := []string{ref(mles2), "--wwwroot", www, "--cache", cache, "--port", port}
	for _, domain := range domains {
		argv = append(argv, "--domains", domain)
	}
	p := h.start(t, "mles 2.9.4", keyEnv(key), append(argv, flags...)...)
	h.serving(t, "localhost:"+port, c)
	return p
}

// startMles1 runs mles 1.1.7 on [::]:8077, with the address of its root if it has one.
func (h *host) startMles1(t *testing.T, key string, root ...string) *program {
	t.Helper()
	p := h.start(t, "mles 1.1.7", keyEnv(key), append([]string{ref(mles1)}, root...)...)
	h.Listening(t, "127.0.0.1:8077")
	return p
}
