package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// reloadCommand has a gateway read its files again.
type reloadCommand struct {
	adminFlags
	JSON bool `name:"json" help:"Print the gateway's answer, which docs/configuration.md describes."`
}

func (c *reloadCommand) Help() string {
	return `Has the gateway on this machine read its --config file, its files of keys and certificates and its list of held channels again, as SIGHUP does, and prints what changed. Exits with 0 when that holds, with 1 when something does not fit: then nothing has changed.`
}

// reloadAnswer is what POST /reload answers; see docs/configuration.md.
type reloadAnswer struct {
	Error        string           `json:"error"`
	Changed      []string         `json:"changed"`
	Restart      []string         `json:"restart"`
	Opened       []reloadListener `json:"opened"`
	Closed       []reloadListener `json:"closed"`
	Disconnected map[string]int   `json:"disconnected"`
	Warnings     []string         `json:"warnings"`
}

type reloadListener struct {
	Flag    string `json:"flag"`
	Address string `json:"address"`
}

// Run asks and prints.
func (c *reloadCommand) Run(ctx context.Context, std *stdio) error {
	answer, err := c.ask(ctx, adminQuestion{method: http.MethodPost, path: "/reload"})
	if err != nil {
		return err
	}
	var a reloadAnswer
	if err := json.Unmarshal(answer.body, &a); err != nil || (answer.status == http.StatusOK) != (a.Error == "") {
		return answer.notKnown()
	}
	if a.Error != "" {
		return unsatisfied("nothing has changed: %s", harmless([]byte(a.Error)))
	}
	if c.JSON {
		_, err = std.out.Write(answer.body)
		return err
	}
	_, err = io.WriteString(std.out, harmlessLines(a.lines()))
	return err
}

// lines say in words what changed.
func (a *reloadAnswer) lines() (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	if len(a.Changed) > 0 {
		say("changed: %s", strings.Join(a.Changed, ", "))
	}
	for _, l := range a.Opened {
		say("listening: %s at %s", l.Flag, l.Address)
	}
	for _, l := range a.Closed {
		say("closed: %s at %s", l.Flag, l.Address)
	}
	for _, reason := range slices.Sorted(maps.Keys(a.Disconnected)) {
		say("disconnected: %d, %s", a.Disconnected[reason], reason)
	}
	for _, flag := range a.Restart {
		say("%s changed: takes effect at the next start", flag)
	}
	for _, warning := range a.Warnings {
		say("warning: %s", warning)
	}
	if len(lines) == 0 {
		say("nothing to change")
	}
	return lines
}

// harmlessLines puts lines together, fit for a terminal.
func harmlessLines(lines []string) string {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(harmless([]byte(line)) + "\n")
	}
	return b.String()
}
