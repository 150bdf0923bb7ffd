// Package logs writes the log of a daemon for whoever reads standard error: people, programs, or systemd's journal; and
// never waits for them.
//
// [New] makes a logger in a [Format]. A [Writer] stands between it and a pipe that somebody may have stopped reading:
// it queues a bounded number of bytes, and counts the lines that there was no room for. [ToJournal] tells whether
// standard error is systemd's journal.
package logs
