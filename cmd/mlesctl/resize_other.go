//go:build !unix

package main

import (
	"os"

	"golang.org/x/term"
)

// followSize tells the editor the size of the terminal as it is now: nothing
// says when it changes.
func followSize(editor *term.Terminal, out *os.File) (stop func()) {
	setSize(editor, out)
	return func() {}
}
