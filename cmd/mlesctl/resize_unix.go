//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

// followSize tells the editor the size of the terminal, now and whenever it
// changes, until the returned function is called.
func followSize(editor *term.Terminal, out *os.File) (stop func()) {
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, syscall.SIGWINCH)
	done := make(chan struct{})
	setSize(editor, out)
	go func() {
		for {
			select {
			case <-changes:
				setSize(editor, out)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(changes)
		close(done)
	}
}
