package main

import (
	"strings"
	"testing"
)

// All addresses of the machine are also the one that another listener shall have. It is no matter of other programs, so
// a start could not succeed.
func TestCheckOfListenersInEachOthersWay(t *testing.T) {
	port := freePort(t)
	common := []string{"--v2-listen=off", "--history-save=off", "--cache=" + t.TempDir()}
	for _, c := range []struct{ first, plain string }{{":" + port, "127.0.0.1:" + port}, {"127.0.0.1:" + port, "localhost:" + port}} {
		_, bad := checked(t, exitUsage, append(common, "--admin-listen=off", "--v1-listen="+c.first, "--plain-listen="+c.plain)...)
		if want := "mlesd: --v1-listen " + c.first + " is in the way of --plain-listen " + c.plain + ": "; !strings.Contains(bad, want) {
			t.Errorf("%v: it says %s", c, bad)
		}
	}
	// In one place after the other, or of another port, they are not.
	checked(t, exitOK, append(common, "--admin-listen=off", "--v1-listen=127.0.0.1:"+port, "--plain-listen=127.0.0.2:"+port)...)
	checked(t, exitOK, append(common, "--admin-listen=127.0.0.1:0", "--v1-listen=127.0.0.1:0", "--plain-listen=127.0.0.1:0")...)
}
