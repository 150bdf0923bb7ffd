package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"slices"
	"syscall"

	"mles/bridge"
	"mles/internal/web"
)

// transition is the way from one configuration to the next. What prepare does, undo takes back; after that nothing can
// fail.
type transition struct {
	d      *daemon
	next   *config
	report *reloaded

	certs  *web.Certificates // new; nil: as before
	site   *web.Site         // new; nil: as before
	opened []endpoint        // not yet served
	freed  []net.Listener    // closed for one that takes its port
}

func (t *transition) prepare(ctx context.Context) (err error) {
	d := t.d
	conf, err := d.gatewayConfig(t.next)
	if err != nil {
		return err
	}
	if err := conf.Check(); err != nil {
		return &usageError{err}
	}
	if t.certificatesDiffer() {
		if t.certs, err = d.certificates(t.next); err != nil {
			return err
		}
	}
	if t.site, err = d.newSite(t.next); err != nil {
		return err
	}
	if err := t.open(ctx); err != nil {
		return err
	}
	changes, err := d.gw.Reconfigure(conf)
	if err != nil {
		return &usageError{err}
	}
	t.note(changes)
	return nil
}

// certificatesDiffer reports whether certificates are to be found anew: those in files always are, so that a broken one
// is told.
func (t *transition) certificatesDiffer() bool {
	c, old := t.next, t.d.conf
	if !c.usesTLS() {
		return old.usesTLS()
	}
	return c.TLSCert != "" || !old.usesTLS() || old.TLSCert != "" || !slices.Equal(c.Domains, old.Domains) ||
		c.Email != old.Email || c.Staging != old.Staging || c.ACMEDirectory != old.ACMEDirectory
}

// open opens the listeners that are not open yet. One that moves within a port, as from all addresses to one, cannot be
// open in both places: the old one is closed first.
func (t *transition) open(ctx context.Context) error {
	d, opener := t.d, newOpener(t.d.log)
	serve := d.services(t.next)
	before := maps.Collect(d.conf.listeners())
	for flag, addr := range t.next.listeners() {
		if old, was := before[flag]; was && old == addr {
			continue
		}
		listeners, err := opener.open(ctx, flag, addr)
		if errors.Is(err, syscall.EADDRINUSE) && t.free(addr.port) {
			listeners, err = opener.open(ctx, flag, addr)
		}
		if err != nil {
			return err
		}
		for _, l := range listeners {
			t.opened = append(t.opened, serve[flag].at(flag, l))
		}
	}
	return nil
}

// leaving are the open listeners that the next configuration does not have.
func (t *transition) leaving() []endpoint {
	before, after := maps.Collect(t.d.conf.listeners()), maps.Collect(t.next.listeners())
	return slices.DeleteFunc(slices.Clone(t.d.open), func(e endpoint) bool {
		addr, stays := after[e.flag]
		return stays && addr == before[e.flag]
	})
}

// free closes leaving listeners on a port, and says whether there were any.
func (t *transition) free(port int) bool {
	some := false
	for _, e := range t.leaving() {
		if e.port() == port && !slices.Contains(t.freed, e.Listener) {
			_ = e.Close()
			t.freed = append(t.freed, e.Listener)
			some = true
		}
	}
	return some
}

// undo goes back to where prepare began.
func (t *transition) undo(ctx context.Context) {
	closeAll(t.opened)
	if t.certs != nil {
		_ = t.certs.Close()
	}
	if t.site != nil {
		t.site.Close()
	}
	for i, e := range t.d.open {
		if !slices.Contains(t.freed, e.Listener) {
			continue
		}
		again, err := newOpener(t.d.log).net(ctx, "tcp", e.Addr().String())
		if err != nil {
			t.d.log.Error("a listener that was to move could not be opened again where it was", "flag", e.flag, "err", err)
			continue
		}
		t.d.former = append(t.d.former, e)
		e = e.at(e.flag, again)
		t.d.replaceOpen(i, e)
		t.d.serve(e)
	}
}

// note says in the report what the gateway did.
func (t *transition) note(c bridge.Changes) {
	r := t.report
	r.Disconnected = c.Closed
	for what, fields := range map[string][]string{
		"shared keys": {"V1Keys", "V2Keys", "V1KeyScopes", "V2KeyScopes"}, "MLES_ADDR_KEY": {"AddrKey"}, "upstreams": {"Upstreams"},
	} {
		if slices.ContainsFunc(fields, func(f string) bool { return slices.Contains(c.Applied, f) }) {
			r.Changed = append(r.Changed, what)
		}
	}
	if t.certs != nil && t.next.TLSCert != "" && !bytes.Equal(leaf(t.certs), leaf(t.d.certs.current.Load())) {
		r.Changed = append(r.Changed, "certificate")
	}
	slices.Sort(r.Changed)
}

// leaf is the certificate that a client is shown who names no host; nil: there is none yet.
func leaf(c *web.Certificates) []byte {
	get := c.TLSConfig().GetCertificate
	if get == nil {
		return nil
	}
	cert, err := get(new(tls.ClientHelloInfo))
	if err != nil || len(cert.Certificate) == 0 {
		return nil
	}
	return cert.Certificate[0]
}

// commit makes the next configuration the one that holds.
func (t *transition) commit() {
	d := t.d
	leaving := t.leaving()
	d.level.Set(t.next.LogLevel)
	if t.certs != nil {
		t.replaceCertificates()
	}
	if t.site != nil {
		d.site.Replace(t.site)
	}
	d.pages.Show(t.next.Chat)
	stays := slices.DeleteFunc(slices.Clone(d.open), func(e endpoint) bool {
		return slices.ContainsFunc(leaving, func(l endpoint) bool { return l.Listener == e.Listener })
	})
	d.nowOpen(slices.Concat(stays, t.opened))
	d.conf = t.next
	d.redirect(t.certs != nil)
	for _, e := range t.opened {
		d.serve(e)
		d.log.Info("listening", "flag", e.flag, "addr", e.Addr().String(), "tls", e.tls)
		t.report.Opened = append(t.report.Opened, opening{e.flag, e.Addr().String()})
	}
	t.close(leaving)
	d.profiling.Store(t.next.Pprof)
	if d.takeToken(t.next) {
		t.report.Changed = append(t.report.Changed, "admin token")
	}
	if t.certs != nil {
		t.certs.Start()
		d.warnOfCertificates(at443(d.open))
	}
}

// replaceCertificates has listeners show the new ones from the next handshake on.
func (t *transition) replaceCertificates() {
	old := t.d.certs.current.Swap(t.certs)
	_ = old.Close()
}

// close closes listeners. Those who came in by one stay where its flag has another address now, and go where it is off.
func (t *transition) close(leaving []endpoint) {
	d := t.d
	on := maps.Collect(t.next.listeners())
	for _, e := range leaving {
		_ = e.Close()
		d.log.Info("listener closed", "flag", e.flag, "addr", e.Addr().String())
		t.report.Closed = append(t.report.Closed, opening{e.flag, e.Addr().String()})
	}
	var off []net.Listener
	d.former = slices.DeleteFunc(append(d.former, leaving...), func(e endpoint) bool {
		if _, stays := on[e.flag]; stays {
			return false
		}
		off = append(off, e.Listener)
		return true
	})
	if n := d.gw.Retire(off...); n > 0 {
		if t.report.Disconnected == nil {
			t.report.Disconnected = make(map[string]int)
		}
		t.report.Disconnected["listener closed"] += n
	}
}
