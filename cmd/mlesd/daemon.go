package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"mles/bridge"
	"mles/internal/admin"
	"mles/internal/console"
	"mles/internal/logs"
	"mles/internal/seen"
	"mles/internal/web"
)

// daemon is one run of mlesd.
type daemon struct {
	// Fixed once it runs.
	args      []string // of the command line, read again by a reload
	log       *slog.Logger
	level     *slog.LevelVar // of log
	lines     *logs.Writer   // of log; nil: it is written at once
	stdout    io.Writer
	hangUps   <-chan struct{} // somebody wants a reload; nil: nobody can
	manager   service
	gw        *bridge.Gateway
	seen      *seen.Store
	histories *histories   // nil: they are not kept
	keeps     bool         // they are wanted: --history-save is not off
	hurried   *saveInHurry // for a second signal
	started   time.Time
	token     admin.Token // of the admin listener
	tasks     *errgroup.Group

	site        web.LiveSite  // empty where there is none
	pages       *console.Site // the chat page in front of it
	certs       liveCertificates
	profiling   atomic.Bool                  // --pprof
	redirection atomic.Pointer[http.Handler] // of --redirect-listen

	// Guarded by changing, which a reload holds, and the drain.
	changing sync.Mutex
	conf     *config
	former   []endpoint // closed, their flag on: connections may be left
	stopped  bool       // no reload any more

	mu   sync.Mutex
	open []endpoint // listeners; written with changing held, too
}

// run opens every listener, then serves until ctx ends or serving fails, then drains. It is nil after a drain.
func (d *daemon) run(ctx context.Context) error {
	d.started = time.Now()
	d.seen = seen.New(d.conf.Cache, d.log)
	if err := d.begin(); err != nil {
		return err
	}
	d.takeToken(d.conf)
	d.profiling.Store(d.conf.Pprof)
	defer d.site.Close()
	defer func() { _ = d.certs.current.Load().Close() }()
	recording, stopRecording := context.WithCancel(context.Background())
	var recorder sync.WaitGroup
	defer func() { // when everybody has been seen off
		stopRecording()
		recorder.Wait()
	}()
	d.limitMemory() // before the gateway takes its share
	conf, err := d.gatewayConfig(d.conf)
	if err == nil {
		err = conf.Check()
	}
	if err != nil {
		return &usageError{err}
	}
	endpoints, err := d.listen(ctx)
	if err != nil {
		return err
	}
	d.nowOpen(endpoints)
	if err := d.makeGateway(ctx, conf); err != nil {
		closeAll(endpoints)
		return err
	}
	defer d.histories.end(d.gw)
	defer d.gw.Close()
	d.redirect(true)
	d.logStart(endpoints)
	recorder.Go(func() { d.seen.Run(recording) })

	d.serveAll(ctx)
	defer d.manager.attend(d)()
	return d.tasks.Wait()
}

// makeGateway makes the gateway, with the histories that the one before has saved.
func (d *daemon) makeGateway(ctx context.Context, conf bridge.Config) (err error) {
	d.keeps = !d.conf.save.off
	if d.histories = d.openHistories(ctx, len(d.conf.sockets) > 0); d.histories != nil {
		conf.Restore = d.histories.restore
	}
	if d.gw, err = bridge.New(conf); err != nil {
		d.histories.end(nil)
		return &usageError{err}
	}
	d.histories.begin(d.gw)
	d.hurried.of(d)
	return nil
}

// serveAll begins to serve. What asks for a reload meanwhile has to wait.
func (d *daemon) serveAll(ctx context.Context) {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.tasks, ctx = errgroup.WithContext(ctx)
	for _, e := range d.open {
		d.serve(e)
	}
	d.tasks.Go(func() error {
		d.reloadOnHangUp(ctx)
		d.drain()
		return nil
	})
	d.certs.current.Load().Start()
	d.greet(d.open)
}

