//go:build interop

package interop

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A guide is docs/migration.md: the blocks of shell and of configuration in it, which the test plays, so that what
// operators read is what is tried.
type guide struct {
	text   string
	blocks []block
}

// A block is one fenced block of the guide.
type block struct {
	kind, text string // sh or ini
	played     bool
}

var fenced = regexp.MustCompile("(?ms)^```(sh|ini)\n(.*?)\n```$")

func readGuide(t *testing.T) *guide {
	t.Helper()
	text, err := os.ReadFile("../../docs/migration.md")
	if err != nil {
		t.Fatal(err)
	}
	g := &guide{text: string(text)}
	for _, m := range fenced.FindAllStringSubmatch(g.text, -1) {
		g.blocks = append(g.blocks, block{kind: m[1], text: m[2]})
	}
	return g
}

// shell is the first block of shell not yet played that begins so; conf the same of settings.
func (g *guide) shell(t *testing.T, beginning string) string {
	t.Helper()
	return g.take(t, "sh", beginning)
}

func (g *guide) conf(t *testing.T, beginning string) string {
	t.Helper()
	return g.take(t, "ini", beginning) + "\n"
}

func (g *guide) take(t *testing.T, kind, beginning string) string {
	t.Helper()
	for i := range g.blocks {
		b := &g.blocks[i]
		if !b.played && b.kind == kind && strings.HasPrefix(b.text, beginning) {
			b.played = true
			return b.text
		}
	}
	t.Fatalf("docs/migration.md has no block of %s (left) that begins with %q", kind, beginning)
	return ""
}

// isPlayed expects that no block has been left out.
func (g *guide) isPlayed(t *testing.T) {
	t.Helper()
	for _, b := range g.blocks {
		if !b.played {
			t.Errorf("docs/migration.md has a block of %s that is not tried:\n%s", b.kind, b.text)
		}
	}
}

var (
	setting = regexp.MustCompile(`\bMLESD_[A-Z0-9_]+`)
	ourFlag = regexp.MustCompile("--[a-z][a-z0-9-]*")
)

// isTrue expects that mlesd has each setting that the guide speaks of, and each flag in the second column of its tables.
func (g *guide) isTrue(t *testing.T) {
	t.Helper()
	help, err := exec.Command(filepath.Join(programs, "mlesd"), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := setting.FindAllString(g.text, -1)
	for line := range strings.Lines(g.text) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			names = append(names, ourFlag.FindAllString(cells[2], -1)...)
		}
	}
	if len(names) < 20 {
		t.Fatalf("cannot read docs/migration.md: it has the names %q", names)
	}
	for _, name := range names {
		if !regexp.MustCompile(regexp.QuoteMeta(strings.TrimSuffix(name, "_")) + `\b`).Match(help) {
			t.Errorf("docs/migration.md speaks of %s, which mlesd does not have", name)
		}
	}
}
