package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// untilSignalled returns a context that ends with the first SIGTERM or SIGINT; with the second, exit is called with
// status 1. hangUps takes a token for each SIGHUP, or for several that came before it was looked at; a gateway that was
// started from a terminal goes on when that is closed. stop ends the watch.
func untilSignalled(parent context.Context, log *slog.Logger, exit func(int)) (ctx context.Context, hangUps <-chan struct{}, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt, syscall.SIGHUP)
	done := make(chan struct{})
	hungUp := make(chan struct{}, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			case s := <-signals:
				switch {
				case s == syscall.SIGHUP:
					select {
					case hungUp <- struct{}{}:
					default:
					}
				case ctx.Err() == nil:
					log.Info("signal received, draining; a second one ends at once", "signal", s.String())
					cancel()
				default:
					log.Warn("second signal received, ending at once", "signal", s.String())
					exit(exitFailed)
				}
			}
		}
	})
	return ctx, hungUp, func() {
		signal.Stop(signals)
		close(done)
		wg.Wait()
		cancel()
	}
}
