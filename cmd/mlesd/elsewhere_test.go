package main

import (
	"strings"
	"testing"
)

// Only Linux has everything; what others lack is said by name.
func TestElsewhere(t *testing.T) {
	if got := elsewhere("linux"); got != nil {
		t.Errorf("on Linux: %q", got)
	}
	mac, windows := strings.Join(elsewhere("darwin"), "; "), strings.Join(elsewhere("windows"), "; ")
	for _, want := range []string{"--memory-limit", "--max-connections", "v1"} {
		if !strings.Contains(mac, want) || !strings.Contains(windows, want) {
			t.Errorf("%s is not told of: %s; %s", want, mac, windows)
		}
	}
	if strings.Contains(mac, "SIGHUP") || !strings.Contains(windows, "SIGHUP") {
		t.Error("SIGHUP is lacking on Windows alone")
	}
}
