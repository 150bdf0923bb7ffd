package manual

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Fish writes completions for fish 3 and later.
func Fish(w io.Writer, app *kong.Application, _ Text) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Completions of %[1]s for fish; %[1]s made them from its flags.\ncomplete -c %[1]s -f\n", app.Name)
	for _, n := range commands(app.Node) {
		below := fishCondition(n, true)
		for _, child := range n.Children {
			if !child.Hidden {
				fmt.Fprintf(&b, "complete -c %s%s -a %s -d %s\n", app.Name, below, child.Name, fishQuoted(firstSentence(child.Help)))
			}
		}
		for _, p := range n.Positional {
			fishPositional(&b, app.Name, fishCondition(n, false), p)
		}
		for _, f := range n.Flags { // those of a command hold for the commands below it, too
			if !f.Hidden {
				fishFlag(&b, app.Name, fishCondition(n, false), f)
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// fishCondition says when what belongs to n is offered; bare: only as long as none of the commands below it was given.
func fishCondition(n *kong.Node, bare bool) string {
	var all []string
	for at := n; at.Parent != nil; at = at.Parent {
		all = append([]string{"__fish_seen_subcommand_from " + strings.Join(append([]string{at.Name}, at.Aliases...), " ")}, all...)
	}
	if bare && len(n.Children) > 0 {
		var names []string
		for _, child := range n.Children {
			names = append(append(names, child.Name), child.Aliases...)
		}
		all = append(all, "not __fish_seen_subcommand_from "+strings.Join(names, " "))
	}
	if len(all) == 0 {
		return ""
	}
	return " -n '" + strings.Join(all, "; and ") + "'"
}

func fishFlag(b *bytes.Buffer, name, condition string, f *kong.Flag) {
	fmt.Fprintf(b, "complete -c %s%s", name, condition)
	for _, s := range spellings(f) {
		if long, ok := strings.CutPrefix(s, "--"); ok {
			fmt.Fprintf(b, " -l %s", long)
		} else {
			fmt.Fprintf(b, " -s %s", s[1:])
		}
	}
	if !f.IsBool() {
		b.WriteString(" -r")
		fishValue(b, f.Value)
	}
	fmt.Fprintf(b, " -d %s\n", fishQuoted(firstSentence(f.Help)))
}

func fishPositional(b *bytes.Buffer, name, condition string, p *kong.Positional) {
	if len(words(p)) > 0 || wantsDir(p) || wantsFile(p) {
		fmt.Fprintf(b, "complete -c %s%s", name, condition)
		fishValue(b, p)
		b.WriteByte('\n')
	}
}

// fishValue offers what v can be.
func fishValue(b *bytes.Buffer, v *kong.Value) {
	switch all := words(v); {
	case len(all) > 0:
		fmt.Fprintf(b, " -a %s", fishQuoted(strings.Join(all, " ")))
	case wantsDir(v):
		b.WriteString(" -a '(__fish_complete_directories)'")
	case wantsFile(v):
		b.WriteString(" -F")
	}
}

func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}
