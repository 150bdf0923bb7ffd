// Mlesctl talks to any Mles server, in either dialect.
//
//	mlesctl chat v1://localhost:8077 hall --uid alice
//	mlesctl pub wss://mles.example/ sensors "21.5 C"
//	mlesctl sub --json --count 1 v1s://mles.example sensors
//
// The scheme of the address chooses the dialect: v1:// is v1 over TCP, v1s://
// over TLS, ws:// and wss:// are v2, v1+ws:// and v1+wss:// v1 over WebSocket. The key that server and clients share comes
// from a file (--key-file) or the environment (MLES_KEY), never from a flag,
// which other users of the machine could see.
//
// Messages end with a newline on the wire, as those of mles-client 1.1.7 do,
// which prints none of its own.
//
// # Connections
//
// A first attempt that fails ends mlesctl, unless --retry is given. A connection
// that is lost later is made anew, within 1 s, then each second, after ten
// attempts twice as long each time, up to 30 s. A server then replays its history; the longest beginning of it that
// is the end of what was there before is left out (see overlap.go for what that
// means exactly).
//
// Neither dialect acknowledges a message. What proves that a server has them is
// the way it ends a connection that the client has ended for its part: pub and
// chat end the connection so and wait for that.
//
// # Exit status
//
//	0  all went well
//	1  what was asked for did not happen, or the connection was lost for good
//	2  the command line, or a file it names, does not fit
//	3  the server cannot be reached
//	4  the server refused: wrong key, or the uid is already on the channel
//	5  the gateway cannot tell (status --seen)
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"mles/cmd/internal/manual"
)

const description = `Talks to any Mles server, in v1 (v1://, v1s://, over WebSocket v1+ws://, v1+wss://) or v2 (ws://, wss://).

Exit status: 0 all went well; 1 what was asked for did not happen, or the connection was lost for good; 2 the command line does not fit; 3 the server cannot be reached; 4 the server refused: wrong key, or the uid is already on the channel; 5 the gateway cannot tell (status --seen).`

// commandLine is all that mlesctl takes; each command is in a file of its name.
type commandLine struct {
	Chat    chatCommand    `cmd:"" help:"Talk on a channel, on a terminal or in a pipe."`
	Pub     pubCommand     `cmd:"" help:"Publish messages on a channel."`
	Sub     subCommand     `cmd:"" help:"Print the messages of a channel."`
	Status  statusCommand  `cmd:"" help:"Ask a gateway who is there, and who still uses v1."`
	Check   checkCommand   `cmd:"" help:"Hold a server to the protocol."`
	Reload  reloadCommand  `cmd:"" help:"Have a gateway read its configuration, keys and certificates again."`
	Kick    kickCommand    `cmd:"" help:"Close somebody's connections to a gateway."`
	History historyCommand `cmd:"" help:"Print what a gateway remembers of a channel."`
	Purge   purgeCommand   `cmd:"" help:"Have a gateway forget the history of a channel."`
	Vectors vectorsCommand `cmd:"" help:"Write out test vectors for implementations in any language."`
	Bench   benchCommand   `cmd:"" help:"Measure servers, beside what the machine can do."`

	Completion completionCommand `cmd:"" help:"Print completions for a shell."`

	Version  kong.VersionFlag `help:"Print what this program was built from."`
	Generate manual.Generate  `hidden:"" placeholder:"FORM"` // for packages
}

func main() {
	os.Exit(run(os.Args[1:], newStdio(os.Stdin, os.Stdout, os.Stderr)))
}

// run is the program, but for its exit. --help and --version exit within.
func run(args []string, std *stdio) int {
	var line commandLine
	parser := kong.Must(&line,
		kong.Name("mlesctl"),
		kong.Description(description),
		kong.Vars{"version": version()},
		kong.Bind(manualText()),
		kong.Writers(std.out, std.err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	command, err := parser.Parse(args)
	if err != nil {
		std.warn(err.Error() + "; see mlesctl --help")
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	command.BindTo(ctx, (*context.Context)(nil))
	err = command.Run(std)
	if errors.Is(err, context.Canceled) {
		std.warn("interrupted")
	} else if err != nil && !errors.Is(err, errSaid) {
		std.warn(err.Error())
	}
	return status(err)
}
