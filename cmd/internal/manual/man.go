package manual

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Man writes the manual page, in the macros of man(7). Its date is that of SOURCE_DATE_EPOCH, else of the commit that the
// program was built from, else today.
func Man(w io.Writer, app *kong.Application, text Text) error {
	var b bytes.Buffer
	about, rest, _ := strings.Cut(app.Help, "\n\n")
	fmt.Fprintf(&b, ".TH %s %d %s \"%s\" \"Mles gateway\"\n", strings.ToUpper(app.Name), text.Section, date().Format(time.DateOnly), app.Name)
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", app.Name, escaped(firstClause(about)))
	b.WriteString(".SH SYNOPSIS\n")
	fmt.Fprintf(&b, ".B %s\n%s\n", app.Name, escaped(strings.TrimSpace(app.Summary())))
	b.WriteString(".SH DESCRIPTION\n")
	paragraphs(&b, about+"\n\n"+rest)
	b.WriteString(".SH OPTIONS\n")
	for _, p := range app.Positional {
		option(&b, "\\fI"+escaped(placeholder(p))+"\\fR", p)
	}
	for _, group := range groups(app.Node) {
		if group.title != "" {
			fmt.Fprintf(&b, ".SS %s\n", escaped(group.title))
		}
		flags(&b, group.flags)
	}
	if len(app.Children) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, c := range commands(app.Node)[1:] {
			command(&b, c)
		}
	}
	b.WriteString(text.Roff)
	_, err := w.Write(b.Bytes())
	return err
}

// command describes a command that has none below it, or what those below it have in common.
func command(b *bytes.Buffer, n *kong.Node) {
	fmt.Fprintf(b, ".SS \"%s\"\n", escaped(n.Summary()))
	paragraphs(b, n.Help)
	if n.Detail != "" {
		b.WriteString(".PP\n")
		paragraphs(b, n.Detail)
	}
	for _, p := range n.Positional {
		if p.Help != "" {
			option(b, "\\fI"+escaped(p.Summary())+"\\fR", p)
		}
	}
	flags(b, n.Flags)
}

func flags(b *bytes.Buffer, all []*kong.Flag) {
	for _, f := range all {
		if f.Hidden {
			continue
		}
		var names []string
		for _, s := range spellings(f) {
			names = append(names, "\\fB"+dashed(s)+"\\fR")
		}
		line := strings.Join(names, ", ")
		if !f.IsBool() {
			line += "=\\fI" + escaped(f.FormatPlaceHolder()) + "\\fR"
		}
		option(b, line, f.Value)
	}
}

// option writes what v is, below its name.
func option(b *bytes.Buffer, name string, v *kong.Value) {
	help := v.Help
	if all := words(v); len(all) > 0 && !strings.Contains(help, all[0]) {
		help += " One of " + strings.Join(all, ", ") + "."
	}
	if envs := v.Tag.Envs; len(envs) > 0 {
		help += " Environment: " + strings.Join(envs, ", ") + "."
	}
	fmt.Fprintf(b, ".TP\n%s\n%s\n", name, prose(help))
}

// A group is flags under one title.
type group struct {
	title string
	flags []*kong.Flag
}

// groups are the flags of a node that are shown, by group in the order in which groups first come, those without one last.
func groups(n *kong.Node) []group {
	var all []group
	rest := group{}
	at := make(map[string]int)
	for _, f := range shown(n) {
		if f.Group == nil {
			rest.flags = append(rest.flags, f)
			continue
		}
		i, ok := at[f.Group.Key]
		if !ok {
			i = len(all)
			at[f.Group.Key] = i
			all = append(all, group{title: cmp.Or(f.Group.Title, f.Group.Key)})
		}
		all[i].flags = append(all[i].flags, f)
	}
	if len(all) > 0 {
		rest.title = "Others"
	}
	return append(all, rest)
}

// paragraphs writes text that empty lines divide; an indented line is kept as it is.
func paragraphs(b *bytes.Buffer, text string) {
	first := true
	for p := range strings.SplitSeq(text, "\n\n") {
		p = strings.Trim(p, "\n")
		if p == "" {
			continue
		}
		if !first {
			b.WriteString(".PP\n")
		}
		first = false
		if strings.HasPrefix(p, " ") || strings.HasPrefix(p, "\t") {
			fmt.Fprintf(b, ".nf\n%s\n.fi\n", escaped(p))
			continue
		}
		fmt.Fprintf(b, "%s\n", prose(p))
	}
}

// firstClause is what has room beside a command's name in the index of the manual.
func firstClause(help string) string {
	help, _, _ = strings.Cut(firstSentence(help), ": ")
	help, _, _ = strings.Cut(help, ", ")
	return help
}

// manWidth is how long a line of prose gets, in bytes.
const manWidth = 78

// prose is text that is filled, each sentence on lines of its own, as roff wants it for the space between them.
func prose(text string) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
			continue
		case len(line)+1+len(word) <= manWidth && !strings.HasSuffix(line, "."):
			line += " " + word
			continue
		}
		lines, line = append(lines, line), word
	}
	return escaped(strings.Join(append(lines, line), "\n"))
}

// escaped is text that roff prints as it stands.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "…", "...", "–", `\(en`, "“", `\(lq`, "”", `\(rq`, "’", "'", "→", `\(->`, "×", `\(mu`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), "--", `\-\-`)
}

// dashed is a flag's name with dashes that can be copied from the page.
func dashed(name string) string { return strings.ReplaceAll(name, "-", `\-`) }

// date is when what the page is about was written.
func date() time.Time {
	if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC()
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if at, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil {
				return at.UTC()
			}
		}
	}
	return time.Now().UTC()
}