// begin finds the site and the certificates.
func (d *daemon) begin() error {
	site, err := d.newSite(d.conf)
	if err != nil {
		return err
	}
	certs, err := d.certificates(d.conf)
	if err != nil {
		if site != nil {
			site.Close()
		}
		return err
	}
	if site != nil {
		d.site.Replace(site)
	}
	d.certs.current.Store(certs)
	d.pages = console.NewSite(&d.site)
	d.pages.Show(d.conf.Chat)
	return nil
}

// serve serves a listener until it is closed.
func (d *daemon) serve(e endpoint) {
	d.tasks.Go(func() error { return e.serve(e.Listener) })
}

// reloadOnHangUp reloads whenever somebody wants that, until ctx ends.
func (d *daemon) reloadOnHangUp(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.hangUps:
			d.reloadLogged(ctx)
		}
	}
}

// gatewayConfig is what a configuration means for the gateway.
func (d *daemon) gatewayConfig(c *config) (bridge.Config, error) {
	joins, err := bridge.ParseJoinMode(c.V2Joins)
	if err != nil {
		return bridge.Config{}, err
	}
	mask, err := bridge.ParseMaskMode(c.WebproxyMask)
	if err != nil {
		return bridge.Config{}, err
	}
	conf := bridge.Config{
		V1Keys:        c.keys.v1.keys,
		V2Keys:        c.keys.v2.keys,
		V1KeyLines:    c.keys.v1.lines,
		V2KeyLines:    c.keys.v2.lines,
		V1KeyScopes:   c.keys.v1.scopes,
		V2KeyScopes:   c.keys.v2.scopes,
		AddrKey:       c.keys.addr,
		V1AddressKeys: c.V1AddressKeys,
		V1WebSocket:   c.V1WebSocket,
		V1Channels:    c.V1Channels,
		V2Channels:    c.V2Channels,
		Origins:       c.Origins,
		V1ReadOnly:    c.V1ReadOnly,
		WebproxyMask:  mask,
		V2Joins:       joins,
		Upstreams:     c.upstreams,
		MemoryLimit:   c.memory,
		RateLimit:     c.rate(),
		PerIPLimit:    c.perIP(),
		LimitExempt:   c.LimitExempt,
		Witness:       d.seen,
		Logger:        d.log,
	}
	conf.TrustedProxies, conf.ProxyProtocol = c.TrustedProxies, c.proxyHeaders()
	if c.hasPages() {
		conf.Site = d.pages
	}
	if n := c.HistoryLimit; n != nil && *n == 0 {
		conf.HistoryLimit = bridge.NoHistory
	} else if n != nil {
		conf.HistoryLimit = *n
	}
	if n := c.MaxConnections; n != nil {
		conf.MaxConnections = *n
	}
	return conf, nil
}

// certificates returns where TLS listeners get theirs; without such a listener, an empty one.
func (d *daemon) certificates(c *config) (*web.Certificates, error) {
	switch {
	case !c.usesTLS():
		return new(web.Certificates), nil
	case len(c.Domains) > 0:
		certs, err := web.NewACME(d.acme(c))
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

// acme is what --domains means for the certificates.
func (d *daemon) acme(c *config) web.ACMEConfig {
	directory := c.ACMEDirectory
	if c.Staging {
		directory = web.LetsEncryptStaging
	}
	return web.ACMEConfig{Domains: c.Domains, Email: c.Email, Cache: c.Cache, Directory: directory, Logger: d.log}
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
func (d *daemon) drain() {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.stopped = true
	d.manager.stopping(d.log, d.conf.DrainTime)
	d.histories.leaving(d.conf.DrainTime)
	ctx, cancel := context.WithTimeout(context.Background(), d.conf.DrainTime)
	defer cancel()
	if err := d.gw.Shutdown(ctx); err != nil {
		d.log.Warn("drained, some connections were cut off", "err", err)
	} else {
		d.log.Info("drained")
	}
	d.histories.end(d.gw)
	closeAll(d.open)
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
