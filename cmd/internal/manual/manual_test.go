package manual

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// ferry is a command line with one of everything: groups, enumerations, files, commands within commands, what is hidden.
type ferry struct {
	Sail struct {
		Cargo struct {
			Weight int    `short:"w" help:"In tons. More is told elsewhere."`
			List   string `placeholder:"FILE" env:"FERRY_LIST" help:"What is on board."`
		} `cmd:"" help:"Carry things: boxes [and more]."`
		Folk struct{} `cmd:"" help:"Carry people."`
	} `cmd:"" help:"Leave the port."`
	Paint struct {
		Colour string `arg:"" enum:"red,white" help:"It's the hull's."`
	} `cmd:"" help:"Stay."`
	Sink struct{} `cmd:"" hidden:"" help:"Nobody should."`

	Wind     string   `enum:"north,south" default:"north" group:"Weather" env:"FERRY_WIND" aliases:"breeze" help:"Where from."`
	Chart    []string `group:"Papers" placeholder:"DIR" env:"FERRY_CHART" help:"Maps; .old ones, too."`
	Fog      bool     `group:"Weather" env:"FERRY_FOG" help:"Blow the \\horn."`
	Generate Generate `hidden:""`
}

// written is what ferry --generate form prints.
func written(t *testing.T, form string) (got string) {
	t.Helper()
	t.Helper()
	var out strings.Builder
	text := Text{Section: 8, Roff: ".SH FILES\nnone\n", Settings: "Settings of the ferry.\n\n#HARBOUR=\n"}
	parser, err := kong.New(new(ferry), kong.Name("ferry"), kong.Description("Crosses the water: there and back.\n\nAlways."),
		kong.Writers(&out, io.Discard), kong.Bind(text), kong.Exit(func(int) { panic("exit") }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if r := recover(); r != nil && r != "exit" {
			panic(r)
		}
		got = out.String()
	}()
	_, err = parser.Parse([]string{"--generate", form})
	t.Fatalf("--generate %s does not exit: %v", form, err)
	return ""
}

// holds checks that text has all of these, in this order.
func holds(t *testing.T, text string, wants ...string) {
	t.Helper()
	rest := text
	for _, want := range wants {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Fatalf("no %q (in this place) in\n%s", want, text)
		}
		rest = after
	}
}

func TestMan(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "86400")
	page := written(t, "man")
	holds(t, page, `.TH FERRY 8 1970-01-02 "ferry" "Mles gateway"`, ".SH NAME\nferry \\- Crosses the water\n", ".SH SYNOPSIS", ".SH DESCRIPTION",
		".SH OPTIONS", ".SS Weather", `\fB\-\-wind\fR, \fB\-\-breeze\fR=\fI"north"\fR`, "One of north, south.\nEnvironment: FERRY_WIND.", `Blow the \ehorn.`,
		".SS Papers", `\fB\-\-chart\fR=\fIDIR,...\fR`, ".SS Others", `\fB\-\-help\fR`,
		".SH COMMANDS", `.SS "sail cargo [flags]"`, `\fB\-w\fR, \fB\-\-weight\fR`, `.SS "paint <colour>`, ".SH FILES\nnone\n")
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, ".old") {
			t.Error("a word that begins with a dot has become a macro")
		}
	}
	if strings.Contains(page, "Nobody") || strings.Contains(page, "generate") {
		t.Error("the page tells what is hidden")
	}
}

func TestSettings(t *testing.T) {
	text := written(t, "settings")
	holds(t, text, "# Settings of the ferry.\n#\n#HARBOUR=\n", "# WEATHER\n", "#FERRY_WIND=north\n", "#FERRY_FOG=false\n", "# PAPERS\n", "#FERRY_CHART=DIR\n")
	for line := range strings.Lines(text) {
		if line != "\n" && !strings.HasPrefix(line, "#") {
			t.Errorf("%q is not a comment", line)
		}
	}
}

// What shells make of these is tried with the packages (.ci/packages).
func TestCompletions(t *testing.T) {
	holds(t, written(t, "bash"), "_ferry() {", `"ferry sail") command="ferry sail" ;;`, `"ferry sail cargo") command="ferry sail cargo" ;;`,
		`"ferry --wind" | "ferry --breeze")`, `compgen -W "north south"`, `"ferry --chart")`, "compgen -d", `"ferry sail cargo --list")`, "compgen -f",
		`words="sail paint -h --help`, `words="red white -h --help`, "complete -F _ferry ferry")
	holds(t, written(t, "zsh"), "#compdef ferry", "_ferry() {", "'sail:Leave the port'", "sail) _ferry_sail ;;", "_ferry_sail_cargo() {", "'-w[In tons]:weight: '",
		"_ferry_paint() {", "'1:colour:(red white)'", `_ferry "$@"`)
	holds(t, written(t, "fish"), "complete -c ferry -f", "-n 'not __fish_seen_subcommand_from sail paint sink' -a sail -d 'Leave the port'",
		"complete -c ferry -l wind -l breeze -r -a 'north south' -d 'Where from'",
		"-n '__fish_seen_subcommand_from sail; and __fish_seen_subcommand_from cargo' -s w -l weight -r -d 'In tons'")
	for _, form := range Forms() {
		if text := written(t, form); strings.Contains(text, "Nobody") {
			t.Errorf("%s tells what is hidden", form)
		}
	}
}

func TestForms(t *testing.T) {
	if err := Write(io.Discard, "pdf", nil, Text{}); err == nil || !strings.Contains(err.Error(), "bash, fish, man, settings, zsh") {
		t.Errorf("an unknown form: %v", err)
	}
	if got := len(forms()); got != len(Forms()) || !slices.IsSorted(Forms()) {
		t.Errorf("%d forms, of which %q are told", got, Forms())
	}
}
