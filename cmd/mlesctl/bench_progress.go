package main

import (
	"fmt"

	"golang.org/x/term"

	"mles/cmd/internal/bench"
)

// benchProgress is a line on the terminal that says how far a measurement has come.
type benchProgress struct {
	std *stdio
	on  bool
}

func newBenchProgress(std *stdio) *benchProgress {
	return &benchProgress{std: std, on: term.IsTerminal(int(std.err.Fd()))}
}

const clearLine = "\r\x1b[K"

func (p *benchProgress) show(at bench.Progress) {
	if p.on {
		fmt.Fprintf(p.std.err, "%srun %d of %d: %s, %d received", clearLine, at.Run, at.Runs, at.Name, at.Moved)
	}
}

func (p *benchProgress) clear() {
	if p.on {
		fmt.Fprint(p.std.err, clearLine)
	}
}
