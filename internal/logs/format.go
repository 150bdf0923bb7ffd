package logs

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strconv"
	"sync"
)

// A Format is how a line is written.
type Format string

// The formats. In each a record is one line, whatever its values hold.
const (
	Text    Format = "text"    // time=… level=… msg=… key=value, quoted where need be
	JSON    Format = "json"    // an object in each line
	Journal Format = "journal" // as Text, without time and level, behind <N>, the priority: see sd-daemon(3)
)

// New returns a logger that writes to w in f what is of a level at least.
func New(w io.Writer, f Format, level slog.Leveler) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	switch f {
	case JSON:
		return slog.New(slog.NewJSONHandler(w, opts))
	case Journal:
		return slog.New(newJournal(w, level))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// journal is a handler of lines that tell their priority, as the journal has one for each entry. It knows the time.
type journal struct {
	text slog.Handler // writes to line
	*lines
}

// lines is what a journal and those made of it write with.
type lines struct {
	mu   sync.Mutex
	line bytes.Buffer
	w    io.Writer
}

func newJournal(w io.Writer, level slog.Leveler) *journal {
	l := &lines{w: w}
	return &journal{lines: l, text: slog.NewTextHandler(&l.line, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if _, level := a.Value.Any().(slog.Level); len(groups) == 0 && (level || a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime) {
				return slog.Attr{}
			}
			return a
		},
	})}
}

// Enabled implements [slog.Handler], as do the methods below.
func (j *journal) Enabled(ctx context.Context, level slog.Level) bool {
	return j.text.Enabled(ctx, level)
}

func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.line.Reset()
	j.line.WriteString("<" + strconv.Itoa(priority(r.Level)) + ">")
	if err := j.text.Handle(ctx, r); err != nil {
		return err
	}
	_, err := j.w.Write(j.line.Bytes())
	return err
}

func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &journal{lines: j.lines, text: j.text.WithAttrs(attrs)}
}

func (j *journal) WithGroup(name string) slog.Handler {
	return &journal{lines: j.lines, text: j.text.WithGroup(name)}
}

// priority is what syslog(3) calls a level.
func priority(l slog.Level) int {
	switch {
	case l >= slog.LevelError:
		return 3
	case l >= slog.LevelWarn:
		return 4
	case l >= slog.LevelInfo:
		return 6
	}
	return 7
}
