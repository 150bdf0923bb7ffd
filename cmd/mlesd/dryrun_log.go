package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// warningsOnly takes what a start would log, and keeps the warnings and errors for a dry run. Attributes of loggers made
// from it are not needed by anybody and left out.
type warningsOnly struct{ r *dryRun }

// Enabled implements [slog.Handler].
func (h *warningsOnly) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements [slog.Handler].
func (h *warningsOnly) Handle(_ context.Context, rec slog.Record) error {
	var about []string
	rec.Attrs(func(a slog.Attr) bool {
		about = append(about, fmt.Sprintf("%s %v", a.Key, a.Value))
		return true
	})
	text := rec.Message
	if len(about) > 0 {
		text += " (" + strings.Join(about, ", ") + ")"
	}
	h.r.warn("%s", text)
	return nil
}

// WithAttrs implements [slog.Handler].
func (h *warningsOnly) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements [slog.Handler].
func (h *warningsOnly) WithGroup(string) slog.Handler { return h }
