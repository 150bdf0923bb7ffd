package main

import (
	_ "embed"

	"mles/cmd/internal/manual"
)

//go:embed manual.roff
var manualPage string

//go:embed settings.txt
var settingsHead string

// manualText is what the manual page and the file of settings tell beside the flags.
func manualText() manual.Text {
	return manual.Text{Section: 8, Roff: manualPage, Settings: settingsHead}
}
