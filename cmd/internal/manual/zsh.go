package manual

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Zsh writes completions for zsh 5, to be put into a folder of $fpath under the name _COMMAND.
func Zsh(w io.Writer, app *kong.Application, _ Text) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "#compdef %[1]s\n# Completions of %[1]s for zsh; %[1]s made them from its flags.\n", app.Name)
	for _, n := range commands(app.Node) {
		zshCommand(&b, n)
	}
	fmt.Fprintf(&b, "\n%s \"$@\"\n", zshFunction(app.Node))
	_, err := w.Write(b.Bytes())
	return err
}

// zshCommand writes the function that completes what follows n.
func zshCommand(b *bytes.Buffer, n *kong.Node) {
	var specs []string
	for _, f := range shown(n) {
		for _, s := range spellings(f) {
			specs = append(specs, zshFlag(s, f))
		}
	}
	for i, p := range n.Positional {
		at := fmt.Sprint(i + 1)
		if p.IsCumulative() {
			at = "*"
		}
		specs = append(specs, zshQuoted(at+":"+zshText(strings.ToLower(placeholder(p)))+":"+zshValue(p)))
	}
	fmt.Fprintf(b, "\n%s() {\n", zshFunction(n))
	if len(n.Children) == 0 {
		fmt.Fprintf(b, "\t_arguments -s \\\n\t\t%s\n}\n", strings.Join(specs, " \\\n\t\t"))
		return
	}
	specs = append(specs, "'1:command:->command'", "'*::argument:->argument'")
	fmt.Fprintf(b, "\tlocal curcontext=$curcontext state line\n\ttypeset -A opt_args\n\t_arguments -C -s \\\n\t\t%s\n", strings.Join(specs, " \\\n\t\t"))
	b.WriteString("\tcase $state in\n\tcommand)\n\t\tlocal -a commands=(\n")
	for _, child := range n.Children {
		if !child.Hidden {
			fmt.Fprintf(b, "\t\t\t%s\n", zshQuoted(child.Name+":"+firstSentence(child.Help)))
		}
	}
	b.WriteString("\t\t)\n\t\t_describe command commands\n\t\t;;\n\targument)\n\t\tcase $line[1] in\n")
	for _, child := range n.Children {
		if !child.Hidden {
			fmt.Fprintf(b, "\t\t%s) %s ;;\n", strings.Join(append([]string{child.Name}, child.Aliases...), "|"), zshFunction(child))
		}
	}
	b.WriteString("\t\tesac\n\t\t;;\n\tesac\n}\n")
}

// zshFlag is one spelling of a flag as _arguments wants it.
func zshFlag(spelling string, f *kong.Flag) string {
	name := spelling
	if !f.IsBool() && strings.HasPrefix(spelling, "--") {
		name += "="
	}
	if f.IsCumulative() {
		name = "*" + name
	}
	spec := name + "[" + zshText(firstSentence(f.Help)) + "]"
	if !f.IsBool() {
		spec += ":" + zshText(strings.ToLower(f.Name)) + ":" + zshValue(f.Value)
	}
	return zshQuoted(spec)
}

// zshValue is the action that completes v.
func zshValue(v *kong.Value) string {
	switch all := words(v); {
	case len(all) > 0:
		return "(" + strings.Join(all, " ") + ")"
	case wantsDir(v):
		return "_files -/"
	case wantsFile(v):
		return "_files"
	}
	return " "
}

func zshFunction(n *kong.Node) string {
	return "_" + strings.NewReplacer(" ", "_", "-", "_").Replace(plainPath(n))
}

// zshText is text within a specification of _arguments.
func zshText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(text)
}

func zshQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
