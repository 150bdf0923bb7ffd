package bridge_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"

	"mles/bridge"
	"mles/v1"
	"mles/v2"
)

// BenchmarkConnection sends messages of 64 bytes over one real connection into the
// gateway and receives them over another, for each pair of dialects: reading,
// checking, mapping, storing, writing. Both clients handle bytes they have made
// before, so that what is allocated is the gateway's.
func BenchmarkConnection(b *testing.B) {
	for _, from := range []string{"v1", "v2"} {
		for _, to := range []string{"v1", "v2"} {
			b.Run(from+"→"+to, func(b *testing.B) { benchmarkConnection(b, from, to) })
		}
	}
}

func benchmarkConnection(b *testing.B, from, to string) {
	const channel, at = "bench", 64 // at: messages in one write
	g, err := bridge.New(bridge.Config{V1Keys: []string{"k"}, V2Keys: []string{"k"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	addr := map[string]string{"v1": benchListen(b, g.ServeV1), "v2": benchListen(b, g.ServeV2)}
	bob := joinBench(b, to, addr[to], "bob", channel)
	defer bob.Close()
	alice := joinBench(b, from, addr[from], "alice", channel)
	defer alice.Close()

	message := bytes.Repeat([]byte("x"), 64)
	in, out := sentAs(from, channel, message), receivedAs(to, from, channel, message)
	write := bytes.Repeat(in, at)
	// What alice's arrival looks like comes first: read until the first message.
	if _, err := alice.Write(in); err != nil {
		b.Fatal(err)
	}
	for got := []byte(nil); !bytes.HasSuffix(got, out); {
		piece := make([]byte, 4096)
		n, err := bob.Read(piece)
		if err != nil {
			b.Fatal(err)
		}
		got = append(got, piece[:n]...)
	}
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	done := make(chan error, 1)
	b.ResetTimer()
	go func() {
		_, err := io.CopyN(io.Discard, struct{ io.Reader }{bob}, int64(b.N)*int64(len(out)))
		done <- err
	}()
	for left := b.N; left > 0; left -= at {
		if _, err := alice.Write(write[:min(left, at)*len(in)]); err != nil {
			b.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

func benchListen(b *testing.B, serve func(net.Listener) error) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go serve(l)
	return l.Addr().String()
}

// joinBench joins and returns the bare connection.
func joinBench(b *testing.B, dialect, addr, uid, channel string) net.Conn {
	ctx := context.Background()
	if dialect == "v1" {
		c, err := (&v1.Dialer{Key: "k"}).Dial(ctx, addr, uid, channel, nil)
		if err != nil {
			b.Fatal(err)
		}
		return c.NetConn()
	}
	var bare net.Conn
	d := v2.Dialer{Key: "k", NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		var err error
		bare, err = new(net.Dialer).DialContext(ctx, network, addr)
		return bare, err
	}}
	if _, err := d.Dial(ctx, "ws://"+addr, uid, channel); err != nil {
		b.Fatal(err)
	}
	return bare
}

// sentAs is a message as alice sends it: in v2 with a masking key of zeros.
func sentAs(dialect, channel string, message []byte) []byte {
	if dialect == "v1" {
		key := v1.Key("k", "alice", channel)
		return v1.AppendFrame(nil, v1.CID(key), key, v1.Msg{UID: "alice", Channel: channel, Message: message})
	}
	frame := v2.AppendFrame(nil, v2.OpBinary, nil)
	frame[1] = 0x80 | byte(len(message))
	return append(append(frame, 0, 0, 0, 0), message...)
}

// receivedAs is the same as bob gets it.
func receivedAs(dialect, from, channel string, message []byte) []byte {
	if dialect == "v1" {
		return sentAs("v1", channel, message) // made by alice or for her: the same bytes
	}
	return v2.AppendFrame(nil, v2.OpBinary, message)
}
