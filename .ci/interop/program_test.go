//go:build interop

package interop

import (
	"testing"

	"mles/.ci/hosts"
)

// A host is a network namespace on which the cast plays.
type host struct{ *hosts.Host }

func newHost(t *testing.T) *host {
	t.Helper()
	return &host{hosts.New(t)}
}

// A program is one of the cast: a process on a host.
type program struct{ *hosts.Program }

// start runs argv on the host with extra environment variables.
func (h *host) start(t *testing.T, name string, env []string, argv ...string) *program {
	t.Helper()
	return &program{h.Start(t, hosts.Command{Name: name, Env: env}, argv...)}
}

// startOnTerminal is start for a program that wants a terminal.
func (h *host) startOnTerminal(t *testing.T, name string, env []string, argv ...string) *program {
	t.Helper()
	return &program{h.Start(t, hosts.Command{Name: name, Env: env, Terminal: true}, argv...)}
}
