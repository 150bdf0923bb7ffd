package browser

import (
	"os/exec"
	"path/filepath"
	"testing"

	"mles/.ci/running"
)

// run starts mlesd or mlesctl.
func run(t *testing.T, env []string, name string, args ...string) *running.Program {
	t.Helper()
	return running.Start(t, patience, env, exec.Command(filepath.Join(programs, name), args...))
}
