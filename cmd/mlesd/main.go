// Mlesd is the Mles gateway: a channel is one thing whether its members speak v1 over TCP or v2 over WebSockets.
//
// Started without flags it serves v1 on port 8077 and v2 on wss://localhost:8443, with a certificate for localhost
// that it makes itself, and says how to chat through it. mlesd --help lists the flags; each but those with a key has an
// environment variable, MLESD_ and its name, which can stand in a file, too (--config). SIGHUP and mlesctl reload apply
// what has changed in that and in the files of keys and certificates; see docs/configuration.md. It composes the packages bridge and internal/web and decides nothing.
//
// --check tells what a start would do, and all that is wrong, with the code that a start goes through; it serves nothing
// and writes nothing.
//
// Exit status: 0 after SIGTERM or SIGINT and a drained gateway (see --drain-time); 1 if a port is taken or serving
// failed, or if a second signal ended it at once; 2 for a flag, variable or file that does not fit, of --check, too.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"mles/internal/systemd"
)

// What mlesd tells the shell.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(mlesd(os.Args[1:], os.Stdout, os.Stderr))
}

// mlesd runs the command line and returns the exit status.
func mlesd(args []string, stdout, stderr io.Writer) int {
	// A log that nobody reads any more must not end the gateway: without this, a write to a closed pipe on file
	// descriptor 1 or 2 would.
	signal.Ignore(syscall.SIGPIPE)

	notifier, unwatched := systemd.NewNotifier()
	sockets, failed := passedSockets()
	conf, err := parseWith(args, stdout, sockets)
	if errors.Is(err, errAnswered) {
		return exitOK
	}
	if conf != nil && conf.Check {
		return check(args, conf, []error{err, failed}, stdout, stderr)
	}
	if failed != nil {
		err = failed
	}
	if err == nil {
		err = serve(args, conf, service{Notifier: notifier, problem: unwatched}, stdout, stderr)
	}
	if err == nil {
		return exitOK
	}
	// One line, whatever a file name or a flag's value holds.
	fmt.Fprintf(stderr, "mlesd: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
	if errors.As(err, new(*usageError)) {
		return exitUsage
	}
	return exitFailed
}

// serve runs the gateway until a signal ends it.
func serve(args []string, conf *config, manager service, stdout, stderr io.Writer) error {
	log, level, lines := conf.logTo(stderr)
	defer lines.Close(lastWords)
	var hurried saveInHurry
	ctx, hangUps, stop := untilSignalled(context.Background(), log, func(status int) {
		hurried.save()
		lines.Flush(lastWords)
		os.Exit(status)
	})
	defer stop()
	d := &daemon{hurried: &hurried, args: args, conf: conf, log: log, level: level, lines: lines, stdout: stdout, hangUps: hangUps, manager: manager}
	return d.run(ctx)
}

// usageError is a flag, an environment variable or a file that does not fit: exit status 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }
