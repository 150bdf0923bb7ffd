package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

// flagsOf are all flags, but for those that are about one command and not about a gateway.
func flagsOf(t *testing.T) []*kong.Flag {
	t.Helper()
	parser, err := kong.New(new(config), kong.Name("mlesd"), kong.Vars{"version": ""})
	if err != nil {
		t.Fatal(err)
	}
	var flags []*kong.Flag
	for _, f := range parser.Model.Flags {
		if !f.Hidden && !slices.Contains([]string{"help", "version", "check", "config"}, f.Name) {
			flags = append(flags, f)
		}
	}
	if len(flags) < 40 {
		t.Fatalf("only %d flags", len(flags))
	}
	return flags
}

// sample is a value for a flag that is not its default.
func sample(t *testing.T, f *kong.Flag) string {
	t.Helper()
	if f.Enum != "" {
		values := strings.Split(f.Enum, ",")
		return values[len(values)-1]
	}
	target := f.Target
	if target.Kind() == reflect.Pointer {
		target = reflect.New(target.Type().Elem()).Elem()
	}
	switch target.Interface().(type) {
	case address:
		return "127.0.0.1:4711"
	case memorySize:
		return "64MiB"
	case time.Duration:
		return "7s"
	case slog.Level:
		return "debug"
	case globs:
		return "hall,iot/**"
	case bool:
		return "true"
	case int:
		return "7"
	case string:
		return "some text"
	case []string:
		return "a.example,b.example"
	}
	for _, candidate := range []string{"192.0.2.0/24", "5/s", "v1", "v2", "30s", "a.example", "7"} { // of types of one flag
		if fits(f.Value, candidate) == nil {
			return candidate
		}
	}
	t.Fatalf("--%s: this test has no value for %s", f.Name, target.Type())
	return ""
}

// readBy reads what a flag has become; nothing else is given.
func readBy(t *testing.T, f *kong.Flag, args ...string) string {
	t.Helper()
	conf, err := parseLine(args, io.Discard)
	if err != nil || len(conf.found) > 0 {
		t.Fatalf("%q: %v, %v", args, err, conf.found)
	}
	return conf.values["--"+f.Name]
}

// A setting is the same wherever it stands.
func TestEveryFlagFromEverySource(t *testing.T) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "MLESD_") {
			t.Setenv(name, "") // restored after the test
			os.Unsetenv(name)
		}
	}
	for _, f := range flagsOf(t) {
		want := "MLESD_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if !slices.Equal(f.Envs, []string{want}) {
			t.Errorf("--%s has the variables %q, want %s", f.Name, f.Envs, want)
			continue
		}
		value, byDefault := sample(t, f), readBy(t, f)
		flag := readBy(t, f, fmt.Sprintf("--%s=%s", f.Name, value))
		file := readBy(t, f, "--config", written(t, want+"="+value))
		os.Setenv(want, value)
		variable := readBy(t, f)
		os.Unsetenv(want)
		if flag != variable || flag != file || flag == byDefault {
			t.Errorf("--%s=%s is %s as a flag, %s as a variable, %s in a file; the default is %s", f.Name, value, flag, variable, file, byDefault)
		}
	}
}

// Every flag stands in README.md, and docs/configuration.md says what a reload makes of it; it speaks of no others.
func TestEveryFlagIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	known := []string{"config", "check"}
	for _, f := range flagsOf(t) {
		known = append(known, f.Name)
		if !bytes.Contains(text, []byte("`--"+f.Name+"`")) {
			t.Errorf("docs/configuration.md lacks --%s: what does a reload make of it?", f.Name)
		}
		if !bytes.Contains(readme, []byte("`--"+f.Name+"`")) {
			t.Errorf("README.md lacks --%s", f.Name)
		}
	}
	for _, m := range regexp.MustCompile("`--([a-z0-9-]+)").FindAllSubmatch(text, -1) {
		if !slices.Contains(known, string(m[1])) {
			t.Errorf("docs/configuration.md has --%s, which mlesd has not", m[1])
		}
	}
	_, fixed, ok := bytes.Cut(text, []byte("**Not while it runs:**"))
	if !ok {
		t.Fatal("docs/configuration.md does not say what needs a restart")
	}
	fixed, _, _ = bytes.Cut(fixed, []byte("\n\n"))
	var said []string
	for _, m := range regexp.MustCompile("`(--[a-z0-9-]+)`").FindAllSubmatch(fixed, -1) {
		said = append(said, string(m[1]))
	}
	slices.Sort(said)
	if want := slices.Sorted(slices.Values(fixedFlags())); !slices.Equal(said, want) {
		t.Errorf("docs/configuration.md says that %q need a restart, it is %q", said, want)
	}
}
