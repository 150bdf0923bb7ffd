package main

import (
	"context"
	"errors"
	"io"
	"time"
)

// chatCommand is a conversation on a channel.
type chatCommand struct {
	memberFlags `embed:""`
	sendFlags   `embed:""`

	Linger time.Duration `default:"1s" placeholder:"D" help:"In a pipe: how long to stay for what others say after the standard input has ended (default: 1s)."`
}

func (c *chatCommand) Help() string {
	return `On a terminal: a prompt with line editing, arrow keys for the lines typed before, Ctrl-D or Ctrl-C to leave. What others say appears above it, as "uid: text" in v1 and "< text" in v2, which does not tell who; "* uid joined" when somebody joins, where the server tells.

In a pipe: each line of the standard input is sent, what others say is printed in the same form. After the end of the input chat stays for --linger, sees to it that the server has every line, and ends.

Lines typed while the connection is lost are sent on the next one.`
}

// Run talks until the input ends or the session is lost for good.
func (c *chatCommand) Run(ctx context.Context, std *stdio) error {
	m, err := c.member(c.Text)
	if err != nil {
		return err
	}
	if std.interactive() {
		return chatOnTerminal(ctx, m, std)
	}
	s := m.session(std.warn)
	s.deliver = func(e event) error {
		if m.isOwnJoin(e) {
			return nil
		}
		_, err := io.WriteString(std.out, shown(e)+"\n")
		return err
	}
	input := newLines(std.in, m.dialect.maxMessage()-1)
	err = converse(ctx, s, input.next, c.Linger, proofTime)
	if errors.Is(err, context.Canceled) {
		return nil // Ctrl-C
	}
	return err
}

// shown is an event as chat shows it.
func shown(e event) string {
	switch {
	case e.join:
		return "* " + harmlessName(e.uid) + " joined"
	case e.op == 0:
		return harmlessName(e.uid) + ": " + harmless(e.data)
	}
	return "< " + harmless(e.data)
}

// queued is how many lines of input may wait for a connection.
const queued = 256

// typed is a line of input, or how the input ended.
type typed struct {
	line []byte // without newline
	err  error
}

// converse runs the session and sends what next gives, line by line, until that
// is io.EOF. It then stays for linger, and for proof at most until the server
// has everything.
//
// next is called by a goroutine that may stay behind in a read that nothing can
// interrupt: the process is about to end.
func converse(ctx context.Context, s *session, next func() ([]byte, error), linger, proof time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	result := make(chan error, 1)
	go func() { result <- s.run(ctx) }()
	input := make(chan typed, queued)
	go func() {
		for {
			line, err := next()
			input <- typed{line, err}
			if err != nil {
				return
			}
		}
	}()

	err := sendTyped(ctx, s, input)
	if err == nil {
		err = s.joined(ctx)
	}
	if err == nil {
		wait(linger, s.over)
		s.finish(proof)
	} else {
		cancel()
	}
	ran := <-result
	if err == nil || errors.Is(err, errOver) {
		return ran
	}
	return err
}

// sendTyped sends until the input ends, which is no error, or the session does.
func sendTyped(ctx context.Context, s *session, input <-chan typed) error {
	for {
		select {
		case in := <-input:
			if in.err == io.EOF {
				return nil
			}
			if in.err != nil {
				return in.err
			}
			if err := s.send(ctx, append(in.line, '\n')); err != nil {
				return err
			}
		case <-s.over:
			return errOver
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
