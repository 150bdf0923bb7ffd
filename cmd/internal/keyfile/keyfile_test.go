package keyfile

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// secrets are the keys of a text.
func secrets(t *testing.T, text string) (all []string) {
	t.Helper()
	keys, err := parse([]byte(text))
	if err != nil {
		t.Errorf("%q: %v", text, err)
	}
	for _, k := range keys {
		all = append(all, k.Secret)
	}
	return all
}

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
		if got := secrets(t, text); !slices.Equal(got, want) {
			t.Errorf("%q holds %q, want %q", text, got, want)
		}
	}
}

// A key is known by its line, as editors count them.
func TestLinesOfKeys(t *testing.T) {
	keys, err := parse([]byte("# since May\n\nnew\r\nold\nnew\n\\#odd"))
	var lines []int
	for _, k := range keys {
		lines = append(lines, k.Line)
	}
	if want := []int{3, 4, 6}; err != nil || !slices.Equal(lines, want) {
		t.Errorf("lines %v, %v, want %v", lines, err, want)
	}
}

// The last words of a line say what its key opens.
func TestScopes(t *testing.T) {
	for line, want := range map[string]Key{
		"k channels=iot/*":                       {Secret: "k", Channels: []string{"iot/*"}},
		"k dialects=v1":                          {Secret: "k", Dialects: []string{"v1"}},
		"a long key dialects=v1,v2 channels=a,b": {Secret: "a long key", Channels: []string{"a", "b"}, Dialects: []string{"v1", "v2"}},
		"k \t channels=a\\,b,c\tdialects=v2  ":   {Secret: "k", Channels: []string{"a,b", "c"}, Dialects: []string{"v2"}},
		"\\#k channels=[=]":                      {Secret: "#k", Channels: []string{"[=]"}},
		"  k channels=a":                         {Secret: "  k", Channels: []string{"a"}, Doubt: "white space"},

		// A backslash before the last word makes it part of the key.
		"k \\channels=a":               {Secret: "k channels=a"},
		"k \\channels=a dialects=v1":   {Secret: "k channels=a", Dialects: []string{"v1"}},
		"\\dialects=v1":                {Secret: "dialects=v1"},
		"k \\channels=a ":              {Secret: "k channels=a ", Doubt: "white space"},
		"k \\\\channels=a":             {Secret: "k \\\\channels=a"},
		"k channels=a \\dialects=v1":   {Secret: "k channels=a dialects=v1", Doubt: "like a scope"},
		"k\\channels=a":                {Secret: "k\\channels=a"},
		"kchannels=a":                  {Secret: "kchannels=a"},
		"the channel is open: come in": {Secret: "the channel is open: come in"},

		// Whatever else it looks like, it is a key, and that is said.
		"k channel=iot/*":               {Secret: "k channel=iot/*", Doubt: "like a scope"},
		"k channels=a b":                {Secret: "k channels=a b", Doubt: "like a scope"},
		"k channels = a":                {Secret: "k channels = a", Doubt: "like a scope"},
		"k Dialects=v1":                 {Secret: "k Dialects=v1", Doubt: "like a scope"},
		"k channels: a":                 {Secret: "k channels: a", Doubt: "like a scope"},
		"k channel=a dialects=v1":       {Secret: "k channel=a", Dialects: []string{"v1"}, Doubt: "like a scope"},
		"channel=a and nothing else":    {Secret: "channel=a and nothing else"},
		"k channels=a # the lamp's key": {Secret: "k channels=a # the lamp's key", Doubt: "like a scope"},
	} {
		got, err := parseLine(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if want.Doubt != "" && strings.Contains(got.Doubt, want.Doubt) {
			want.Doubt = got.Doubt
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", line, diff)
		}
	}
}

// What can only be a scope, and a wrong one, is named with its line, and without the key.
func TestFaultyScopes(t *testing.T) {
	for line, why := range map[string]string{
		"channels=iot/*":                    "behind a key",
		" dialects=v1 channels=iot/*":       "behind a key",
		"swordfish channels=":               "says nothing",
		"swordfish dialects=v1 dialects=v2": "twice",
		"swordfish channels=a dialects= ":   "says nothing",
		"swordfish channels=a channels=a":   "twice",
	} {
		_, err := parse([]byte("# first\n" + line + "\n"))
		if err == nil || !strings.HasPrefix(err.Error(), "2: ") || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%q: %v, want something about %q", line, err, why)
		}
	}
}

// Lines of one key stay apart where they say different things.
func TestSameKeyOnSeveralLines(t *testing.T) {
	keys, err := parse([]byte("k channels=a\nk channels=b\nk  channels=a\nk\n"))
	want := []Key{
		{Secret: "k", Line: 1, Channels: []string{"a"}}, {Secret: "k", Line: 2, Channels: []string{"b"}}, {Secret: "k", Line: 4},
	}
	if diff := cmp.Diff(want, keys); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
}

// Whatever is in a file: no key is empty, and none is lost or invented.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"k channels=a dialects=v1\n", "\\#x\r\n\n", "a \\channels=\\,b \n", "\ufeff channels=x"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parse(text)
		if err != nil && keys != nil {
			t.Fatal("keys and an error")
		}
		lines := strings.Split(string(text), "\n")
		for _, k := range keys {
			if k.Secret == "" || k.Line < 1 || k.Line > len(lines) {
				t.Fatalf("%+v", k)
			}
			if !strings.Contains(strings.ReplaceAll(lines[k.Line-1], `\`, ""), strings.ReplaceAll(k.Secret, `\`, "")) {
				t.Fatalf("line %q holds %q", lines[k.Line-1], k.Secret)
			}
		}
	})
}

func TestReadRefusesWhatIsNoKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	for _, text := range []string{strings.Repeat("x", maxSize+1), "# swordfish\n", "swordfish channels=\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if f, err := Read(path); err == nil || strings.Contains(err.Error(), "swordfish") || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q was read as %d keys, %v", text, len(f.Keys), err)
		}
	}
	if _, err := Read(path + "-absent"); err == nil {
		t.Error("a file that is not there was read")
	}
}
