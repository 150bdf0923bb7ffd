package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"mles/internal/control"
)

// purgeCommand has a gateway forget what was said on a channel.
type purgeCommand struct {
	adminFlags
	Channel string `arg:"" help:"The channel."`
}

func (c *purgeCommand) Help() string {
	return `Has the gateway forget the history of a channel, also what it has saved of it, and prints how many events that were. Members stay, and have what they have got; who joins later gets only what is said from now on. An upstream server remembers for itself. Exit status 1 if there is no such channel.`
}

// Run asks and prints.
func (c *purgeCommand) Run(ctx context.Context, std *stdio) error {
	var done control.Purged
	q := adminQuestion{method: http.MethodPost, path: "/purge", query: url.Values{"channel": {c.Channel}}}
	if err := c.act(ctx, q, &done); err != nil {
		return err
	}
	_, err := fmt.Fprintf(std.out, "%d %s forgotten\n", done.Events, plural(done.Events, "event"))
	return err
}
