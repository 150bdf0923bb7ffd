package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"mles/internal/logs"
)

// logger returns the log to w, and what sets its level.
func (c *config) logger(w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(c.LogLevel)
	return logs.New(w, c.logFormat(w), level), level
}

// logFormat is how lines to w are written.
func (c *config) logFormat(w io.Writer) logs.Format {
	if c.LogFormat != "auto" {
		return logs.Format(c.LogFormat)
	}
	if f, ok := w.(*os.File); ok && logs.ToJournal(f, os.Getenv) {
		return logs.Journal
	}
	return logs.Text
}

// lastWords is how long the end waits for somebody to read the log.
const lastWords = time.Second

// logTo is logger for a file that nobody may read: it waits for nobody.
func (c *config) logTo(stderr io.Writer) (log *slog.Logger, level *slog.LevelVar, lines *logs.Writer) {
	lines = logs.NewWriter(stderr, logs.DefaultQueue, func(n int64) {
		log.Warn("lines of the log were dropped: nobody has read it for a while", "lines", n)
	})
	level = new(slog.LevelVar)
	level.Set(c.LogLevel)
	log = logs.New(lines, c.logFormat(stderr), level)
	return log, level, lines
}
