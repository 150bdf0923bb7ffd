package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// PEER as mles 1.1.7 takes it, beside --upstream, with what belongs to both.
func TestUpstreamFlags(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys := file("keys", "# the root's\ntuna\nsalmon\n")
	hold := file("hold", "\ufeff# always\nalarm\r\n\nöfen\nalarm\n with space\n")
	c := parsed(t, "root.example", "--history-limit=50", "--upstream=v1s://other.example:9000,v1://[2001:db8::1]",
		"--upstream-uid=gate", "--upstream-key-file="+keys, "--upstream-hold="+hold)
	var urls []string
	for _, up := range c.upstreams {
		urls = append(urls, up.URL)
		if up.UID != "gate" || up.Key != "tuna" || !slices.Equal(up.Hold, []string{"alarm", "öfen", " with space"}) {
			t.Errorf("%s as %q, key %q, holds %q", up.URL, up.UID, up.Key, up.Hold)
		}
	}
	if want := []string{"v1://root.example", "v1s://other.example:9000", "v1://[2001:db8::1]"}; !slices.Equal(urls, want) {
		t.Errorf("upstreams %q, want %q", urls, want)
	}
	for peer, want := range map[string]string{
		"10.0.0.1": "v1://10.0.0.1", "root.example:9": "v1://root.example:9",
		"2001:db8::1": "v1://[2001:db8::1]", "[2001:db8::1]": "v1://[2001:db8::1]", "[2001:db8::1]:9": "v1://[2001:db8::1]:9",
	} {
		if got := parsed(t, peer).upstreams[0].URL; got != want {
			t.Errorf("PEER %s is %s, want %s", peer, got, want)
		}
	}
	long := strings.Repeat("n", 1025)
	for want, args := range map[string][]string{
		"--upstream-uid has 1025 bytes, the most is 1024": {"root.example", "--upstream-uid=" + long},
		":2: a channel's name of 1025 bytes":              {"root.example", "--upstream-hold=" + file("long", "hall\n"+long+"\n")},
	} {
		if _, err := parse(args, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %s", args, err, want)
		}
	}
	t.Setenv("MLESD_PEER", "root.example")
	t.Setenv("MLESD_UPSTREAM", "v1://a.example,v1://b.example")
	if c := parsed(t); len(c.upstreams) != 3 {
		t.Errorf("from variables: %v", c.upstreams)
	}
}
