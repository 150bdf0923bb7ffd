package main

import (
	_ "embed"

	"mles/cmd/internal/manual"
)

//go:embed manual.roff
var manualPage string

// manualText is what the manual page tells beside the flags.
func manualText() manual.Text { return manual.Text{Section: 1, Roff: manualPage} }
