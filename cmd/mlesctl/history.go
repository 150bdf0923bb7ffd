package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"mles/internal/control"
)

// historyCommand prints what a gateway remembers of a channel.
type historyCommand struct {
	adminFlags
	Channel string `arg:"" help:"The channel."`
	JSON    bool   `name:"json" help:"Print the gateway's lines of JSON, which docs/admin.md describes."`
}

func (c *historyCommand) Help() string {
	return `Prints what the gateway remembers of a channel, oldest first, without joining it and without a key of the channel: it takes the gateway's token. Exit status 1 if there is no such channel.`
}

// Run asks and prints.
func (c *historyCommand) Run(ctx context.Context, std *stdio) error {
	answer, err := c.ask(ctx, adminQuestion{path: "/history", query: url.Values{"channel": {c.Channel}}})
	if err != nil {
		return err
	}
	if err := answer.fault(); err != nil {
		return err
	}
	if c.JSON {
		_, err = std.out.Write(answer.body)
		return err
	}
	out := bufio.NewWriter(std.out)
	for lines := json.NewDecoder(bytes.NewReader(answer.body)); ; {
		var e control.Event
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			return out.Flush()
		} else if err != nil {
			return answer.notKnown()
		}
		writeEvent(out, &e)
	}
}

// writeEvent prints one event on a line.
func writeEvent(w io.Writer, e *control.Event) {
	who := harmlessName(e.UID)
	switch {
	case e.Unreadable != nil:
		fmt.Fprintf(w, "(%d bytes of v1 that cannot be read)\n", len(e.Unreadable))
		return
	case e.Frame == "":
		fmt.Fprintf(w, "%s joins (%s)\n", who, e.Dialect)
		return
	case e.Text == nil:
		fmt.Fprintf(w, "%s: (%d bytes)\n", who, len(e.Base64))
		return
	}
	fmt.Fprintf(w, "%s: %s\n", who, harmless([]byte(*e.Text)))
}
