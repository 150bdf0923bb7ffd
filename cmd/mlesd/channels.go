package main

import (
	"errors"

	"github.com/alecthomas/kong"

	"mles/bridge"
)

// globs are patterns of channel names as a flag lists them, separated by commas;
// the flag may be repeated. Nothing at all is an error and not every channel: it is a
// variable that somebody forgot to set.
type globs []string

// Decode reads one value of the flag, by which it adds patterns.
func (g *globs) Decode(ctx *kong.DecodeContext) error {
	var text string
	if err := ctx.Scan.PopValueInto("GLOB", &text); err != nil {
		return err
	}
	if text == "" {
		return errors.New("empty: ** names all channels")
	}
	for _, pattern := range kong.SplitEscaped(text, ',') {
		if err := bridge.CheckGlob(pattern); err != nil {
			return err
		}
		*g = append(*g, pattern)
	}
	return nil
}
