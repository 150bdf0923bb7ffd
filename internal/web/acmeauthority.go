package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
	"golang.org/x/net/idna"
)

// Why a handshake gets no certificate.
var (
	errNotServed = errors.New("no certificate: the name is not served here")
	errNotYet    = errors.New("no certificate yet: it has not been obtained")
)

// authority is the ACME side of a Certificates. All fields are fixed after construction.
type authority struct {
	manager   *autocert.Manager
	client    *http.Client // reaches the authority until tasks stop
	directory string
	domains   map[string]*domain // by the name as clients send it
	order     []*domain          // as they were given
	first     *domain            // shown to clients that name no host
	tasks     *tasks
	log       *slog.Logger
}

// domain is a name and what there is to show for it.
type domain struct {
	// Fixed after construction.
	name   string           // in lower case, ASCII
	former *tls.Certificate // of an older server; nil: none

	own      atomic.Bool                      // the manager has a certificate
	leaf     atomic.Pointer[x509.Certificate] // the one that it shows; nil: none
	troubles troubles
}

// newAuthority makes an authority of a checked configuration, whose files are in cache.
func newAuthority(conf ACMEConfig, cache string) (*authority, error) {
	log := logger(conf.Logger)
	t := newTasks()
	a := &authority{
		client: overheard(t.ctx, conf.Client, log), directory: conf.Directory,
		domains: make(map[string]*domain), tasks: t, log: log,
	}
	found := findFormer(conf, log)
	for _, given := range conf.Domains {
		name, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(given, ".")))
		if err != nil {
			return nil, fmt.Errorf("%q is no host name: %w", given, err)
		}
		if a.domains[name] != nil {
			continue
		}
		d := &domain{name: name, former: found.bestFor(name)}
		a.domains[name] = d
		a.order = append(a.order, d)
		if a.first == nil {
			a.first = d
		}
	}
	a.manager = &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      &loggedCache{Cache: autocert.DirCache(cache), of: a.domains, log: log},
		HostPolicy: a.policy,
		Email:      conf.Email,
		Client:     &acme.Client{DirectoryURL: conf.Directory, HTTPClient: a.client, UserAgent: "mlesd"},
	}
	return a, nil
}

func (a *authority) serves(name string) bool { return a.domains[name] != nil }

func (a *authority) policy(_ context.Context, host string) error {
	if !a.serves(host) {
		return errNotServed
	}
	return nil
}

// start obtains every domain's certificate in the background.
func (a *authority) start() {
	for _, d := range a.domains {
		a.tasks.run(func(ctx context.Context) { a.keep(ctx, d) })
	}
}

// get is what a handshake shows.
func (a *authority) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	d := a.first
	if name := strings.ToLower(strings.TrimSuffix(hello.ServerName, ".")); name != "" {
		if d = a.domains[name]; d == nil {
			return nil, errNotServed
		}
	}
	if asked := hello.SupportedProtos; len(asked) == 1 && asked[0] == acme.ALPNProto { // the authority looks whether the name is ours
		return a.manager.GetCertificate(&tls.ClientHelloInfo{ServerName: d.name, SupportedProtos: asked})
	}
	switch {
	case d.own.Load():
		return a.manager.GetCertificate(d.hello())
	case d.former != nil && time.Now().Before(d.former.Leaf.NotAfter):
		return d.former, nil
	}
	return nil, errNotYet
}

// hello is what a client of today asks the manager. Those that can do no more than RSA must not ask it themselves: it
// would order another certificate for them, while they wait.
func (d *domain) hello() *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: d.name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}

// httpHandler answers the authority, which comes to port 80 with a domain as its host, and next everybody else.
func (a *authority) httpHandler(next http.Handler) http.Handler {
	answer := a.manager.HTTPHandler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/.well-known/acme-challenge/") {
			next.ServeHTTP(w, r)
			return
		}
		asked := r.Clone(r.Context())
		asked.Host = hostOf(r.Host) // port and case are not the manager's
		answer.ServeHTTP(w, asked)
	})
}
