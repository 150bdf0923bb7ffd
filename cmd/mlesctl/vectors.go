package main

import (
	"fmt"

	"mles/conformance"
)

// vectorsCommand writes out the test vectors.
type vectorsCommand struct {
	Dir string `arg:"" help:"Folder for the files; made if it is not there."`
}

func (c *vectorsCommand) Help() string {
	return `Writes bytes and what they mean, for testing an implementation of Mles in any language without a server: a JSON file for each matter, README.md, which explains them, a schema, and check.py, which uses them from Python.`
}

// Run writes the files.
func (c *vectorsCommand) Run(std *stdio) error {
	n, err := conformance.WriteVectors(c.Dir)
	if err != nil {
		return unsatisfied("%w", err)
	}
	fmt.Fprintf(std.out, "%d vectors in %s\n", n, c.Dir)
	return nil
}
