package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
	if len(k.warnings) != 2 || !strings.Contains(k.warnings[0], "every user") || !strings.Contains(k.warnings[1], "key 2") {
		t.Errorf("warnings %q", k.warnings)
	}
	if strings.Contains(strings.Join(k.warnings, ""), "swordfish") {
		t.Error("a warning holds a key")
	}
}
