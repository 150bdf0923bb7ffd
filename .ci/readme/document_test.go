//go:build readme

package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A document is README.md or a file of docs, taken apart.
type document struct {
	name   string // in the repository
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

func readDocument(t *testing.T, repository, name string) *document {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, name))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{name: name, text: string(text), tables: make(map[string][]row), links: make(map[string]struct{})}
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
		t.Fatalf("%s has no table in section %q", d.name, section)
	}
	return d.tables[section][1:]
}

// checkLinks expects each file that is linked to, and the heading in it.
func (d *document) checkLinks(t *testing.T, repository string) {
	for link := range d.links {
		file, heading, deep := strings.Cut(link, "#")
		path := filepath.Join(repository, filepath.Dir(d.name), filepath.FromSlash(file))
		if file == "" {
			path = filepath.Join(repository, d.name)
		}
		text, err := os.ReadFile(path)
		if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
			continue
		}
		if err != nil {
			t.Errorf("a link of %s leads nowhere: %v", d.name, err)
			continue
		}
		if deep && !hasHeading(string(text), heading) {
			t.Errorf("a link of %s leads to %s, which has no heading #%s", d.name, file, heading)
		}
	}
}

// hasHeading reports whether a text has a heading that pages on the web give this anchor.
func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		if title := strings.TrimLeft(line, "#"); title != line && anchorOf(title) == anchor {
			return true
		}
	}
	return false
}

func anchorOf(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(strings.TrimSpace(title)))
}

// section is the text below a heading, up to the next one of the same rank.
func (d *document) section(t *testing.T, title string) string {
	t.Helper()
	_, text, ok := strings.Cut(d.text, "\n## "+title+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", d.name, title)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}
