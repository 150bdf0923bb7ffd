package main

import (
	"fmt"
	"os"

	"golang.org/x/term"
)

// stdio is what a subcommand reads and writes.
type stdio struct {
	in, out, err *os.File
	outTerminal  bool
}

func newStdio(in, out, err *os.File) *stdio {
	return &stdio{in: in, out: out, err: err, outTerminal: term.IsTerminal(int(out.Fd()))}
}

// interactive tells whether there is somebody to talk with.
func (s *stdio) interactive() bool {
	return s.outTerminal && term.IsTerminal(int(s.in.Fd()))
}

// warn says something to people, apart from the output.
func (s *stdio) warn(text string) { fmt.Fprintln(s.err, "mlesctl: "+text) }

// setSize tells the editor the size of the terminal, if it has one.
func setSize(editor *term.Terminal, out *os.File) {
	width, height, err := term.GetSize(int(out.Fd()))
	if err == nil && width > 0 {
		editor.SetSize(width, height)
	}
}
