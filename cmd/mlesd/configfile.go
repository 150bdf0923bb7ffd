package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// configFile is what --config names: a setting in each line, NAME=value, with the names of the environment's variables,
// as systemd's EnvironmentFile and env files of containers have them.
//
// Blank lines and those that begin with # or ; are passed over. White space around a value does not belong to it, unless
// the value is quoted, in '…' or "…". What programs that read such files do not agree about is an error and not a guess:
// quotes within a value, and backslashes but in '…'. Nothing is expanded.
type configFile struct {
	name     string
	settings map[string]setting
	public   bool // every user of the machine can read it
}

// setting is one line's value.
type setting struct {
	value string
	line  int
}

// maxConfigFile bounds what is read of the file.
const maxConfigFile = 1 << 20

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// readConfigFile reads the file. The error is every fault in it, beside which there is what could be read; nil: nothing
// could. No error holds a value: it may be a key.
func readConfigFile(name string) (*configFile, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file, which can be read again", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return nil, err
	}
	switch {
	case len(text) > maxConfigFile:
		return nil, fmt.Errorf("%s has more than %d MiB: that is no configuration", name, maxConfigFile>>20)
	case !utf8.Valid(text):
		return nil, fmt.Errorf("%s is not UTF-8", name)
	}
	c := &configFile{name: name, settings: make(map[string]setting)}
	if info, err := f.Stat(); err == nil {
		c.public = info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0
	}
	var faulty faults
	number := 0
	for line := range strings.Lines(string(bytes.TrimPrefix(text, []byte("\ufeff")))) {
		number++
		if err := c.read(strings.TrimSpace(line), number); err != nil {
			faulty.add(c.at(number, err))
		}
	}
	return c, faulty.err()
}

// at says where in the file err is.
func (c *configFile) at(line int, err error) error { return fmt.Errorf("%s:%d: %w", c.name, line, err) }

func (c *configFile) read(line string, number int) error {
	if line == "" || line[0] == '#' || line[0] == ';' {
		return nil
	}
	name, value, ok := strings.Cut(line, "=")
	if !ok || !settingName.MatchString(name) {
		return errors.New("no setting: want NAME=value, without white space before =")
	}
	if before, twice := c.settings[name]; twice {
		return fmt.Errorf("%s stands in line %d already", name, before.line)
	}
	value, err := unquoted(strings.TrimSpace(value))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.settings[name] = setting{value, number}
	return nil
}

// unquoted is the text of a value as it stands in the file.
func unquoted(value string) (string, error) {
	for _, quote := range []string{`'`, `"`} {
		if inner, ok := strings.CutPrefix(value, quote); ok {
			inner, ok = strings.CutSuffix(inner, quote)
			if !ok || strings.Contains(inner, quote) || quote == `"` && strings.Contains(inner, `\`) {
				return "", errors.New(`quotes are '…' or "…" around a whole value, without such quotes in it, and without backslashes in "…"`)
			}
			return inner, nil
		}
	}
	if strings.ContainsAny(value, `'"\`) {
		return "", errors.New("a value with quotes or backslashes has to be quoted as a whole, in '…'")
	}
	return value, nil
}

// lookup is os.LookupEnv with the file before it.
func (c *configFile) lookup(name string) (string, bool) {
	if s, ok := c.setting(name); ok {
		return s.value, true
	}
	return os.LookupEnv(name)
}

// keyVariables are names that are no flag's.
var keyVariables = []string{"MLES_KEY", "MLES_ADDR_KEY"}

// check says which settings have a name that there is not, in the order of the file.
func (c *configFile) check(line *kong.Context) error {
	known := slices.Clone(keyVariables)
	for _, f := range line.Flags() {
		known = append(known, f.Envs...)
	}
	for _, arg := range line.Model.Positional {
		known = append(known, arg.Tag.Envs...)
	}
	byLine := slices.SortedFunc(maps.Keys(c.settings), func(a, b string) int { return c.settings[a].line - c.settings[b].line })
	var faulty faults
	for _, name := range byLine {
		at := c.settings[name].line
		switch {
		case name == configVariable:
			faulty.add(c.at(at, errors.New(name+": a configuration file cannot name another")))
		case !slices.Contains(known, name):
			faulty.add(c.at(at, errors.New("unknown name "+name)))
		}
	}
	return faulty.err()
}

// configResolver is a configuration's file; see [kong.Resolver].
type configResolver struct{ *config }

// Validate implements [kong.Resolver]; check has done it.
func (c configResolver) Validate(*kong.Application) error { return nil }

// Resolve gives a flag that the command line does not have the value of its setting. One that does not fit is noted and
// passed over.
func (c configResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		s, ok := c.file.settings[name]
		if !ok {
			continue
		}
		if err := fits(flag.Value, s.value); err != nil { // kong's own error would not name the line
			c.found.add(fmt.Errorf("--%s: %w", flag.Name, c.file.at(s.line, err)))
			return nil, nil
		}
		return s.value, nil
	}
	return nil, nil
}

// fill gives PEER, which kong asks no resolver for, the value of its setting.
func (c *config) fill(line *kong.Context) {
	given := slices.ContainsFunc(line.Path, func(p *kong.Path) bool { return p.Positional != nil })
	if s, ok := c.file.setting("MLESD_PEER"); ok && !given {
		c.Peer = s.value
	}
}

// setting is a line of the file, which may be nil.
func (c *configFile) setting(name string) (s setting, ok bool) {
	if c == nil {
		return s, false
	}
	s, ok = c.settings[name]
	return s, ok
}

// fits says why a flag cannot have the value.
func fits(flag *kong.Value, value string) error {
	if flag.Enum != "" && !flag.EnumMap()[value] {
		return fmt.Errorf("%q is none of %s", value, flag.Enum)
	}
	trial := reflect.New(flag.Target.Type()).Elem()
	err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), trial)
	if inner := errors.Unwrap(err); inner != nil { // without the flag's name, which stands before it anyway
		return inner
	}
	return err
}

// configVariable names the file in the environment.
const configVariable = "MLESD_CONFIG"

// BeforeResolve is called by kong when the command line and the environment have been read: the file stands between the
// two.
func (c *config) BeforeResolve(ctx *kong.Context) error {
	for _, flag := range ctx.Flags() {
		if flag.Name != "config" {
			continue
		}
		name, _ := ctx.FlagValue(flag).(string)
		if name == "" {
			return nil
		}
		file, err := readConfigFile(name)
		c.foundInFile(err)
		if file == nil {
			return nil
		}
		c.foundInFile(file.check(ctx))
		c.file = file
		ctx.AddResolver(configResolver{c})
	}
	return nil
}

func (c *config) foundInFile(err error) {
	var all faults
	all.add(err)
	for _, err := range all {
		c.found.add(fmt.Errorf("--config: %w", err))
	}
}

// warnings are what somebody should know who uses the file.
func (c *configFile) warnings() (all []string) {
	if c == nil {
		return nil
	}
	for _, name := range keyVariables {
		if _, has := c.settings[name]; has && c.public {
			all = append(all, fmt.Sprintf("--config %s holds %s and can be read by every user of this machine", c.name, name))
		}
	}
	return all
}
