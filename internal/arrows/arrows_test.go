package arrows

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// rooms are the packages of the project, and what each may import of the others.
// What stands below a room belongs to it.
var rooms = map[string][]string{
	"v1":               {},
	"v2":               {},
	"bridge/bus":       {},
	"bridge":           {"bridge/bus", "v1", "v2"},
	"conformance":      {}, // an oracle must not be the codec it judges
	"internal/web":     {"bridge", "v2"},
	"internal/logs":    {},
	"internal/admin":   {},
	"internal/console": {},
	"internal/seen":    {"bridge"},
	"internal/keep":    {"bridge", "bridge/bus"},
	"internal/status":  {"bridge", "internal/seen"},
	"internal/control": {"bridge"},
	"internal/systemd": {},
	"internal/arrows":  {},
	"cmd":              {"bridge", "bridge/bus", "conformance", "internal/admin", "internal/logs", "internal/console", "internal/control", "internal/keep", "internal/seen", "internal/status", "internal/systemd", "internal/web", "v1", "v2"},
}

// inTests are the arrows that tests may follow besides.
var inTests = map[string][]string{
	"conformance":      {"bridge"},
	"bridge":           {"internal/keep"}, // by those outside the package
	"internal/status":  {"v1", "v2"},
	"internal/control": {"v1", "v2"},
}

const module = "mles"

func TestArrows(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && file != root && (strings.HasPrefix(name, ".") || name == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(file, ".go") {
			rel, err := filepath.Rel(root, file)
			if err != nil {
				return err
			}
			check(t, root, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// check reports the imports of one file that its room does not allow.
func check(t *testing.T, root, file string) {
	t.Helper()
	from, ok := roomOf(path.Dir(file))
	if !ok {
		t.Errorf("%s stands in no room; the rooms are in this test and in the design", file)
		return
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	allowed := rooms[from]
	if strings.HasSuffix(file, "_test.go") {
		allowed = append(slices.Clone(allowed), inTests[from]...)
	}
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		rest, ours := strings.CutPrefix(name, module+"/")
		if !ours {
			continue
		}
		to, ok := roomOf(rest)
		if ok && (to == from || slices.Contains(allowed, to)) {
			continue
		}
		t.Errorf("%s imports %s: %s may import %q of ours only", file, name, from, allowed)
	}
}

// roomOf returns the room that the package in dir belongs to.
func roomOf(dir string) (string, bool) {
	for ; dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, ok := rooms[dir]; ok {
			return dir, true
		}
	}
	return "", false
}

// TestCheckSees makes sure that a forbidden arrow would be found.
func TestCheckSees(t *testing.T) {
	for dir, want := range map[string]string{"v1": "v1", "bridge/bus": "bridge/bus", "bridge": "bridge", "cmd/mlesd": "cmd", "internal/web": "internal/web"} {
		if got, ok := roomOf(dir); !ok || got != want {
			t.Errorf("roomOf(%q) = %q, %v; want %q", dir, got, ok, want)
		}
	}
	if room, ok := roomOf("elsewhere"); ok {
		t.Errorf("a folder outside the rooms stands in %q", room)
	}
}
