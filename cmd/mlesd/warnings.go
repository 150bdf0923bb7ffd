package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"mles/bridge"
)

// allWarnings are what an operator should know of a configuration that fits.
func (c *config) allWarnings() []string {
	all := slices.Concat(c.keys.warnings, c.warnings, c.strangeVariables())
	if c.V1WebSocket && len(c.keys.v1.keys) > 0 {
		all = append(all, "--v1-websocket: whoever connects by WebSocket gets in without the v1 key, since v1 over WebSocket knows none")
	}
	if c.V1WebSocket && c.v2.off && c.plain.off {
		all = append(all, "--v1-websocket has no effect: neither --v2-listen nor --plain-listen is open")
	}
	if n := c.MaxConnections; n != nil && runtime.GOOS == "linux" && *n > bridge.UsableConnections() { // elsewhere the limit is not asked
		all = append(all, fmt.Sprintf("--max-connections %d: the limit on open files has room for %d: raise it (ulimit -n, LimitNOFILE=)", *n, bridge.UsableConnections()))
	}
	return all
}

// strangeVariables tells of variables that look like settings and are none. Those that Kubernetes makes of a service's name
// are left alone.
func (c *config) strangeVariables() (all []string) {
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		rest, ours := strings.CutPrefix(name, "MLESD_")
		service := rest == "PORT" || strings.HasPrefix(rest, "PORT_") || strings.HasPrefix(rest, "SERVICE_")
		if ours && !service && !slices.Contains(c.variables, name) {
			all = append(all, fmt.Sprintf("%s in the environment is no setting: mlesd --help lists them", name))
		}
	}
	slices.Sort(all)
	return all
}
