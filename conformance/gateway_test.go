package conformance

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"mles/bridge"
)

// gateway starts a gateway of all dialects and returns it as a target.
func gateway(t *testing.T, key string) Target {
	t.Helper()
	conf := bridge.Config{Logger: slog.New(slog.DiscardHandler), MaxConnections: 10_000, V1WebSocket: true}
	if key != "" {
		conf.V1Keys, conf.V2Keys = []string{key}, []string{key}
	}
	g, err := bridge.New(conf)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(run func(net.Listener) error) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go run(l)
		return l.Addr().String()
	}
	tg := Target{V1: serve(g.ServeV1), V2: "ws://" + serve(g.ServeV2) + "/", Key: key}
	tg.V1WS = tg.V2
	t.Cleanup(func() { g.Close() })
	return tg
}

// allPass runs all cases and reports what did not pass.
func allPass(t *testing.T, tg Target, o Options) {
	t.Helper()
	o.Timeout *= slowness
	if o.Cases == nil {
		o.Cases = Cases()
	}
	for i := range o.Cases {
		o.Cases[i].Deadline = slowness * o.Cases[i].deadline()
	}
	report, err := Run(context.Background(), tg, o)
	if err != nil {
		t.Error(err)
		return
	}
	for _, r := range report.Results {
		if r.Outcome != Pass {
			writeResult(t.Output(), r)
			t.Errorf("%s: %s: %s", r.Case.ID, r.Outcome, r.Failure)
		}
	}
	t.Logf("%d cases in %v", len(report.Results), report.Took)
}

// Cases of more than 20 s run if the environment has CONFORMANCE_SLOW.
func TestGatewayPassesEveryCase(t *testing.T) {
	o := Options{Timeout: 10 * time.Second, Hostile: true, Slow: os.Getenv("CONFORMANCE_SLOW") != ""}
	for name, key := range map[string]string{"with a key": "swordfish", "without": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allPass(t, gateway(t, key), o)
		})
	}
}

// Runs do not disturb each other: channels and names are their own.
func TestEightRunsAtOnce(t *testing.T) {
	tg := gateway(t, "swordfish")
	var runs sync.WaitGroup
	for range 8 {
		runs.Go(func() { allPass(t, tg, Options{Timeout: 10 * time.Second}) })
	}
	runs.Wait()
}

// A flood in another channel, which nobody else reads, changes nothing.
func TestRunBesideAFlood(t *testing.T) {
	tg := gateway(t, "swordfish")
	var flood sync.WaitGroup
	defer flood.Wait()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	for _, uid := range []string{"sender", "receiver"} {
		nc, err := net.Dial("tcp", tg.V1)
		if err != nil {
			t.Fatal(err)
		}
		context.AfterFunc(ctx, func() { nc.Close() })
		key := KeyOf(tg.Key, uid, "flood")
		frame := Frame(uint32(key), key, Map3(uid, "flood", strings.Repeat("x", 1000)))
		nc.Write(frame)
		flood.Go(func() { io.Copy(io.Discard, nc) })
		if uid == "sender" {
			flood.Go(func() {
				for range 500_000 { // half a gigabyte at most
					if _, err := nc.Write(frame); err != nil {
						return
					}
				}
			})
		}
	}
	allPass(t, tg, Options{Timeout: 10 * time.Second})
}
