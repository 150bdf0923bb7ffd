//go:build interop

package interop

import (
	"fmt"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// A cable connects a host with the bridge of another.
type cable struct {
	hub  *host
	port string
}

// bridge connects h, at 10.77.0.1, with others, at 10.77.0.2 and on, by a cable each.
func (h *host) bridge(t *testing.T, others ...*host) []cable {
	t.Helper()
	h.IP(t, "link", "add", "bridge", "type", "bridge")
	h.IP(t, "addr", "add", "10.77.0.1/24", "dev", "bridge")
	h.IP(t, "link", "set", "bridge", "up")
	var cables []cable
	for i, other := range others {
		var thread int // by which ip finds the namespace
		other.Do(func() { thread = unix.Gettid() })
		c := cable{h, fmt.Sprintf("port%d", i+2)}
		h.IP(t, "link", "add", c.port, "type", "veth", "peer", "name", "veth", "netns", fmt.Sprint(thread))
		h.IP(t, "link", "set", c.port, "master", "bridge", "up")
		other.IP(t, "addr", "add", fmt.Sprintf("10.77.0.%d/24", i+2), "dev", "veth")
		other.IP(t, "link", "set", "veth", "up")
		cables = append(cables, c)
	}
	return cables
}

// unplug ends all traffic of a host at once; no connection is told.
func (c cable) unplug(t *testing.T) {
	t.Helper()
	c.hub.IP(t, "link", "set", c.port, "down")
}

// plug undoes unplug.
func (c cable) plug(t *testing.T) {
	t.Helper()
	c.hub.IP(t, "link", "set", c.port, "up")
}

func (h *host) ip(t *testing.T, args ...string) {
	t.Helper()
	var out []byte
	var err error
	h.Do(func() { out, err = exec.Command("ip", args...).CombinedOutput() })
	if err != nil {
		t.Fatalf("ip %v: %v: %s", args, err, out)
	}
}
