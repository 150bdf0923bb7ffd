package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// errAnswered ends a command line that was a question: --help, --version.
var errAnswered = errors.New("answered")

// parse reads the command line, the environment and the file of settings; answers to --help and --version go to stdout.
// The error is every fault there is, those of the command line first; beside it there is the configuration as far as it
// could be read.
func parse(args []string, stdout io.Writer) (*config, error) { return parseWith(args, stdout, nil) }

// parseWith does so where systemd has passed sockets.
func parseWith(args []string, stdout io.Writer, sockets passed) (*config, error) {
	var f faults
	conf, err := parseLine(args, stdout)
	if errors.Is(err, errAnswered) {
		return nil, err
	}
	for err != nil { // kong stops at the first fault of a command line
		f.add(err)
		args = withoutFault(args, err)
		conf, err = parseLine(args, io.Discard)
		if errors.Is(err, errAnswered) { // a question in a faulty line is not answered
			return nil, f.err()
		}
	}
	conf.sockets = sockets
	f.add(conf.found)
	f.add(conf.complete())
	return conf, f.err()
}

// parseLine reads a command line up to its first fault. What is faulty in the environment and the file is in the
// configuration's found.
func parseLine(args []string, stdout io.Writer) (conf *config, err error) {
	conf = new(config)
	parser, err := kong.New(conf,
		kong.Name("mlesd"),
		kong.Description("The Mles gateway: v1 over TCP and v2 over WebSockets on the same channels.\n\n"+
			"The shared key is in MLES_KEY or in a file, never in a flag; MLES_ADDR_KEY holds v1's address key. "+
			"Without flags: v1 on port 8077, v2 on wss://localhost:8443 with a certificate of its own."),
		kong.Vars{"version": "mlesd " + version()},
		kong.Bind(manualText()),
		kong.Writers(stdout, io.Discard),
		kong.Exit(func(int) { panic(errAnswered) }),
	)
	if err != nil {
		panic(err) // of the tags of config, whatever the arguments are
	}
	defer func() { // kong asks to exit from within
		if r := recover(); r == errAnswered {
			conf, err = nil, errAnswered
		} else if r != nil {
			panic(r)
		}
	}()
	line, err := parser.Parse(args)
	if err != nil {
		return nil, err
	}
	conf.fill(line)
	conf.note(line)
	return conf, nil
}

// withoutFault is a command line without the argument that err is about, and without what belongs to that: the last one
// of the shortest beginning with the same fault.
func withoutFault(args []string, err error) []string {
	end := len(args)
	for n := 1; n < len(args); n++ {
		if _, e := parseLine(args[:n], io.Discard); e != nil && e.Error() == err.Error() {
			end = n
			break
		}
	}
	from := end - 1
	isFlag := func(i int) bool { return i >= 0 && i < len(args) && len(args[i]) > 1 && args[i][0] == '-' }
	switch {
	case strings.Contains(err.Error(), "; perhaps try ") && from > 0: // a flag has no value, but an argument that looks like one
		from--
		if next := args[from+1]; len(next) < 2 || next[1] < '0' || next[1] > '9' {
			end--
		}
	case !isFlag(from) && isFlag(from-1) && !strings.Contains(args[from-1], "="):
		from-- // its value
	case strings.HasPrefix(err.Error(), "unknown flag") && !strings.Contains(args[from], "=") && end < len(args) && !isFlag(end):
		end++ // likely a value of the flag that there is not
	}
	return slices.Delete(slices.Clone(args), from, end)
}

// BeforeReset is called by kong when the command line has been read, and before the environment is: what does not fit
// there is noted, with the variable's name, and passed over.
func (c *config) BeforeReset(line *kong.Context) error {
	for _, flag := range line.Flags() {
		c.tryVariables("--"+flag.Name, flag.Value)
	}
	for _, arg := range line.Model.Positional {
		c.tryVariables(strings.ToUpper(arg.Name), arg)
	}
	return nil
}

func (c *config) tryVariables(name string, v *kong.Value) {
	for _, variable := range v.Tag.Envs {
		text, given := os.LookupEnv(variable)
		if !given {
			continue
		}
		if err := fits(v, text); err != nil {
			c.found.add(fmt.Errorf("%s: %w (from %s)", name, err, variable))
			v.Tag.Envs = nil
			return
		}
	}
}
