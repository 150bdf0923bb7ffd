package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// SiteConfig says what a web site consists of. Either Root or Proxies is given.
type SiteConfig struct {
	// Root is the folder with a folder for each domain; empty: no files.
	Root string
	// Domains are the host names that are served, each from its folder in Root. A single one without a folder is served
	// from Root itself, as mles-webproxy does. Without any, every folder in Root is a host's, and Root itself is every
	// other host's where it has an index.html.
	Domains []string
	// CacheBytes bounds the compressed files that are kept; 0: nothing is compressed.
	CacheBytes int64
	// CrossOrigin adds the headers of the reference's --cors.
	CrossOrigin bool
	// Proxies are the parts of the site that other servers answer for, each with a prefix of its own.
	Proxies []ProxyRule
	// SchemeIsTold has X-Forwarded-Proto of requests passed on to these: whoever serves the site takes it off where it
	// cannot be trusted, as bridge does.
	SchemeIsTold bool
	Logger       *slog.Logger
}

// Site is the handler of a web site: files of a folder for each domain, and parts that other servers answer for. It
// does not change; a [LiveSite] exchanges one for another.
//
// Files are served as they stand on disk at the time of the request, with a type by their extension, Last-Modified, a
// strong ETag, conditional requests (RFC 9110, 13) and ranges (14), and compressed where that is worth it and the client
// takes it (12.5.3). index.html stands for its folder; a folder without one is not found, nor is a file whose path has a
// part that begins with a dot, but for /.well-known/. What a symbolic link leads to is served only if it is in the same
// domain's folder, too.
//
// Other methods than GET and HEAD get 405, hosts that are not served 421.
type Site struct {
	// Fixed after construction.
	root        string
	domains     map[string]string // name in lower case: folder
	whole       string            // the folder of hosts that have none; empty: they are not served
	compressed  *compressedFiles  // nil: nothing is compressed
	crossOrigin bool
	proxies     []*proxy // longest prefix first
	log         *slog.Logger

	odd rate.Sometimes // for what an operator should know of
}

// NewSite checks conf and returns its site. A domain that has no folder is logged and not found until it has one.
func NewSite(conf SiteConfig) (*Site, error) {
	s := &Site{
		root: conf.Root, crossOrigin: conf.CrossOrigin, log: logger(conf.Logger),
		odd: rate.Sometimes{Interval: time.Second},
	}
	s.proxies = newProxies(conf, s.log)
	if conf.CacheBytes < 0 {
		return nil, errors.New("the bound of the compressed files is negative")
	}
	if conf.CacheBytes > 0 {
		s.compressed = newCompressedFiles(conf.CacheBytes)
	}
	if s.root == "" {
		return s, nil
	}
	info, err := os.Stat(s.root)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder", s.root)
	}
	s.findFolders(conf.Domains)
	return s, nil
}

func (s *Site) findFolders(domains []string) {
	if len(domains) == 0 {
		if info, err := os.Stat(filepath.Join(s.root, index)); err == nil && info.Mode().IsRegular() {
			s.whole = s.root
		}
		return
	}
	s.domains = make(map[string]string)
	for _, domain := range domains {
		name := strings.TrimSuffix(domain, ".")
		folder := filepath.Join(s.root, name)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			// its own
		} else if len(domains) == 1 {
			folder = s.root
		} else {
			s.log.Warn("a domain has no folder in the web root, nothing is found there", "domain", name, "folder", folder)
		}
		s.domains[strings.ToLower(name)] = folder
	}
}

// Close drops connections to other servers that are kept for reuse. Requests that are being served go on.
func (s *Site) Close() {
	for _, p := range s.proxies {
		p.transport.CloseIdleConnections()
	}
}

// Upgrades reports whether a request to upgrade its connection, to a WebSocket for example, is the site's to answer:
// where another server answers for that part of it.
func (s *Site) Upgrades(r *http.Request) bool { return s.proxied(r) != nil }

// ServeHTTP implements [http.Handler].
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	pw, r := paced(w, r)
	defer pw.finish()
	if p := s.proxied(r); p != nil {
		p.ServeHTTP(pw, r)
		return
	}
	s.secure(pw.Header(), r)
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		pw.Header().Set("Allow", "GET, HEAD")
		refuse(pw, http.StatusMethodNotAllowed)
		return
	}
	s.serveFile(pw, r)
}

// secure sets the headers that mles 2.9.4 sends with every file. It sends Strict-Transport-Security always, since it
// serves nothing without TLS; without, RFC 6797 (7.2) forbids it.
func (s *Site) secure(h http.Header, r *http.Request) {
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload")
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "strict-origin-when-cross-origin")
	if s.crossOrigin {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}

// refuse answers with a status and its name, as the reference does.
func refuse(w http.ResponseWriter, status int) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(http.StatusText(status)))
}
