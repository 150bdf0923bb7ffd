package keyfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestKeysInAFile(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                nil,
		"one":                             {"one"},
		"one\n":                           {"one"},
		"new\r\nold\r\n":                  {"new", "old"},
		"\n\n  \t\nnew\n\nold\n":          {"new", "old"},
		"# since May\nnew\n#old\n":        {"new"},
		"\\#1 key\n":                      {"#1 key"},
		"\\key\n":                         {"\\key"},
		" inner and outer \n":             {" inner and outer "},
		"same\nother\nsame\n":             {"same", "other"},
		"\ufeffbom\n":                     {"bom"},
		"key # no comment\nschlüssel\xff": {"key # no comment", "schlüssel\xff"},
	} {
		if got, _ := parse([]byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}

// A key is known by its line, as editors count them.
func TestLinesOfKeys(t *testing.T) {
	_, lines := parse([]byte("# since May\n\nnew\r\nold\nnew\n\\#odd"))
	if want := []int{3, 4, 6}; !slices.Equal(lines, want) {
		t.Errorf("lines %v, want %v", lines, want)
	}
}

func TestReadRefusesWhatIsNoKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	for _, text := range []string{strings.Repeat("x", maxSize+1), "# swordfish\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := Read(path); err == nil || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%.20q was read as %d keys, %v", text, len(f.Keys), err)
		}
	}
	if _, err := Read(path + "-absent"); err == nil {
		t.Error("a file that is not there was read")
	}
}
