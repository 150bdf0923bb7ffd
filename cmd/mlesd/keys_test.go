package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mles/bridge"
)

func TestWhichKeys(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	two, own, empty := file("two", "new\nold\n"), file("own", "own\n"), file("empty", "\n")
	for _, c := range []struct {
		name         string
		env          map[string]string
		both, v1, v2 string // files
		v1Keys       []string
		v2Keys       []string
	}{
		{name: "none"},
		{name: "MLES_KEY", env: map[string]string{"MLES_KEY": "k"}, v1Keys: []string{"k"}, v2Keys: []string{"k"}},
		{name: "rotation", both: two, v1Keys: []string{"new", "old"}, v2Keys: []string{"new", "old"}},
		{name: "v1 its own", env: map[string]string{"MLES_KEY": "k"}, v1: own, v1Keys: []string{"own"}, v2Keys: []string{"k"}},
		{name: "v2 needs none", both: two, v2: empty, v1Keys: []string{"new", "old"}},
		{name: "v1 needs none", both: own, v1: empty, v2Keys: []string{"own"}},
		{name: "each its own", v1: own, v2: two, v1Keys: []string{"own"}, v2Keys: []string{"new", "old"}},
	} {
		k, err := findKeys(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }, c.both, c.v1, c.v2)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !slices.Equal(k.v1.keys, c.v1Keys) || !slices.Equal(k.v2.keys, c.v2Keys) {
			t.Errorf("%s: v1 %q, v2 %q, want %q, %q", c.name, k.v1.keys, k.v2.keys, c.v1Keys, c.v2Keys)
		}
	}
}

func TestDoubtfulKeyFilesAreWarnedOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, []byte("swordfish\nswordfish2 \n"), 0o644); err != nil {
		t.Fatal(err)
	}
	k, err := findKeys(func(string) (string, bool) { return "", false }, path, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(k.warnings) != 2 || !strings.Contains(k.warnings[0], "every user") || !strings.Contains(k.warnings[1], path+":2: the key begins or ends") {
		t.Errorf("warnings %q", k.warnings)
	}
	if strings.Contains(strings.Join(k.warnings, ""), "swordfish") {
		t.Error("a warning holds a key")
	}
}

// What a line limits reaches each dialect; what it does not limit, though it looks so, is told.
func TestScopesOfKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	find := func() (*keys, error) {
		return findKeys(func(string) (string, bool) { return "", false }, path, "", "")
	}
	write("swordfish\n# lamps\nlamp channels=iot/*,hall dialects=v1\nswordfish channels=hall\nlamp channel=attic\n")
	k, err := find()
	if err != nil {
		t.Fatal(err)
	}
	want := []bridge.Scope{{}, {Channels: []string{"iot/*", "hall"}, Dialects: []string{"v1"}}, {Channels: []string{"hall"}}, {}}
	for _, l := range []keyList{k.v1, k.v2} {
		if diff := cmp.Diff(want, l.scopes); diff != "" {
			t.Error(diff)
		}
	}
	for i, warning := range []string{":5: the key has a word like a scope", ":4: the scope limits nothing, since line 1 has"} {
		if len(k.warnings) != 2 || !strings.Contains(k.warnings[i], path+warning) {
			t.Errorf("warnings %q, want %q", k.warnings, warning)
		}
	}

	for text, why := range map[string]string{
		"swordfish dialects=v1ws":   `:1: dialect "v1ws" knows no key`,
		"swordfish dialects=v3":     `:1: dialect "v3": want v1 or v2`,
		"\nswordfish channels=a,[b": `:2: channels: "[b" is no pattern`,
		"swordfish channels=a,,b":   `:1: channels: an empty pattern`,
		"swordfish channels=a**":    `only between slashes`,
		"channels=a":                `:1: a scope stands behind a key`,
	} {
		write(text)
		if _, err := find(); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%q: %v, want something with %q", text, err, why)
		}
	}
}

// Scopes that others pass by, and keys that open nothing, are told at the start.
func TestDoubtfulScopesAreWarnedOf(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ keys, flags, warns string }{
		{"k dialects=v1", "", "no line has a key that opens v2"},
		{"k dialects=v1", "--v2-listen=off", ""},
		{"k dialects=v2", "", "no line has a key that opens v1"},
		{"k dialects=v2,v1", "", ""},
		{"k channels=a", "--v1-address-keys", "--v1-address-keys lets"},
	} {
		path := filepath.Join(dir, "keys")
		if err := os.WriteFile(path, []byte(c.keys), 0o600); err != nil {
			t.Fatal(err)
		}
		conf, err := parse(append(strings.Fields(c.flags), "--key-file="+path, "--cache="+dir), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(conf.keys.warnings, "\n"); !strings.Contains(got, c.warns) || c.warns == "" && got != "" {
			t.Errorf("%q %s: warnings %q, want %q", c.keys, c.flags, got, c.warns)
		}
	}
}
