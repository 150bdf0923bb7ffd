package manual

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Generate is a flag that prints one of the [Forms] and exits, as [kong.VersionFlag] does. A [Text] must be bound.
type Generate string

// Text is what a model of flags does not tell.
type Text struct {
	Section  int    // of the manual that the page stands in: 1 or 8
	Roff     string // what follows the flags on the page, in the macros of man(7)
	Settings string // what stands at the head of the file of settings, without comment marks
}

// form writes one thing that is installed beside a command.
type form func(io.Writer, *kong.Application, Text) error

func forms() map[string]form {
	return map[string]form{"bash": Bash, "fish": Fish, "man": Man, "settings": Settings, "zsh": Zsh}
}

// Forms are the values of the flag: bash, fish, man, settings, zsh.
func Forms() []string { return []string{"bash", "fish", "man", "settings", "zsh"} }

// Write writes the form of that name.
func Write(w io.Writer, name string, app *kong.Application, text Text) error {
	write, ok := forms()[name]
	if !ok {
		return fmt.Errorf("%q is none of %s", name, strings.Join(Forms(), ", "))
	}
	return write(w, app, text)
}

// BeforeReset is called by kong where the flag is given.
func (Generate) BeforeReset(k *kong.Kong, line *kong.Context, path *kong.Path, text Text) error {
	name, _ := line.FlagValue(path.Flag).(Generate)
	if err := Write(k.Stdout, string(name), k.Model, text); err != nil {
		return fmt.Errorf("--%s: %w", path.Flag.Name, err)
	}
	k.Exit(0)
	return nil
}

// shown are the flags of a node that are not hidden, its own last.
func shown(n *kong.Node) []*kong.Flag {
	var all []*kong.Flag
	for at := n; at != nil; at = at.Parent {
		own := slices.DeleteFunc(slices.Clone(at.Flags), func(f *kong.Flag) bool { return f.Hidden })
		all = append(own, all...)
	}
	return all
}

// commands are the nodes that are not hidden, each before those below it.
func commands(n *kong.Node) []*kong.Node {
	all := []*kong.Node{n}
	for _, child := range n.Children {
		if !child.Hidden {
			all = append(all, commands(child)...)
		}
	}
	return all
}

// spellings are a flag's names with their dashes, the short one first.
func spellings(f *kong.Flag) []string {
	var all []string
	if f.Short != 0 {
		all = append(all, "-"+string(f.Short))
	}
	all = append(all, "--"+f.Name)
	for _, alias := range f.Aliases {
		all = append(all, "--"+alias)
	}
	return all
}

// words are the values that v can have, if they are known.
func words(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return slices.DeleteFunc(v.EnumSlice(), func(s string) bool { return s == "" })
}

// wantsDir and wantsFile say what a value names, by what stands for it in --help.
func wantsDir(v *kong.Value) bool { return strings.HasPrefix(placeholder(v), "DIR") }

func wantsFile(v *kong.Value) bool { return strings.HasPrefix(placeholder(v), "FILE") }

func placeholder(v *kong.Value) string {
	if v.Flag != nil {
		return v.Flag.FormatPlaceHolder()
	}
	if v.Tag.PlaceHolder != "" {
		return v.Tag.PlaceHolder
	}
	return strings.ToUpper(v.Name)
}

// firstSentence is what a list has room for.
func firstSentence(help string) string {
	if i := strings.Index(help, ". "); i >= 0 {
		help = help[:i]
	}
	return strings.TrimSuffix(help, ".")
}
