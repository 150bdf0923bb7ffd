package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"time"
	"unicode/utf8"

	"mles/v2"
)

// subCommand prints what a channel shows.
type subCommand struct {
	memberFlags `embed:""`

	JSON    bool          `name:"json" help:"Print each message and each join as a line of JSON."`
	Joins   bool          `help:"Print joins too, as \"* NAME joined\"."`
	Count   int           `short:"n" placeholder:"N" help:"End with 0 after N messages; joins do not count."`
	Timeout time.Duration `placeholder:"D" help:"End after D, such as 30s: with 0, or with 1 if fewer than --count messages came."`
}

func (c *subCommand) Help() string {
	return `Prints the history that the server replays, then what comes, each message on a line of its own: its bytes as they are, and a newline unless it ends with one. On a terminal, control characters are spelt out.

After a reconnect what was printed before is not printed again.

JSON: time (of arrival), dialect, kind (message or join), uid (v1 and joins), channel, op (v2: text or binary), and text, or base64 if it is not UTF-8.`
}

// errEnough ends a session that has printed what was asked for.
var errEnough = errors.New("enough")

// Run prints until ctx ends, or the count or the time is reached.
func (c *subCommand) Run(ctx context.Context, std *stdio) error {
	if c.Count < 0 || c.Timeout < 0 {
		return usage("--count and --timeout cannot be negative")
	}
	m, err := c.member(false)
	if err != nil {
		return err
	}
	s := m.session(std.warn)
	p := &printer{out: std.out, plain: !std.outTerminal, joins: c.Joins, dialect: m.dialect.name()}
	show := p.line
	if c.JSON {
		show = p.json
	}
	messages := 0
	s.deliver = func(e event) error {
		if err := show(e); err != nil {
			return err
		}
		if !e.join {
			messages++
		}
		if c.Count > 0 && messages >= c.Count {
			return errEnough
		}
		return nil
	}
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.Timeout)
		defer cancel()
	}
	err = s.run(ctx)
	switch {
	case errors.Is(err, errEnough):
		return nil
	case ctx.Err() != nil && c.Count > 0:
		return unsatisfied("%d of %d messages came", messages, c.Count)
	case ctx.Err() != nil:
		return nil
	}
	return err
}

// printer writes events to the standard output.
type printer struct {
	out     io.Writer
	plain   bool // messages as they are; else fit for a terminal
	joins   bool // show joins in lines
	dialect string
}

// line writes a message as a line. Most messages bring their newline along.
func (p *printer) line(e event) error {
	var line []byte
	switch {
	case e.join && !p.joins:
		return nil
	case e.join:
		line = []byte("* " + harmlessName(e.uid) + " joined\n")
	case !p.plain:
		line = []byte(harmless(e.data) + "\n")
	case len(e.data) > 0 && e.data[len(e.data)-1] == '\n':
		line = e.data
	default:
		line = append(e.data, '\n')
	}
	_, err := p.out.Write(line)
	return err
}

// record is an event as a line of JSON.
type record struct {
	Time    time.Time `json:"time"`
	Dialect string    `json:"dialect"`
	Kind    string    `json:"kind"`
	UID     *string   `json:"uid,omitempty"`
	Channel string    `json:"channel"`
	Op      string    `json:"op,omitempty"`
	Text    *string   `json:"text,omitempty"`
	Base64  *string   `json:"base64,omitempty"`
}

func (p *printer) json(e event) error {
	r := record{Time: time.Now(), Dialect: p.dialect, Kind: "message", Channel: e.channel}
	if e.op == 0 || e.join {
		r.UID = &e.uid
	}
	switch e.op {
	case v2.OpText:
		r.Op = "text"
	case v2.OpBinary:
		r.Op = "binary"
	}
	text := string(e.data)
	switch {
	case e.join:
		r.Kind, r.Op = "join", ""
	case utf8.ValidString(text):
		r.Text = &text
	default:
		text = base64.StdEncoding.EncodeToString(e.data)
		r.Base64 = &text
	}
	enc := json.NewEncoder(p.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
