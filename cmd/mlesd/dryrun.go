package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"mles/bridge"
	"mles/internal/admin"
)

// dryRun is what --check does: it goes through everything that a start does before it serves, with the same code where
// that leaves no trace, and tells what would come of it. Nothing is written, nobody is connected to; ports are opened and
// closed at once.
type dryRun struct {
	// Fixed.
	daemon *daemon
	conf   *config

	lines    []dryLine
	faults   faults
	warnings []string
}

// dryLine says what would happen, under a topic.
type dryLine struct{ topic, text string }

// check tells on stdout what a start with these arguments would do, and on stderr what is wrong, each fault and each
// warning in a line. found is what was wrong before. It returns the exit status: 0, or 2 where there is a fault.
func check(args []string, conf *config, found []error, stdout, stderr io.Writer) int {
	r := &dryRun{conf: conf}
	r.daemon = &daemon{args: args, conf: conf, log: slog.New(&warningsOnly{r: r}), level: new(slog.LevelVar), stdout: io.Discard}
	for _, err := range found {
		r.faults.add(err)
	}
	for _, look := range []func(){
		r.settings, r.listeners, r.members, r.access, r.admin, r.certificates, r.site, r.upstreams, r.folder, r.bounds,
	} {
		look()
	}
	for _, w := range conf.allWarnings() {
		r.warn("%s", w)
	}
	r.report(stdout)
	return r.verdict(stdout, stderr)
}

func (r *dryRun) say(topic, format string, args ...any) {
	r.lines = append(r.lines, dryLine{topic, fmt.Sprintf(format, args...)})
}

func (r *dryRun) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...); !slices.Contains(r.warnings, w) {
		r.warnings = append(r.warnings, w)
	}
}

// report prints the lines, a topic only before its first.
func (r *dryRun) report(w io.Writer) {
	how := ""
	if len(r.faults) > 0 {
		how = ", as far as it could be read"
	}
	fmt.Fprintf(w, "mlesd %s, as %s%s\n\n", version(), whoami(), how)
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	last := ""
	for _, l := range r.lines {
		topic := l.topic
		if topic == last {
			topic = ""
		}
		last = l.topic
		fmt.Fprintf(table, "%s\t%s\n", topic, oneLine(l.text))
	}
	_ = table.Flush() // who does not read this has the exit status
	fmt.Fprintln(w)
}

func (r *dryRun) verdict(stdout, stderr io.Writer) int {
	for _, w := range r.warnings {
		fmt.Fprintf(stderr, "mlesd: warning: %s\n", oneLine(w))
	}
	for _, f := range r.faults {
		fmt.Fprintf(stderr, "mlesd: %s\n", oneLine(f.Error()))
	}
	switch {
	case len(r.faults) > 0:
		fmt.Fprintf(stderr, "mlesd: %s, %s: it would not start\n", count(len(r.faults), "fault"), count(len(r.warnings), "warning"))
		return exitUsage
	case len(r.warnings) > 0:
		fmt.Fprintf(stdout, "It would start, with %s.\n", count(len(r.warnings), "warning"))
	default:
		fmt.Fprintln(stdout, "It would start.")
	}
	return exitOK
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// whoami is the user whose permissions count.
func whoami() string {
	if u, err := user.Current(); err == nil {
		return "user " + u.Username
	}
	return fmt.Sprintf("user %d", os.Getuid())
}

// settings says where they come from; those of the command line stand there.
func (r *dryRun) settings() {
	var set []string
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); settingOf(r.conf, name) {
			set = append(set, name)
		}
	}
	slices.Sort(set)
	if f := r.conf.file; f != nil {
		r.say("settings", "%s has %s, which go before the environment", f.name, count(len(f.settings), "setting"))
	}
	if len(set) > 0 {
		r.say("settings", "the environment has %s", strings.Join(set, ", "))
	}
	if r.conf.file == nil && len(set) == 0 {
		r.say("settings", "the command line alone")
	}
}

func settingOf(c *config, variable string) bool {
	return slices.Contains(keyVariables, variable) || slices.Contains(c.variables, variable)
}

// members says who may join.
func (r *dryRun) members() {
	c := r.conf
	if !c.v1.off || !c.v1TLS.off || c.V1WebSocket {
		r.keys("v1", c.keys.v1, "no shared key: each client is known by its address, which cannot work behind NAT")
		if len(c.keys.v1.keys) > 0 && c.V1AddressKeys {
			r.say("v1", "address keys too")
		}
		if c.V1WebSocket {
			r.say("v1", "over WebSocket too, where no key is asked for")
		}
		if c.WebproxyMask == "only" {
			r.say("v1", "over WebSocket on the masked channels only")
		}
		if len(c.V1Channels) > 0 {
			r.say("v1", "joins only %s", strings.Join(c.V1Channels, ", "))
		}
		if c.V1ReadOnly {
			r.say("v1", "reads only")
		}
	}
	if c.WebproxyMask == "link" {
		r.say("channels", "each that is joined over WebSocket is linked to its masked twin")
	}
	if !c.v2.off || !c.plain.off {
		r.keys("v2", c.keys.v2, "no key: whoever connects may join")
		if len(c.V2Channels) > 0 {
			r.say("v2", "joins only %s", strings.Join(c.V2Channels, ", "))
		}
		if c.V2Joins != "history" {
			r.say("v2", "arrivals told of: %s", c.V2Joins)
		}
		if !slices.Equal(c.Origins, []string{bridge.OriginsAuto}) {
			r.say("v2", "in browsers, pages of the origins %s", strings.Join(c.Origins, ", "))
		}
	}
}

// keys says how many a dialect has, where they stand, and what those open that do not open everything.
func (r *dryRun) keys(dialect string, k keyList, none string) {
	switch {
	case len(k.keys) == 0:
		r.say(dialect, "%s", none)
		return
	case k.file == "":
		r.say(dialect, "a shared key, from MLES_KEY")
		return
	}
	var lines []string
	for _, l := range k.lines {
		lines = append(lines, fmt.Sprint(l))
	}
	r.say(dialect, "%s in %s, line %s", count(len(k.keys), "shared key"), k.file, strings.Join(lines, ", "))
	for i, scope := range k.scopes {
		var limits []string
		if len(scope.Channels) > 0 {
			limits = append(limits, "channels "+strings.Join(scope.Channels, ", "))
		}
		if len(scope.Dialects) > 0 {
			limits = append(limits, "dialects "+strings.Join(scope.Dialects, ", "))
		}
		if len(limits) > 0 {
			r.say(dialect, "line %d opens only %s", k.lines[i], strings.Join(limits, "; "))
		}
	}
}

// admin says who gets answers from the admin listener.
func (r *dryRun) admin() {
	c := r.conf
	switch {
	case c.admin.off:
	case c.AdminTokenFile != "":
		r.say("admin", "token in %s", c.AdminTokenFile)
	case c.Cache != "":
		r.keptToken(filepath.Join(c.Cache, admin.TokenFile))
	}
	if !c.admin.off && c.Pprof {
		r.say("admin", "profiles for the Go tools")
	}
}

// keptToken looks for the token that a start before has made.
func (r *dryRun) keptToken(file string) {
	token, err := admin.ReadToken(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.say("admin", "token in %s, to be made", file)
		return
	case err != nil:
		r.warn("--cache: the admin listener's token cannot be read: %v: what needs one would be refused; remove the file to have another made", err)
		return
	case token.Public:
		r.warn("--cache: %s can be read by every user of this machine: chmod 600", file)
	}
	r.say("admin", "token in %s", file)
}

// oneLine is a text without what file names and values might bring along.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
