package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"mles/cmd/internal/bench"
	"mles/cmd/internal/bench/floor"
)

// benchCommand measures servers; each mode is a command of its own.
type benchCommand struct {
	Fanout  benchFanout  `cmd:"" help:"Flood: deliveries a second."`
	Latency benchLatency `cmd:"" help:"Paced: latency from intended send times, p50 … p99.9."`
	Hello   benchHello   `cmd:"" help:"Time until the last of many receivers has a newcomer's message."`
	Idle    benchIdle    `cmd:"" help:"Memory of the server for each idle connection."`
	Storm   benchStorm   `cmd:"" help:"Joins a second."`
	Slow    benchSlow    `cmd:"" help:"Flood while some members have stopped reading, beside one without them."`
	Replay  benchReplay  `cmd:"" help:"History to joiners."`

	Floor benchFloor `cmd:"" hidden:"" help:"Be the copy server that others are compared with."`
}

func (c *benchCommand) Help() string {
	return `Measures any server that speaks Mles, in the same run with a floor: a server that merely copies as many bytes a message. Each contestant runs several times, in turn; the table tells medians, lowest and highest, and the ratio run by run.

Addresses are as for the other commands; besides, v1+ws:// and v1+wss:// are v1 over WebSocket, and nats:// and mqtt:// the peers that Mles is compared with.

Everything received is checked: all messages, once, in order. Where the generator was the bottleneck, a line says so. Loads of others disturb: compare figures of one run only.`
}

// benchFlags are those of every mode.
type benchFlags struct {
	Sub     string   `required:"" placeholder:"ADDRESS" help:"Where subscribers connect: v1://HOST:PORT, v1s://, ws://, wss:// and so on."`
	Pub     string   `placeholder:"ADDRESS" help:"Where publishers connect, which may be another dialect (default: as --sub)."`
	Name    string   `default:"server" help:"What to call the server in the report."`
	PID     []int    `name:"pid" placeholder:"N" help:"Processes of the server on this machine, to tell their CPU and memory."`
	Collect string   `placeholder:"URL" help:"Fetched before memory is read, to have garbage collected: http://… or unix:SOCKET:PATH."`
	Against []string `sep:"none" placeholder:"NAME=SUB[,pub=ADDRESS][,pid=N]…[,messages=N][,mapped]" help:"Another server, measured in turn with the first. messages replaces --messages (storm: --members) for one that is much slower."`

	KeyFile       string `placeholder:"FILE" help:"File whose first line is the key shared with the servers. Or set MLES_KEY."`
	MappedAddress bool   `help:"v1 without key, over IPv4: hash the address as ::ffff:a.b.c.d, which mles 1.1.7 wants."`
	trust         `embed:""`

	Runs     int           `default:"5" help:"How often each is measured, in turn."`
	Floor    string        `enum:"on,off" default:"on" help:"on or off: compare with a server that merely copies bytes."`
	Format   string        `enum:"table,json,markdown" default:"table" help:"table, json or markdown."`
	Title    string        `help:"Heading of the markdown."`
	Save     string        `placeholder:"FILE.json" help:"Save the report as JSON, too."`
	Plot     string        `placeholder:"FILE.svg" help:"Draw how the latencies are distributed."`
	Patience time.Duration `default:"20s" help:"A run in which nothing moves for so long has failed."`
}

// benchFloods are the flags of modes with publishers and subscribers who stay.
type benchFloods struct {
	Channels int           `default:"1" help:"Channels, each with its own members."`
	Subs     int           `default:"100" help:"Subscribers of each channel."`
	Pubs     int           `default:"1" help:"Publishers of each channel."`
	Size     int           `default:"64" help:"Bytes of a message, 24 at least."`
	Messages int           `help:"Messages of each publisher, in place of --duration."`
	Duration time.Duration `default:"2s" help:"How long publishers send."`
}

func (f *benchFloods) load() bench.Load {
	return bench.Load{Channels: f.Channels, Subs: f.Subs, Pubs: f.Pubs, Size: f.Size, Messages: f.Messages, Duration: f.Duration}
}

type benchFanout struct {
	benchFlags  `embed:""`
	benchFloods `embed:""`
	Batch       int `default:"32768" help:"Bytes that a publisher writes at once, whole messages."`
}

func (c *benchFanout) Run(ctx context.Context, std *stdio) error {
	load := c.load()
	load.Batch = c.Batch
	return c.measure(ctx, std, bench.Fanout, load)
}

type benchLatency struct {
	benchFlags  `embed:""`
	benchFloods `embed:""`
	Rate        float64 `default:"100" help:"Messages a second of each publisher."`
}

func (c *benchLatency) Run(ctx context.Context, std *stdio) error {
	load := c.load()
	load.Rate = c.Rate
	return c.measure(ctx, std, bench.Latency, load)
}

type benchHello struct {
	benchFlags `embed:""`
	Subs       int `default:"100" help:"Receivers."`
	Size       int `default:"64" help:"Bytes of the message."`
	Rounds     int `default:"10" help:"Rounds of each run, each on a fresh channel."`
}

