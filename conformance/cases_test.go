package conformance

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every case says what it is in the form that reports and profiles rely on.
func TestCasesAreWellFormed(t *testing.T) {
	id := regexp.MustCompile(`^(v1|v2|bridge|v1ws)(/[a-z0-9]+(-[a-z0-9]+)*){2}$`)
	seen := make(map[string]bool)
	for _, c := range Cases() {
		switch {
		case !id.MatchString(c.ID):
			t.Errorf("%s: ID is not suite/subject/what", c.ID)
		case seen[c.ID]:
			t.Errorf("%s stands twice", c.ID)
		case !strings.HasSuffix(c.Says, ".") || strings.Contains(c.Says, "\n"):
			t.Errorf("%s: Says is not one sentence", c.ID)
		case c.Needs&(V1|V2|V1WS) == 0:
			t.Errorf("%s needs no address", c.ID)
		case c.Needs&Slow == 0 && c.deadline().Seconds() > 20:
			t.Errorf("%s may take %v and is not Slow", c.ID, c.deadline())
		}
		seen[c.ID] = true
		if !hasSection(t, c.Section) {
			t.Errorf("%s: no section %s", c.ID, c.Section)
		}
	}
}

// hasSection says whether a heading of the project's file has that anchor.
func hasSection(t *testing.T, section string) bool {
	file, anchor, _ := strings.Cut(section, "#")
	text, err := os.ReadFile(filepath.Join("..", filepath.FromSlash(file)))
	if err != nil {
		t.Error(err)
		return false
	}
	dropped := regexp.MustCompile("[^a-z0-9 _-]")
	for line := range strings.Lines(string(text)) {
		heading := strings.TrimLeft(line, "#")
		if heading == line {
			continue
		}
		heading = dropped.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
		if strings.ReplaceAll(heading, " ", "-") == anchor {
			return true
		}
	}
	return false
}

// Profiles speak of cases that exist.
func TestProfilesNameCases(t *testing.T) {
	ids := make(map[string]bool)
	for _, c := range Cases() {
		ids[c.ID] = true
	}
	for _, name := range Profiles() {
		p, err := LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != name {
			t.Errorf("profile %s calls itself %s", name, p.Name)
		}
		for _, e := range p.Entries {
			if !ids[e.ID] {
				t.Errorf("%s: no case %s", name, e.ID)
			}
		}
		if name == "gateway" && len(p.Entries) > 0 {
			t.Errorf("the gateway does something otherwise: mend it, or the specification")
		}
	}
}
