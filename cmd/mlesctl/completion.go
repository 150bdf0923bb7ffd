package main

import (
	"github.com/alecthomas/kong"

	"mles/cmd/internal/manual"
)

// completionCommand prints what a shell needs to complete mlesctl's commands and flags.
type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCommand) Help() string {
	return `For bash, put this into ~/.bashrc:

  source <(mlesctl completion bash)

For zsh, store the output as _mlesctl in a folder of $fpath; for fish, as ~/.config/fish/completions/mlesctl.fish. The packages have installed it. Those of mlesd are printed by mlesd --generate bash, zsh or fish.`
}

// Run prints it.
func (c *completionCommand) Run(line *kong.Context, std *stdio) error {
	return manual.Write(std.out, c.Shell, line.Model, manualText())
}
