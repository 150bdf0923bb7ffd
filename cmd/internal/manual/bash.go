package manual

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// Bash writes completions for bash 4 and later, which need no bash-completion.
func Bash(w io.Writer, app *kong.Application, _ Text) error {
	var b bytes.Buffer
	function := "_" + app.Name
	fmt.Fprintf(&b, `# Completions of %[1]s for bash; %[1]s made them from its flags.
%[2]s() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev= command=%[1]s words= i
	((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD - 1]}
	# bash takes --flag=value for three words
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case "$command ${COMP_WORDS[i]}" in
`, app.Name, function)
	for _, n := range commands(app.Node)[1:] {
		for _, name := range append([]string{n.Name}, n.Aliases...) {
			fmt.Fprintf(&b, "\t\t%q) command=%q ;;\n", plainPath(n.Parent)+" "+name, plainPath(n))
		}
	}
	b.WriteString("\t\t*) ;;\n\t\tesac\n\tdone\n\tcase \"$command $prev\" in\n")
	for _, n := range commands(app.Node) {
		for _, f := range shown(n) {
			bashFlag(&b, n, f)
		}
	}
	b.WriteString("\t*) ;;\n\tesac\n\tcase $command in\n")
	for _, n := range commands(app.Node) {
		bashCommand(&b, n)
	}
	fmt.Fprintf(&b, "\tesac\n\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\ncomplete -F %s %s\n", function, app.Name)
	_, err := w.Write(b.Bytes())
	return err
}

// bashFlag completes what follows a flag that takes a value.
func bashFlag(b *bytes.Buffer, n *kong.Node, f *kong.Flag) {
	if f.IsBool() {
		return
	}
	var patterns []string
	for _, s := range spellings(f) {
		patterns = append(patterns, fmt.Sprintf("%q", plainPath(n)+" "+s))
	}
	fmt.Fprintf(b, "\t%s)\n", strings.Join(patterns, " | "))
	switch all := words(f.Value); {
	case len(all) > 0:
		fmt.Fprintf(b, "\t\tmapfile -t COMPREPLY < <(compgen -W %q -- \"$cur\")\n", strings.Join(all, " "))
	case wantsDir(f.Value):
		bashPaths(b, "-d")
	case wantsFile(f.Value):
		bashPaths(b, "-f")
	default:
		b.WriteString("\t\tCOMPREPLY=()\n")
	}
	b.WriteString("\t\treturn\n\t\t;;\n")
}

// bashPaths completes files (-f) or folders (-d); compopt is for a shell that completes, which a test may not be.
func bashPaths(b *bytes.Buffer, kind string) {
	fmt.Fprintf(b, "\t\tcompopt -o filenames 2>/dev/null\n\t\tmapfile -t COMPREPLY < <(compgen %s -- \"$cur\")\n", kind)
}

// bashCommand says what may follow a command: flags, commands below it, words that an argument may be.
func bashCommand(b *bytes.Buffer, n *kong.Node) {
	var flags, args []string
	for _, f := range shown(n) {
		flags = append(flags, spellings(f)...)
	}
	for _, child := range n.Children {
		if !child.Hidden {
			args = append(args, child.Name)
		}
	}
	dir := false
	for _, p := range n.Positional {
		args = append(args, words(p)...)
		dir = dir || wantsDir(p)
	}
	fmt.Fprintf(b, "\t%q)\n\t\twords=%q\n", plainPath(n), strings.Join(append(args, flags...), " "))
	if dir {
		b.WriteString("\t\tif [[ $cur != -* ]]; then\n")
		bashPaths(b, "-d")
		b.WriteString("\t\t\treturn\n\t\tfi\n")
	}
	b.WriteString("\t\t;;\n")
}

// plainPath is the names that lead to a command, the program's first.
func plainPath(n *kong.Node) string {
	if n.Parent == nil {
		return n.Name
	}
	return plainPath(n.Parent) + " " + n.Name
}
