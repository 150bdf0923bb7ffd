package web

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// How long to wait between tries. An authority allows few failures in an hour (Let's Encrypt: 5 per name), and the
// manager none within a minute of the last one; one that cannot be reached counts nothing.
const (
	retryMin = 2 * time.Minute
	retryMax = time.Hour

	reachMin  = 2 * time.Second
	reachMax  = 5 * time.Minute
	reachTime = 30 * time.Second // for one try
)

// keep obtains the certificate of one domain, from the cache or from the authority, and looks after its renewal.
func (a *authority) keep(ctx context.Context, d *domain) {
	cert := a.obtain(ctx, d)
	for cert != nil {
		cert = a.follow(ctx, d, cert)
	}
}

// obtain tries until there is a certificate; nil: ctx has ended.
func (a *authority) obtain(ctx context.Context, d *domain) *tls.Certificate {
	reach, retry := reachMin, retryMin
	for {
		cert, reached, err := a.try(ctx, d)
		if err == nil {
			d.has(cert.Leaf)
			d.own.Store(true)
			a.log.Info("certificate ready", "domain", d.name, "until", cert.Leaf.NotAfter)
			return cert
		}
		if ctx.Err() != nil {
			return nil
		}
		wait := reach
		if reached {
			wait, retry = atLeastAsked(retry, err), min(2*retry, retryMax)
		} else {
			reach = min(2*reach, reachMax)
		}
		d.troubles.note(err)
		a.log.Error("no certificate yet", "domain", d.name, "shown", d.shown(), "err", err, "again", wait)
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

// atLeastAsked is wait, or how long an authority that has had too many requests wants to be left alone.
func atLeastAsked(wait time.Duration, err error) time.Duration {
	var refusal *acme.Error
	if !errors.As(err, &refusal) {
		return wait
	}
	asked, _ := acme.RateLimit(refusal)
	return max(wait, asked)
}

// shown says what clients get without a certificate of the authority.
func (d *domain) shown() string {
	if d.former != nil && time.Now().Before(d.former.Leaf.NotAfter) {
		return "the one of an older server, until " + d.former.Leaf.NotAfter.Format(time.RFC3339)
	}
	return "none, clients are refused"
}

// try gets the certificate once. The authority is only asked for it when its directory could be reached.
func (a *authority) try(ctx context.Context, d *domain) (cert *tls.Certificate, reached bool, err error) {
	if !a.cached(ctx, d) {
		if err := a.reach(ctx); err != nil {
			return nil, false, err
		}
	}
	cert, err = a.fetch(ctx, d)
	return cert, true, err
}

// cached reports whether the manager will take the certificate from its cache.
func (a *authority) cached(ctx context.Context, d *domain) bool {
	data, err := a.manager.Cache.Get(ctx, d.name)
	if err != nil {
		return false
	}
	cert, err := tls.X509KeyPair(data, data)
	return err == nil && usable(&cert, d.name) == nil
}

// reach looks whether the authority can be reached.
func (a *authority) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	asking := acme.Client{
		DirectoryURL: a.directory, HTTPClient: a.client, UserAgent: "mlesd",
		RetryBackoff: func(int, *http.Request, *http.Response) time.Duration { return 0 }, // obtain does that
	}
	_, err := asking.Discover(ctx)
	return err
}

// fetch asks the manager, which cannot be told to stop: when ctx ends first, its try fails at its next request, and is
// not waited for.
func (a *authority) fetch(ctx context.Context, d *domain) (*tls.Certificate, error) {
	type result struct {
		cert *tls.Certificate
		err  error
	}
	done := make(chan result, 1)
	go func() {
		cert, err := a.manager.GetCertificate(d.hello())
		done <- result{cert, err}
	}()
	select {
	case r := <-done:
		return r.cert, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// follow waits until cert should have been renewed, which the manager does when a third of its life is left, and
// returns what there is then. It complains when that is still the same, each time a fraction of the life has gone by.
func (a *authority) follow(ctx context.Context, d *domain, cert *tls.Certificate) *tls.Certificate {
	life := cert.Leaf.NotAfter.Sub(cert.Leaf.NotBefore)
	due := cert.Leaf.NotAfter.Add(-life / 4)
	for {
		// Never long: the clock may be set, and the machine sleep.
		wait := min(time.Hour, time.Until(due))
		if !sleep(ctx, max(wait, time.Second)) {
			return nil
		}
		if time.Now().Before(due) {
			continue
		}
		now, err := a.fetch(ctx, d)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil && !now.Leaf.Equal(cert.Leaf):
			d.has(now.Leaf)
			return now
		}
		if err == nil {
			err = errNotRenewed
		}
		d.troubles.note(err)
		a.log.Error("certificate not renewed", "domain", d.name, "until", cert.Leaf.NotAfter)
		due = time.Now().Add(min(max(life/20, time.Second), 24*time.Hour))
	}
}

// errNotRenewed is all that the manager lets see of a renewal that fails.
var errNotRenewed = errors.New("not renewed: the log tells what the authority said")

// sleep waits, and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// loggedCache tells of the certificates that the manager stores, which is all that it lets see of a renewal, and of
// those that it cannot store, which it keeps to itself.
type loggedCache struct {
	autocert.Cache
	of  map[string]*domain
	log *slog.Logger
}

// Put stores data under key; the key of a certificate is its domain.
func (c *loggedCache) Put(ctx context.Context, key string, data []byte) error {
	err := c.Cache.Put(ctx, key, data)
	d := c.of[key]
	if d == nil {
		return err
	}
	if err != nil {
		c.log.Error("a new certificate cannot be kept, the next start needs another", "domain", key, "err", err)
		return err
	}
	if cert, err := tls.X509KeyPair(data, data); err == nil {
		d.has(cert.Leaf)
		c.log.Info("certificate issued", "domain", key, "until", cert.Leaf.NotAfter)
	}
	return nil
}