func (c *benchHello) Run(ctx context.Context, std *stdio) error {
	return c.measure(ctx, std, bench.Hello, bench.Load{Channels: 1, Pubs: 1, Subs: c.Subs, Size: c.Size, Rounds: c.Rounds})
}

type benchIdle struct {
	benchFlags `embed:""`
	Members    int           `default:"1000" help:"Connections."`
	Channels   int           `default:"100" help:"Channels that they are on."`
	Settle     time.Duration `default:"1s" help:"Pause before memory is read."`
}

func (c *benchIdle) Run(ctx context.Context, std *stdio) error {
	if len(c.PID) == 0 {
		return usage("memory is read from /proc: --pid tells the server's process")
	}
	return c.measure(ctx, std, bench.Idle, bench.Load{
		Channels: c.Channels, Pubs: 1, Subs: 1, Size: 64, Members: c.Members, Settle: c.Settle,
	})
}

type benchStorm struct {
	benchFlags `embed:""`
	Members    int `default:"2000" help:"Joins in each run."`
	Channels   int `default:"64" help:"Channels that are joined."`
	Parallel   int `default:"16" help:"Joiners at a time."`
}

func (c *benchStorm) Run(ctx context.Context, std *stdio) error {
	return c.measure(ctx, std, bench.Storm, bench.Load{
		Channels: c.Channels, Pubs: 1, Subs: 1, Size: 64, Members: c.Members, Parallel: c.Parallel,
	})
}

type benchSlow struct {
	benchFlags  `embed:""`
	benchFloods `embed:""`
	Stopped     int `default:"10" help:"Members of each channel who never read, besides --subs."`
	Batch       int `default:"32768" help:"Bytes that a publisher writes at once, whole messages."`
}

func (c *benchSlow) Run(ctx context.Context, std *stdio) error {
	load := c.load()
	load.Batch, load.Stopped = c.Batch, c.Stopped
	return c.measure(ctx, std, bench.Slow, load)
}

type benchReplay struct {
	benchFlags `embed:""`
	Messages   int `default:"200" help:"Messages in the history of each channel. A server may keep fewer."`
	Size       int `default:"64" help:"Bytes of a message."`
	Channels   int `default:"20" help:"Channels."`
	Members    int `default:"25" help:"Joiners of each channel. Their arrivals are history, too."`
	Parallel   int `default:"16" help:"Joiners at a time."`
}

func (c *benchReplay) Run(ctx context.Context, std *stdio) error {
	return c.measure(ctx, std, bench.Replay, bench.Load{
		Channels: c.Channels, Pubs: 1, Subs: 1, Size: c.Size, Messages: c.Messages, Members: c.Members, Parallel: c.Parallel, Batch: 32 << 10,
	})
}

// benchFloor is started by the others.
type benchFloor struct{}

func (benchFloor) Run(std *stdio) error { return floor.Main(std.in, std.out) }

// measure does what all modes have in common.
func (f *benchFlags) measure(ctx context.Context, std *stdio, mode bench.Mode, load bench.Load) error {
	if f.Runs < 1 {
		return usage("--runs is %d", f.Runs)
	}
	plan := bench.Plan{Mode: mode, Load: load, Runs: f.Runs, Pause: 300 * time.Millisecond, Patience: f.Patience}
	var err error
	if plan.Subject, plan.Rivals, err = f.contestants(); err != nil {
		return err
	}
	if f.Floor == "on" {
		exe, err := os.Executable()
		if err != nil {
			return err
		}
		if plan.Floor, err = floor.Start(ctx, exe, "bench", "floor"); err != nil {
			return err
		}
		defer plan.Floor.Stop()
	}
	progress := newBenchProgress(std)
	plan.Progress = progress.show
	report, err := bench.Run(ctx, plan)
	progress.clear()
	if errors.Is(err, bench.ErrLoad) {
		return usage("%w", err)
	}
	if err != nil {
		return err
	}
	if err := f.write(std, report); err != nil {
		return err
	}
	if report.Failed() {
		return unsatisfied("not all runs went well; the report says which")
	}
	return nil
}

// write writes the report in all the forms that were asked for.
func (f *benchFlags) write(std *stdio, report *bench.Report) (err error) {
	switch f.Format {
	case "json":
		err = writeJSON(std.out, report)
	case "markdown":
		err = report.WriteMarkdown(std.out, f.Title)
	default:
		err = report.WriteTable(std.out)
	}
	if err != nil {
		return err
	}
	if err := save(f.Save, func(w io.Writer) error { return writeJSON(w, report) }); err != nil {
		return unsatisfied("--save: %w", err)
	}
	if err := save(f.Plot, report.WritePlot); err != nil {
		return unsatisfied("--plot: %w", err)
	}
	return nil
}

func writeJSON(w io.Writer, report *bench.Report) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// save makes a file, if there is a name, of what write writes.
func save(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		return err
	}
	return os.WriteFile(name, content.Bytes(), 0o666)
}
