//go:build readme

package readme

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// Somebody has three terminals: in one the gateway, which prints what to paste into the others.
func tryIt(t *testing.T, c *clone, _ *document, block []string) {
	s := c.stage(t, c.repository)
	for _, b := range block { // what is timed is not the compiler
		s.builds(t, strings.Join(strings.Fields(b)[:3], " ")+" --version")
	}
	gateway := s.startOnTerminal(t, block[0])
	gateway.Says(t, "Paste each line into a terminal of its own")
	gateway.Says(t, "--uid bob")
	if pasted := lines(gateway.Screen(), "  "); !slices.Equal(pasted, block[1:]) {
		t.Errorf("mlesd prints %q, README.md has %q", pasted, block[1:])
	}
	s.listening(t, 8077, 8443)

	alice := s.startOnTerminal(t, block[1])
	s.members(t, "v1", 1)
	bob := s.startOnTerminal(t, block[2])
	talk(t, alice, bob, "on a terminal")
	alice.HangsUp(t)
	bob.HangsUp(t)
	s.members(t, "v1", 0)
	s.members(t, "v2", 0)

	alice = s.start(t, block[1])
	s.members(t, "v1", 1)
	bob = s.start(t, block[2])
	talk(t, alice, bob, "in a pipe")
	alice.Leaves(t)
	bob.Leaves(t)

	// After Ctrl-C the go command ends with 1, whatever the program has done.
	gateway.Stdin.Write([]byte{'C' - 'A' + 1})
	gateway.Says(t, "msg=drained")
	gateway.Wait(t)
}

// talk has alice in v1 and bob in v2 see each other join and say something.
func talk(t *testing.T, alice, bob *hosts.Program, where string) {
	t.Helper()
	alice.Says(t, "* bob joined")
	bob.Says(t, "* alice joined")
	alice.Types(t, "hello from v1 "+where)
	bob.Says(t, "< hello from v1 "+where)
	bob.Types(t, "hello from v2 "+where)
	alice.Says(t, "bob: hello from v2 "+where)
}

// The two programs come to the folder that README.md names, and nothing else.
func install(t *testing.T, c *clone, d *document, block []string) {
	s := &stage{host: hosts.New(t), dir: c.repository, env: c.env(c.installed)}
	s.builds(t, block[0])
	const folder = "$(go env GOPATH)/bin"
	if !strings.Contains(d.text, "`"+folder+"`") {
		t.Errorf("README.md does not name %s", folder)
	}
	if got := strings.Fields(s.builds(t, "ls "+folder)); !slices.Equal(got, []string{"mlesctl", "mlesd"}) {
		t.Fatalf("%s has installed %q", block[0], got)
	}
}

// A gateway without flags, as it is installed, and what is written to it and read from it with one command each.
func tool(t *testing.T, c *clone, d *document, block []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd")
	s.listening(t, 8077, 8443, 9077)
	sub := s.start(t, block[1])
	s.members(t, "v2", 1)
	s.does(t, 0, block[0])
	ends(t, sub, 0)

	records := lines(sub.Screen(), "{")
	var last struct{ Kind, Dialect, Channel, Text string }
	if len(records) == 0 {
		t.Fatalf("%s printed no JSON but %q", block[1], sub.Screen())
	}
	if err := json.Unmarshal([]byte(records[len(records)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if last.Kind != "message" || last.Dialect != "v2" || last.Channel != "hall" || strings.TrimSpace(last.Text) != "the door is open" {
		t.Errorf("%s printed %q", block[1], sub.Screen())
	}
	s.answersAdmin(t, d)
	if _, err := os.Stat(filepath.Join(s.home, ".cache", "mles")); err != nil {
		t.Errorf("the default of --cache: %v", err)
	}
	gateway.Terminate(t)
}

// answersAdmin asks the running gateway for the paths and the metrics that README.md speaks of.
func (s *stage) answersAdmin(t *testing.T, d *document) {
	t.Helper()
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		answer, err := s.get("127.0.0.1:9077", path)
		if err != nil {
			t.Error(err)
		}
		if !strings.Contains(d.text, "`"+path+"`") {
			t.Errorf("README.md does not name %s", path)
		}
		if path != "/metrics" {
			continue
		}
		for _, m := range regexp.MustCompile("`(mlesd?_[a-z_]+[^`]*)`").FindAllStringSubmatch(d.text, -1) {
			if !strings.Contains(answer, "\n"+m[1]+" ") {
				t.Errorf("README.md names a metric that there is not: %s", m[1])
			}
		}
	}
}
