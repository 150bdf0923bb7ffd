//go:build readme

package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A document is README.md, taken apart.
type document struct {
	text   string
	blocks []string            // of shell, in order
	tables map[string][]row    // by the section they stand in
	links  map[string]struct{} // to files of the repository
}

// A row of a table is its cells, without the white space around them.
type row []string

var (
	shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)\n```$")
	link       = regexp.MustCompile(`\]\(([^)]+)\)`)
)

func readDocument(t *testing.T, file string) *document {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := &document{text: string(text), tables: make(map[string][]row), links: make(map[string]struct{})}
	for _, m := range shellBlock.FindAllStringSubmatch(d.text, -1) {
		d.blocks = append(d.blocks, m[1])
	}
	for _, m := range link.FindAllStringSubmatch(d.text, -1) {
		if !strings.Contains(m[1], "://") {
			d.links[m[1]] = struct{}{}
		}
	}
	section := ""
	for line := range strings.Lines(d.text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.Trim(name, "`")
		}
		if line, ok := strings.CutPrefix(line, "|"); ok && !strings.HasPrefix(line, "---") {
			var cells row
			for cell := range strings.SplitSeq(strings.TrimSuffix(line, "|"), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			d.tables[section] = append(d.tables[section], cells)
		}
	}
	return d
}

// body returns the rows of a section's table without its heading.
func (d *document) body(t *testing.T, section string) []row {
	t.Helper()
	if len(d.tables[section]) < 2 {
		t.Fatalf("README.md has no table in section %q", section)
	}
	return d.tables[section][1:]
}

// checkLinks expects each file that is linked to.
func (d *document) checkLinks(t *testing.T, repository string) {
	for file := range d.links {
		if _, err := os.Stat(filepath.Join(repository, filepath.FromSlash(file))); err != nil {
			t.Errorf("a link of README.md leads nowhere: %v", err)
		}
	}
}
