package bridge

import (
	"context"
	"log/slog"
	"time"

	"mles/bridge/bus"
)

// An ending is why a connection that had joined has ended.
type ending struct {
	reason string // a label, one of few
	detail string // what exactly, for the log; "": nothing else
	fault  bool   // the client has done something wrong, or too slowly
}

// life is what the log says of a connection when it has ended.
type life struct {
	dialect      string
	uid, channel string // of its first join
	sock         *socket
	memberships  int
	in, out      Traffic
	lag          int64 // bytes that it had yet to read
}

// add adds one of the connection's memberships.
func (l *life) add(u bus.Usage) {
	l.memberships++
	l.in.Messages += u.In.Messages
	l.in.Bytes += u.In.Bytes
	l.out.Messages += u.Out.Messages
	l.out.Bytes += u.Out.Bytes
	l.lag += u.Lag
}

// farewell counts the end of a connection that had joined, and writes its line of the log: the only one that each
// connection has. Without why it is the client's own: of its stream, with a close frame, or because the network failed.
func (g *Gateway) farewell(l *life, in *traffic, why *ending) {
	if why == nil {
		why = &ending{reason: "closed"}
	}
	g.counters.count(&in.ends, why.reason)
	level, reason := slog.LevelInfo, why.reason
	if why.fault {
		level = slog.LevelWarn
	}
	if why.detail != "" {
		reason = why.detail
	}
	ctx := context.Background()
	if !g.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("dialect", l.dialect), slog.String("client", l.sock.name()),
		slog.String("uid", l.uid), slog.String("channel", l.channel),
		slog.Float64("seconds", float64(time.Since(l.sock.accepted).Milliseconds())/1000), // the nearest float: 1.348, not 1.3479999999999999
		slog.Int64("messages_in", l.in.Messages), slog.Int64("bytes_in", l.in.Bytes),
		slog.Int64("messages_out", l.out.Messages), slog.Int64("bytes_out", l.out.Bytes),
		slog.Int64("lag_bytes", l.lag), slog.String("reason", reason),
	}
	if l.memberships > 1 {
		attrs = append(attrs, slog.Int("channels", l.memberships))
	}
	g.log.LogAttrs(ctx, level, "left", attrs...)
}
