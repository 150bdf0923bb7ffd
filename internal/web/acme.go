package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// Directories of Let's Encrypt: the real one, and one for trying, whose certificates no client trusts.
const (
	LetsEncrypt        = acme.LetsEncryptURL
	LetsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory"
)

// ACMEConfig says for which names certificates are obtained, and from whom.
type ACMEConfig struct {
	Domains   []string     // host names with a dot, at least one; the first also serves clients that name none (no SNI)
	Email     string       // where the authority writes to; may be empty
	Cache     string       // folder for account and certificates, made with mode 0700 if missing
	Directory string       // the authority's directory URL; empty: LetsEncrypt
	Client    *http.Client // asks the authority; nil: http.DefaultClient, which honours SSL_CERT_FILE and the proxy's variables
	Logger    *slog.Logger
}

// NewACME returns certificates that are obtained from an ACME authority (RFC 8555) by TLS-ALPN-01 (RFC 8737) and
// renewed when a third of their life is left. The authority connects to port 443 of each domain: a listener with this
// configuration must answer there. Where there is a listener on port 80, too, HTTP-01 is tried if that fails: see
// [Certificates.HTTPHandler]. The first handshake for a domain obtains its certificate; so that no client has to
// wait for that, [Certificates.Start] does it in the background.
//
// Using it accepts the authority's terms of service. Each directory has a folder of its own in the cache, or a
// certificate from a staging directory would be shown on after the switch to the real one.
func NewACME(conf ACMEConfig) (*Certificates, error) {
	if len(conf.Domains) == 0 {
		return nil, errors.New("no domain")
	}
	for _, domain := range conf.Domains {
		if err := CheckDomain(domain); err != nil {
			return nil, err
		}
	}
	if conf.Directory == "" {
		conf.Directory = LetsEncrypt
	}
	dir, err := url.Parse(conf.Directory)
	if err != nil || dir.Scheme != "https" || dir.Host == "" {
		return nil, fmt.Errorf("%q is no https:// address of an ACME directory", conf.Directory)
	}
	cache := filepath.Join(conf.Cache, "acme", strings.Map(fileRune, dir.Host+dir.Path))
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, err
	}
	domains := make([]string, len(conf.Domains))
	for i, d := range conf.Domains {
		domains[i] = strings.ToLower(strings.TrimSuffix(d, "."))
	}
	a := &authority{
		first: domains[0],
		log:   logger(conf.Logger),
		manager: &autocert.Manager{
			Prompt:     autocert.AcceptTOS,
			Cache:      autocert.DirCache(cache),
			HostPolicy: autocert.HostWhitelist(domains...),
			Email:      conf.Email,
			Client:     &acme.Client{DirectoryURL: conf.Directory, HTTPClient: conf.Client, UserAgent: "mlesd"},
		},
	}
	t := newTasks()
	start := func() {
		for _, domain := range domains {
			t.run(func(ctx context.Context) { a.obtain(ctx, domain) })
		}
	}
	return &Certificates{get: a.get, alpn: []string{acme.ALPNProto}, http: a.manager.HTTPHandler, tasks: t, start: start}, nil
}

// CheckDomain says why an ACME authority cannot prove name by TLS-ALPN-01: it must be a host name with a dot, without
// wildcard, port or path, and no address.
func CheckDomain(name string) error {
	name = strings.TrimSuffix(name, ".")
	switch labels := strings.Split(name, "."); {
	case strings.Contains(name, "*"):
		return fmt.Errorf("%q: a wildcard cannot be proved on this port, name each host", name)
	case strings.ContainsAny(name, ":/@ \t[]%"), strings.Trim(name, "0123456789.") == "":
		return fmt.Errorf("%q is no host name", name)
	case len(labels) < 2:
		return fmt.Errorf("%q has no dot: only public names get certificates", name)
	default:
		for _, label := range labels {
			if label == "" || len(label) > 63 {
				return fmt.Errorf("%q is no host name", name)
			}
		}
		return nil
	}
}

// fileRune keeps what is safe in a file name on every system.
func fileRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-':
		return r
	}
	return '_'
}

// authority is the ACME side of a Certificates. All fields are fixed after construction.
type authority struct {
	manager *autocert.Manager
	first   string // shown to clients that name no host
	log     *slog.Logger
}

func (a *authority) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if hello.ServerName == "" {
		named := *hello
		named.ServerName = a.first
		hello = &named
	}
	return a.manager.GetCertificate(hello)
}

// How long to wait between tries: an authority allows few failures in an hour (Let's Encrypt: 5 per name).
const (
	retryMin = 2 * time.Minute
	retryMax = time.Hour
)

// obtain gets the certificate of one domain, from the cache or from the authority, and tries until it has it.
func (a *authority) obtain(ctx context.Context, domain string) {
	for wait := retryMin; ; wait = min(2*wait, retryMax) {
		cert, err := a.fetch(ctx, domain)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			a.log.Info("certificate ready", "domain", domain, "until", cert.Leaf.NotAfter)
			return
		}
		a.log.Error("no certificate yet", "domain", domain, "err", err, "again", wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// fetch asks the manager as a client of today would, so that the certificate is ECDSA. The manager cannot be told to
// stop: when ctx ends first, its try ends by itself, after its own 5 minutes at most, and is not waited for.
func (a *authority) fetch(ctx context.Context, domain string) (*tls.Certificate, error) {
	type result struct {
		cert *tls.Certificate
		err  error
	}
	done := make(chan result, 1)
	go func() {
		cert, err := a.manager.GetCertificate(&tls.ClientHelloInfo{
			ServerName:   domain,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		})
		done <- result{cert, err}
	}()
	select {
	case r := <-done:
		return r.cert, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
