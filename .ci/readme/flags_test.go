//go:build readme

package readme

import (
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A flag is what --help says of one.
type flag struct {
	names     []string // each with its dashes: the flag, its letter, other spellings
	byDefault string   // without marks; empty: none
	variable  string   // of the environment; empty: none
}

var (
	helpLine  = regexp.MustCompile(`^ +(?:(-\w), )?(--[\w-]+)(?:=(\S+))? +(.*)$`)
	spelling  = regexp.MustCompile(`Also (--[\w-]+)`)
	aKind     = regexp.MustCompile(`^[A-Z]+(=[A-Z]+)?[,.]*$`) // of value, where there is no default
	inWords   = regexp.MustCompile(`\(default: ([^)]*)\)`)
	variable  = regexp.MustCompile(`\(\$(\w+)\)`)
	anyFlag   = regexp.MustCompile("--[a-z][a-z0-9-]*|-[a-zA-Z]")
	codeSpan  = regexp.MustCompile("`([^`]*)`")
	flagInDoc = regexp.MustCompile("(?:^|[ `])(--[a-z][a-z0-9-]*)")
)

// programs are both commands, built from the working tree.
type programs struct{ dir string }

func buildPrograms(t *testing.T) programs {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir, "./cmd/mlesd", "./cmd/mlesctl")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return programs{dir}
}

// help is what a command prints with --help, each flag on a line of its own.
func (p programs) help(t *testing.T, command ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(p.dir, command[0]), append(command[1:], "--help")...)
	cmd.Env = append(cmd.Environ(), "COLUMNS=1000")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v", command, err)
	}
	return string(out)
}

// README.md's tables and what the programs say of themselves are one.
func TestFlagsAndCommands(t *testing.T) {
	t.Parallel()
	p := buildPrograms(t)
	d := readDocument(t, "../..", "README.md")
	checkFlags(t, p, d)
	checkCommands(t, p, d)
}

func parseHelp(help string) (flags []flag) {
	for line := range strings.Lines(help) {
		m := helpLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil || m[2] == "--help" {
			continue
		}
		f := flag{names: []string{m[2]}, byDefault: strings.TrimSuffix(m[3], ",...")} // which a list has
		if m[1] != "" {
			f.names = append(f.names, m[1])
		}
		if also := spelling.FindStringSubmatch(m[4]); also != nil {
			f.names = append(f.names, also[1])
		}
		if v := variable.FindStringSubmatch(m[4]); v != nil {
			f.variable = v[1]
		}
		if words := inWords.FindStringSubmatch(m[4]); words != nil {
			f.byDefault = words[1]
		} else if aKind.MatchString(f.byDefault) {
			f.byDefault = ""
		}
		flags = append(flags, f)
	}
	return flags
}

// checkFlags compares the table of mlesd's flags with its --help: each flag with its spellings and default, and the
// variables, which README.md gives a rule for.
func checkFlags(t *testing.T, p programs, d *document) {
	help := p.help(t, "mlesd")
	var inHelp []flag
	for _, f := range parseHelp(help) {
		inHelp = append(inHelp, f)
		want := "MLESD_" + strings.ToUpper(strings.ReplaceAll(f.names[0][2:], "-", "_"))
		if f.names[0] == "--version" || f.names[0] == "--check" { // of one command, not of a gateway
			want = ""
		}
		if f.variable != want {
			t.Errorf("mlesd %s has the variable %q, by README.md's rule it is %q", f.names[0], f.variable, want)
		}
	}
	if len(inHelp) < 20 {
		t.Fatalf("cannot read %s", help)
	}
	inTable := make(map[string]flag)
	for _, r := range d.body(t, "mlesd") {
		for _, f := range r.flags(t) {
			inTable[f.names[0]] = f
		}
	}
	for _, f := range inHelp {
		in, ok := inTable[f.names[0]]
		delete(inTable, f.names[0])
		switch {
		case !ok:
			t.Errorf("README.md's table lacks mlesd %s", f.names[0])
		case !slices.Equal(slices.Sorted(slices.Values(in.names)), slices.Sorted(slices.Values(f.names))):
			t.Errorf("README.md's table has %q, mlesd --help %q", in.names, f.names)
		case in.byDefault != f.byDefault:
			t.Errorf("README.md's default of mlesd %s is %q, that of --help %q", f.names[0], in.byDefault, f.byDefault)
		}
	}
	for name := range inTable {
		t.Errorf("README.md's table has mlesd %s, which --help lacks", name)
	}
	for _, v := range []string{"MLES_KEY", "MLES_ADDR_KEY"} {
		if !strings.Contains(help, v) || !strings.Contains(d.text, "`"+v+"`") {
			t.Errorf("%s is not both in README.md and in mlesd --help", v)
		}
	}
}

// flags reads a row of README.md's table. It is about one flag with its spellings, or about several that have no others;
// their defaults stand in the same order, each up to what is said of it after a semicolon.
func (r row) flags(t *testing.T) (flags []flag) {
	t.Helper()
	names := anyFlag.FindAllString(r[0], -1)
	short := slices.ContainsFunc(names, func(n string) bool { return !strings.HasPrefix(n, "--") })
	if short && !strings.Contains(r[0], ";") {
		return []flag{{names: names, byDefault: plain(r[1])}}
	}
	defaults := strings.Split(r[1], ", ")
	for group := range strings.SplitSeq(r[0], "; ") {
		names := anyFlag.FindAllString(group, -1)
		if strings.Contains(r[0], ";") || len(names) == 1 {
			flags = append(flags, flag{names: names, byDefault: plain(r[1])})
			continue
		}
		for i, n := range names {
			f := flag{names: []string{n}, byDefault: plain(defaults[0])}
			if len(defaults) == len(names) {
				f.byDefault = plain(defaults[i])
			}
			flags = append(flags, f)
		}
	}
	return flags
}

// plain is a default in README.md without marks and without what holds only in some case.
func plain(cell string) string {
	cell, _, _ = strings.Cut(cell, ";")
	return strings.ReplaceAll(cell, "`", "")
}

// checkCommands compares the table of mlesctl's commands with its --help, and looks for each flag that README.md speaks
// of outside of tables in the help of either program.
func checkCommands(t *testing.T, p programs, d *document) {
	help := p.help(t, "mlesctl")
	_, commands, ok := strings.Cut(help, "\nCommands:\n")
	if !ok {
		t.Fatalf("cannot read %s", help)
	}
	inHelp := make(map[string]bool)
	known := p.help(t, "mlesd") + help
	for _, l := range lines(commands, "  ") {
		name := strings.Fields(l)[0]
		inHelp[name] = true
		known += p.help(t, "mlesctl", name)
	}
	for _, r := range d.body(t, "mlesctl") {
		name := strings.Fields(codeSpan.FindStringSubmatch(r[0])[1])[1]
		if !inHelp[name] {
			t.Errorf("README.md's table has mlesctl %s, which --help lacks", name)
		}
		delete(inHelp, name)
	}
	for name := range maps.Keys(inHelp) {
		t.Errorf("README.md's table lacks mlesctl %s", name)
	}
	for _, m := range flagInDoc.FindAllStringSubmatch(d.text, -1) {
		if !regexp.MustCompile(regexp.QuoteMeta(m[1]) + `\b`).MatchString(known) {
			t.Errorf("README.md speaks of %s, which neither mlesd nor mlesctl has", m[1])
		}
	}
}
