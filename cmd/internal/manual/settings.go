package manual

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// settingsWidth is how long a line of comment gets, in bytes.
const settingsWidth = 96

// Settings writes a file of settings in which every line is a comment: each variable with its default or with what
// stands for its value in --help, below what it is.
func Settings(w io.Writer, app *kong.Application, text Text) error {
	var b bytes.Buffer
	comment(&b, text.Settings)
	for _, p := range app.Positional {
		setting(&b, p)
	}
	for _, group := range groups(app.Node) {
		title := false
		for _, f := range group.flags {
			if len(f.Tag.Envs) == 0 || f.Name == "config" { // a file cannot name another
				continue
			}
			if !title && group.title != "" {
				fmt.Fprintf(&b, "\n# %s\n", strings.ToUpper(group.title))
			}
			title = true
			setting(&b, f.Value)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func setting(b *bytes.Buffer, v *kong.Value) {
	for _, name := range v.Tag.Envs {
		value := strings.TrimSuffix(strings.Trim(placeholder(v), `"`), ",...")
		if v.IsBool() {
			value = "false"
		}
		b.WriteByte('\n')
		comment(b, v.Help)
		fmt.Fprintf(b, "#%s=%s\n", name, value)
	}
}

// comment writes paragraphs as lines of comment.
func comment(b *bytes.Buffer, text string) {
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			b.WriteString("#\n")
		}
		if strings.HasPrefix(p, "#") { // settings, not text
			b.WriteString(p + "\n")
			continue
		}
		line := "#"
		for word := range strings.FieldsSeq(p) {
			if len(line)+1+len(word) > settingsWidth {
				b.WriteString(line + "\n")
				line = "#"
			}
			line += " " + word
		}
		b.WriteString(line + "\n")
	}
}
