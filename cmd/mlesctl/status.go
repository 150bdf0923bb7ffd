package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	admin "mles/internal/status"
)

// statusCommand asks a gateway who is there, or who was.
type statusCommand struct {
	adminFlags
	JSON bool `name:"json" help:"Print the gateway's answer, which docs/status.md describes."`

	Dialect string `placeholder:"D" enum:",v1,v1ws,v2" default:"" help:"Only who speaks this: v1 (over TCP), v1ws (over WebSocket), v2."`
	Channel string `placeholder:"C" help:"Only who is on this channel."`
	UID     string `name:"uid" placeholder:"U" help:"Only who has this uid."`
	Limit   int    `placeholder:"N" help:"At most so many of a kind (default: 200; 1000 with --json)."`

	Ready bool `help:"Only whether clients can be sent to it: exit status 0, or 1 if not, as while it drains."`

	Seen string `placeholder:"D" enum:",v1,v1ws,v2" default:"" help:"Who used this lately, instead: v1 (over TCP or WebSocket), v1ws, v2."`
	For  string `name:"for" placeholder:"TIME" help:"How far --seen looks back: 30d, 2w, 12h (default: 30d)."`
}

func (c *statusCommand) Help() string {
	return `Asks the gateway on this machine for its members, channels and upstreams.

With --seen v1 the question is whether v1 can be turned off: exit status 0 if nobody used it in that time, 1 if somebody did, 5 if nobody is known to have, but the gateway has not kept record of all that time. The gateway keeps it in its --cache folder. TCP checks and connections that were refused do not count.`
}

// Run asks and prints.
func (c *statusCommand) Run(ctx context.Context, std *stdio) error {
	if c.Limit < 0 {
		return usage("--limit is %d", c.Limit)
	}
	if c.Ready {
		return c.runReady(ctx, std)
	}
	if c.Seen != "" {
		return c.runSeen(ctx, std)
	}
	if c.For != "" {
		return usage("--for is how far --seen looks back: give that, too")
	}
	var doc admin.Document
	raw, err := c.fetch(ctx, "/status", c.query(), &doc)
	if err != nil {
		return err
	}
	if c.JSON {
		_, err = std.out.Write(raw)
		return err
	}
	return writeStatus(std.out, &doc)
}

// query is what the flags of both questions say.
func (c *statusCommand) query() url.Values {
	q := make(url.Values)
	for name, value := range map[string]string{"channel": c.Channel, "uid": c.UID, "dialect": c.Dialect} {
		if value != "" {
			q.Set(name, value)
		}
	}
	switch {
	case c.Limit > 0:
		q.Set("limit", strconv.Itoa(c.Limit))
	case !c.JSON:
		q.Set("limit", "200")
	}
	return q
}

// fetch asks for an answer and reads it into doc.
func (c *statusCommand) fetch(ctx context.Context, path string, q url.Values, doc any) ([]byte, error) {
	answer, err := c.ask(ctx, adminQuestion{path: path, query: q})
	if err != nil {
		return nil, err
	}
	if answer.status == http.StatusBadRequest {
		return nil, usage("the gateway refuses to answer: %s", harmless(answer.body))
	}
	if err := json.Unmarshal(answer.body, doc); err != nil || answer.status != http.StatusOK {
		return nil, answer.notKnown()
	}
	return answer.body, nil
}
