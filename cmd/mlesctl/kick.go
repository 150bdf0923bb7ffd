package main

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"mles/internal/control"
)

// kickCommand closes connections of a gateway.
type kickCommand struct {
	adminFlags
	Who     string `arg:"" help:"A uid, or an address: 192.0.2.7, 192.0.2.7:40123, 2001:db8::/64."`
	Channel string `placeholder:"C" help:"Only who is on this channel."`
	Dialect string `placeholder:"D" enum:",v1,v1ws,v2" default:"" help:"Only who speaks this: v1 (over TCP), v1ws (over WebSocket), v2."`
	UID     bool   `name:"uid" help:"It is a uid, even if it looks like an address."`
}

func (c *kickCommand) Help() string {
	return `Closes the connections of somebody, v2 ones with 1008 "kicked", and prints how many there were. Exit status 1 if there was none. A v1 WebSocket leaves all its channels at once.

Whoever is kicked may come back: to keep somebody out take away the key, or the channel (docs/security.md). What was said stays in the history: see mlesctl purge.`
}

// Run asks and prints.
func (c *kickCommand) Run(ctx context.Context, std *stdio) error {
	q := make(url.Values)
	if c.UID || !isAddress(c.Who) {
		q.Set("uid", c.Who)
	} else {
		q.Set("addr", c.Who)
	}
	for name, value := range map[string]string{"channel": c.Channel, "dialect": c.Dialect} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var done control.Kicked
	if err := c.act(ctx, adminQuestion{method: http.MethodPost, path: "/kick", query: q}, &done); err != nil {
		return err
	}
	if done.Closed == 0 {
		return unsatisfied("nobody like that is on the gateway")
	}
	_, err := fmt.Fprintf(std.out, "%d %s closed\n", done.Closed, plural(done.Closed, "connection"))
	return err
}

// isAddress says whether who is one that the gateway takes as such.
func isAddress(who string) bool {
	_, addr := netip.ParseAddr(strings.Trim(who, "[]"))
	_, withPort := netip.ParseAddrPort(who)
	_, network := netip.ParsePrefix(who)
	return addr == nil || withPort == nil || network == nil
}

func plural(n int, what string) string {
	if n == 1 {
		return what
	}
	return what + "s"
}
