package conformance

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"mles/bridge"
)

// gateway starts a gateway of both dialects and returns it as a target.
func gateway(t *testing.T, key string) Target {
	t.Helper()
	conf := bridge.Config{Logger: slog.New(slog.DiscardHandler), MaxConnections: 10_000}
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
	t.Cleanup(func() { g.Close() })
	return tg
}

// allPass runs all cases and reports what did not pass.
func allPass(t *testing.T, tg Target, o Options) {
	t.Helper()
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

func TestGatewayPassesEveryCase(t *testing.T) {
	t.Run("with a key", func(t *testing.T) { allPass(t, gateway(t, "swordfish"), Options{Hostile: true}) })
	t.Run("without", func(t *testing.T) { allPass(t, gateway(t, ""), Options{Hostile: true}) })
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
