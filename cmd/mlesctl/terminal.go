package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/term"
)

const (
	farewell    = 2 * time.Second // how long the server may take to see a user off
	leavetaking = 5 * time.Second // how long leaving may take in all
)

// chatOnTerminal talks with a line editor below and the others above it.
func chatOnTerminal(ctx context.Context, m *member, std *stdio) error {
	before, err := term.MakeRaw(int(std.in.Fd()))
	if err != nil {
		return fmt.Errorf("terminal: %w", err)
	}
	defer fmt.Fprintln(std.out) // leaves the prompt's line, once restored
	defer term.Restore(int(std.in.Fd()), before)

	editor := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{std.in, std.out}, harmlessName(m.uid)+"> ")
	defer followSize(editor, std.out)()
	return chatInEditor(ctx, m, editor)
}

// chatInEditor talks by way of an editor, until the user leaves, which is no
// error unless lines were not sent, or the session ends.
func chatInEditor(ctx context.Context, m *member, editor *term.Terminal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	say := func(text string) { io.WriteString(editor, text+"\n") }
	s := m.session(func(text string) { say("-- " + text) })
	s.deliver = func(e event) error {
		if !m.isOwnJoin(e) {
			say(shown(e))
		}
		return nil
	}
	var written atomic.Int64
	var left atomic.Bool
	next := func() ([]byte, error) {
		for {
			line, err := editor.ReadLine()
			if err != nil { // Ctrl-D, Ctrl-C
				left.Store(true)
				if l, _ := s.current(); l == nil {
					cancel()
				}
				time.AfterFunc(leavetaking, cancel)
				return nil, io.EOF
			}
			if err := s.check([]byte(line + "\n")); err != nil {
				say("-- " + err.Error())
				continue
			}
			written.Add(1)
			return []byte(line), nil
		}
	}
	say(fmt.Sprintf("-- %s on %s at %s; Ctrl-D leaves", harmlessName(m.uid), harmlessName(m.channel), m.server))
	err := converse(ctx, s, next, 0, farewell)
	if !left.Load() && ctx.Err() == nil {
		return err
	}
	if n := int(written.Load()) - s.sends(); n > 0 {
		return unsatisfied("%d lines were not sent: there was no connection", n)
	}
	return nil
}
