package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mles/bridge"
	"mles/internal/seen"
	"mles/internal/web"
)

// daemon is one run of mlesd.
type daemon struct {
	conf   *config
	log    *slog.Logger
	stdout io.Writer
	site   web.LiveSite // empty where there is none

	seen    *seen.Store
	started time.Time

	mu   sync.Mutex
	open []endpoint // listeners
}

// run opens every listener, then serves until ctx ends or serving fails, then drains. It is nil after a drain.
func (d *daemon) run(ctx context.Context) error {
	if err := d.openSite(); err != nil {
		return err
	}
	defer d.site.Close()
	d.started = time.Now()
	d.seen = seen.New(d.conf.Cache, d.log)
	certs, err := d.certificates()
	if err != nil {
		return err
	}
	defer certs.Close()
	recording, stopRecording := context.WithCancel(context.Background())
	var recorder sync.WaitGroup
	defer func() { // when everybody has been seen off
		stopRecording()
		recorder.Wait()
	}()
	d.limitMemory() // before the gateway takes its share
	gw, err := d.gateway()
	if err != nil {
		return &usageError{err}
	}
	defer gw.Close()
	endpoints, err := d.listen(ctx, gw, certs)
	if err != nil {
		return err
	}
	d.nowOpen(endpoints)
	d.logStart(endpoints)
	recorder.Go(func() { d.seen.Run(recording) })

	tasks, ctx := errgroup.WithContext(ctx)
	for _, e := range endpoints {
		tasks.Go(func() error { return e.serve(e.Listener) })
	}
	tasks.Go(func() error {
		<-ctx.Done()
		d.drain(gw, endpoints)
		return nil
	})
	certs.Start()
	d.greet(endpoints)
	return tasks.Wait()
}

func (d *daemon) gateway() (*bridge.Gateway, error) {
	joins, err := bridge.ParseJoinMode(d.conf.V2Joins)
	if err != nil {
		return nil, err
	}
	mask, err := bridge.ParseMaskMode(d.conf.WebproxyMask)
	if err != nil {
		return nil, err
	}
	conf := bridge.Config{
		V1Keys:        d.conf.keys.v1.keys,
		V2Keys:        d.conf.keys.v2.keys,
		V1KeyLines:    d.conf.keys.v1.lines,
		V2KeyLines:    d.conf.keys.v2.lines,
		AddrKey:       d.conf.keys.addr,
		V1AddressKeys: d.conf.V1AddressKeys,
		V1WebSocket:   d.conf.V1WebSocket,
		V1Channels:    d.conf.V1Channels,
		V2Channels:    d.conf.V2Channels,
		V1ReadOnly:    d.conf.V1ReadOnly,
		WebproxyMask:  mask,
		V2Joins:       joins,
		Upstreams:     d.conf.upstreams,
		MemoryLimit:   d.conf.memory,
		Witness:       d.seen,
		Logger:        d.log,
	}
	if d.conf.hasSite() {
		conf.Site = &d.site
	}
	if n := d.conf.HistoryLimit; n != nil && *n == 0 {
		conf.HistoryLimit = bridge.NoHistory
	} else if n != nil {
		conf.HistoryLimit = *n
	}
	if n := d.conf.MaxConnections; n != nil {
		conf.MaxConnections = *n
	}
	return bridge.New(conf)
}

// certificates returns where TLS listeners get theirs; without such a listener, an empty one.
func (d *daemon) certificates() (*web.Certificates, error) {
	c := d.conf
	switch {
	case !c.usesTLS():
		return new(web.Certificates), nil
	case len(c.Domains) > 0:
		directory := c.ACMEDirectory
		if c.Staging {
			directory = web.LetsEncryptStaging
		}
		certs, err := web.NewACME(web.ACMEConfig{
			Domains: c.Domains, Email: c.Email, Cache: c.Cache, Directory: directory, Logger: d.log,
		})
		if err != nil {
			return nil, usage("--domains: %w", err)
		}
		return certs, nil
	case c.TLSCert != "":
		certs, err := web.NewFiles(c.TLSCert, c.TLSKey, d.log)
		if err != nil {
			return nil, usage("--tls-cert: %w", err)
		}
		return certs, nil
	}
	certs, err := web.NewSelfSigned(c.Cache, d.log)
	if err != nil && c.cacheGiven {
		return nil, usage("--cache: %w", err)
	}
	if err != nil { // the first run works on a read-only system, too
		d.log.Warn("the certificate for localhost cannot be kept, clients cannot check it", "err", err)
		c.Cache = ""
		certs, err = web.NewSelfSigned("", d.log)
	}
	return certs, err
}

// limitMemory tells the garbage collector what the process may take, less what it does not count; GOMEMLIMIT, if given,
// has told it already.
func (d *daemon) limitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" && d.conf.memory > 0 {
		debug.SetMemoryLimit(d.conf.memory / 10 * 9)
	}
}

// drain lets clients go within the drain time. The admin listener is the last to close, so that readiness can be seen
// to fail.
func (d *daemon) drain(gw *bridge.Gateway, endpoints []endpoint) {
	ctx, cancel := context.WithTimeout(context.Background(), d.conf.DrainTime)
	defer cancel()
	if err := gw.Shutdown(ctx); err != nil {
		d.log.Warn("drained, some connections were cut off", "err", err)
	} else {
		d.log.Info("drained")
	}
	closeAll(endpoints)
}

func closeAll(endpoints []endpoint) {
	for _, e := range endpoints {
		_ = e.Close() // the gateway has closed its own
	}
}

// endpoint is an open listener, what asked for it and what serves it.
type endpoint struct {
	net.Listener
	flag  string
	tls   bool
	serve func(net.Listener) error
}

func (e endpoint) port() int { return e.Addr().(*net.TCPAddr).Port }
