package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// proofTime bounds how long pub waits for the server to have taken everything.
// The gateway slows publishers for 30 s before it cuts whoever holds them up.
const proofTime = 40 * time.Second

// pubCommand publishes messages.
type pubCommand struct {
	memberFlags `embed:""`
	sendFlags   `embed:""`

	Message   []string `arg:"" optional:"" help:"Messages to send, each argument one. Without any, each line of the standard input is one."`
	Raw       bool     `help:"The whole of the standard input is one message, sent as it is."`
	NoNewline bool     `help:"Do not end messages with a newline. In v1 an empty message then says no more than that somebody joined."`
}

func (c *pubCommand) Help() string {
	return `Joins the channel with the first message, sends, leaves, and ends with 0 only when the server has taken every message. In v1, where a refusal is silent and that of a uid that is taken comes late, this takes 3.5 s with --uid on a channel that has no history yet.

A connection lost in between is made anew; as nobody can tell then which of the last messages arrived, pub goes on but ends with 1.

With nothing to send it does not connect.`
}

// Run publishes until the messages or the standard input end.
func (c *pubCommand) Run(ctx context.Context, std *stdio) error {
	if c.Raw && len(c.Message) > 0 {
		return usage("--raw is for the standard input: take away the messages or --raw")
	}
	m, err := c.member(c.Text)
	if err != nil {
		return err
	}
	next := c.source(std.in, m.dialect.maxMessage())
	first, err := next()
	if err == io.EOF {
		return nil
	}
	s := m.session(std.warn, first)
	if err == nil {
		err = s.check(first)
	}
	if err != nil {
		return unsendable(err, 1)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- s.run(ctx) }()
	if err := publish(ctx, s, next); err != nil && !errors.Is(err, errOver) {
		return err
	}
	return <-result
}

// publish sends what next gives and finishes. With errOver the session's run
// says what was wrong.
func publish(ctx context.Context, s *session, next func() ([]byte, error)) error {
	if err := s.joined(ctx); err != nil {
		return err
	}
	for n := 2; ; n++ {
		message, err := next()
		if err == io.EOF {
			s.finish(proofTime)
			return nil
		}
		if err == nil {
			err = s.send(ctx, message)
		}
		if err != nil {
			return unsendable(err, n)
		}
	}
}

// unsendable says which message err is about.
func unsendable(err error, n int) error {
	if large, ok := errors.AsType[*tooLarge](err); ok {
		return unsatisfied("message %d: %w", n, large)
	}
	return err
}

// source returns a function that gives one message after the other, then
// io.EOF. They are at most of the given size, but for those of the command
// line.
func (c *pubCommand) source(in io.Reader, most int) func() ([]byte, error) {
	ending := "\n"
	if c.NoNewline {
		ending = ""
	}
	switch {
	case c.Raw:
		return whole(in, most)
	case len(c.Message) > 0:
		left := c.Message
		return func() ([]byte, error) {
			if len(left) == 0 {
				return nil, io.EOF
			}
			message := []byte(left[0] + ending)
			left = left[1:]
			return message, nil
		}
	}
	input := newLines(in, most-len(ending))
	return func() ([]byte, error) {
		line, err := input.next()
		return append(line, ending...), err
	}
}

// whole gives all of in as one message, even if it is empty.
func whole(in io.Reader, most int) func() ([]byte, error) {
	done := false
	return func() ([]byte, error) {
		if done {
			return nil, io.EOF
		}
		done = true
		var all bytes.Buffer
		n, err := io.Copy(&all, io.LimitReader(in, int64(most)+1))
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		if n > int64(most) {
			return nil, &tooLarge{most}
		}
		return append([]byte{}, all.Bytes()...), nil // not nil, which would be no message
	}
}
