package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"golang.org/x/term"

	"mles/conformance"
)

// checkCommand holds a server to the protocol.
type checkCommand struct {
	trust `embed:""`

	V1      string        `name:"v1" placeholder:"HOST:PORT" help:"Address where the server speaks v1 over TCP."`
	V2      string        `name:"v2" placeholder:"URL" help:"Address where it speaks v2: wss://HOST[:PORT][/PATH], or ws://."`
	V1WS    string        `name:"v1ws" placeholder:"URL" help:"Address where it speaks v1 over WebSocket; may be the same."`
	KeyFile string        `name:"key-file" placeholder:"FILE" help:"File with the server's shared key (default: the environment's MLES_KEY, or none)."`
	Profile string        `placeholder:"P" help:"What the server is known to do otherwise: mles-1.1.7, mles-2.9.4, mles-client-1.1.7-proxy, gateway, or a file that ends in .json."`
	Only    string        `name:"run" placeholder:"REGEXP" help:"Only cases whose ID fits."`
	List    bool          `help:"Print the cases, and try none."`
	Format  string        `enum:"text,json,junit" default:"text" help:"Form of the report: text, json or junit."`
	Timeout time.Duration `default:"5s" placeholder:"D" help:"How long the server may take for one answer (default: ${default})."`
	Slow    bool          `help:"Also cases that take more than 20 s."`
	Hostile bool          `help:"Also cases that can hurt a server."`
}

func (c *checkCommand) Help() string {
	return `Tries what the specifications demand of a server, each case in a channel of its own, so that a server in use is not disturbed. Exits with 0 if all came out as expected, with 1 if not, with 3 if the server cannot be reached.

Cases for an address or a key that is not given are left out, which the report says. A case that was chosen and could not be tried is not a pass.

The environment's MLES_ADDR_KEY is the address key of a server without a shared key.`
}

// Run runs the cases and writes the report.
func (c *checkCommand) Run(ctx context.Context, std *stdio) error {
	options, err := c.options()
	if err != nil {
		return err
	}
	if c.List {
		return c.list(std.out, options)
	}
	target, err := c.target()
	if err != nil {
		return err
	}
	show := progress{std: std}
	if term.IsTerminal(int(std.err.Fd())) {
		options.Progress = show.add
	}
	report, err := conformance.Run(ctx, target, options)
	show.clear()
	switch {
	case errors.Is(err, conformance.ErrTarget), errors.Is(err, conformance.ErrNoCases):
		return usage("%w", err)
	case errors.Is(err, conformance.ErrUnreachable):
		return unreachable("%w%s", err, certificateHint(err))
	case report == nil:
		return err
	}
	if err := c.write(std.out, report); err != nil {
		return err
	}
	if err == nil && !report.OK() {
		return unsatisfied("%d of %d cases are not as expected", report.Counts().Unexpected, report.Counts().Cases)
	}
	return err
}

// target is the server that the flags and the environment name.
func (c *checkCommand) target() (conformance.Target, error) {
	var tg conformance.Target
	if c.V1 == "" && c.V2 == "" && c.V1WS == "" {
		return tg, usage("check what? --v1 HOST:PORT, --v2 URL, --v1ws URL, or several of them")
	}
	if c.V1 != "" {
		a, err := parseAddress("v1://" + strings.TrimPrefix(c.V1, "v1://"))
		if err != nil {
			return tg, err
		}
		tg.V1 = a.hostPort()
	}
	var err error
	if tg.V2, err = c.webAddress(&tg, "--v2", c.V2); err != nil {
		return tg, err
	}
	if tg.V1WS, err = c.webAddress(&tg, "--v1ws", c.V1WS); err != nil {
		return tg, err
	}
	tg.Key, err = sharedKey(c.KeyFile)
	tg.AddrKey = os.Getenv("MLES_ADDR_KEY")
	return tg, err
}

// webAddress returns a WebSocket address in full, and readies the target's TLS for
// it: one configuration for all addresses, in which each goes by its own name.
func (c *checkCommand) webAddress(tg *conformance.Target, flag, at string) (string, error) {
	if at == "" {
		return "", nil
	}
	a, err := parseAddress(at)
	if err != nil {
		return "", err
	}
	if a.isV1() {
		return "", usage("%s %s: want wss:// or ws://", flag, at)
	}
	conf, err := c.config(a)
	if conf != nil && (tg.TLS == nil || a.onLocalhost()) { // localhost's trust is the others' and more
		conf.ServerName = ""
		tg.TLS = conf
	}
	return a.url(), err
}

func (c *checkCommand) options() (conformance.Options, error) {
	o := conformance.Options{Timeout: c.Timeout, Slow: c.Slow, Hostile: c.Hostile}
	if c.Timeout <= 0 {
		return o, usage("--timeout must be more than 0")
	}
	var err error
	if c.Only != "" {
		if o.Pattern, err = regexp.Compile(c.Only); err != nil {
			return o, usage("--run: %v", err)
		}
	}
	if o.Profile, err = conformance.LoadProfile(c.Profile); err != nil {
		return o, usage("--profile: %w", err)
	}
	return o, nil
}

// list prints the cases that fit --run, whatever they need.
func (c *checkCommand) list(w io.Writer, o conformance.Options) error {
	var cases []conformance.Case
	for _, x := range conformance.Cases() {
		if o.Pattern == nil || o.Pattern.MatchString(x.ID) {
			cases = append(cases, x)
		}
	}
	switch c.Format {
	case "json":
		return conformance.WriteListJSON(w, cases)
	case "junit":
		return usage("--list has no form junit")
	}
	return conformance.WriteList(w, cases)
}

func (c *checkCommand) write(w io.Writer, report *conformance.Report) error {
	switch c.Format {
	case "json":
		return report.WriteJSON(w)
	case "junit":
		return report.WriteJUnit(w)
	}
	return report.WriteText(w)
}

// progress tells how far the run is, on a terminal and beside the report.
type progress struct {
	std       *stdio
	done, bad int
}

func (p *progress) add(r conformance.Result) {
	p.done++
	if !r.AsExpected() {
		p.bad++
	}
	fmt.Fprintf(p.std.err, "\r\x1b[K%d cases, %d not as expected; %s", p.done, p.bad, r.Case.ID)
}

// clear takes the line away, if there is one.
func (p *progress) clear() {
	if p.done > 0 {
		fmt.Fprint(p.std.err, "\r\x1b[K")
	}
}
