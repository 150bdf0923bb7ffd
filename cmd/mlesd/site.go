package main

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"mles/internal/web"
)

// siteFlags are the flags of the web site that is served beside WebSockets, and of the redirect to it.
type siteFlags struct {
	Wwwroot          string   `short:"w" env:"MLESD_WWWROOT" group:"Site" placeholder:"DIR" help:"Serve files, each domain's from the folder in DIR that has its name; with one domain and no such folder, from DIR itself."`
	Proxy            []string `short:"P" env:"MLESD_PROXY" group:"Site" placeholder:"PREFIX=URL" help:"Pass requests below /PREFIX on to another server, WebSockets too. Repeat, or separate by commas."`
	CompressionCache *int     `name:"compression-cache" short:"C" env:"MLESD_COMPRESSION_CACHE" group:"Site" placeholder:"16" help:"Memory for compressed files, MB; 0: nothing is compressed."`
	CORS             bool     `name:"cors" env:"MLESD_CORS" group:"Site" help:"Add headers that isolate pages from other origins to every file, and allow any origin to read JSON files."`
	Redirect         bool     `short:"r" env:"MLESD_REDIRECT" group:"Site" help:"Redirect http:// on port 80 to https://; ACME challenges are answered there, too."`
	RedirectListen   *address `name:"redirect-listen" env:"MLESD_REDIRECT_LISTEN" group:"Site" placeholder:"[::]:80" help:"Where --redirect listens."`

	// Found by complete.
	redirect    address
	proxies     []web.ProxyRule
	compression int64 // bytes of compressed files
}

// defaultCompressionCache is in MB, less where memory is short.
const defaultCompressionCache = 16

// hasSite reports whether there is anything to serve to browsers.
func (c *config) hasSite() bool { return c.Wwwroot != "" || len(c.Proxy) > 0 }

// checkSite checks the site's flags, of which those of the listeners and of memory have been looked at before.
func (c *config) checkSite() error {
	var f faults
	const orphan = "%s is for --wwwroot, which is not given"
	f.when(c.hasSite() && c.v2.off && c.plain.off, "--wwwroot, --proxy: --v2-listen and --plain-listen are both off, nobody could ask for a page")
	f.when(c.Wwwroot == "" && c.CORS, orphan, "--cors")
	f.when(c.Wwwroot == "" && c.CompressionCache != nil, orphan, "--compression-cache")
	f.when(!c.Redirect && c.RedirectListen != nil, "--redirect-listen is for --redirect, which is not given")
	f.when(c.Redirect && c.v2.off, "--redirect: --v2-listen is off, there is nothing to redirect to")
	f.when(c.Redirect && c.redirect.off, "--redirect and --redirect-listen off: leave out both")
	var err error
	if c.proxies, err = web.ParseProxyRules(c.Proxy); err != nil {
		f.add(fmt.Errorf("--proxy: %w", err))
	}
	f.add(c.checkCompression())
	return f.err()
}

func (c *config) checkCompression() error {
	c.compression = defaultCompressionCache << 20
	if c.memory > 0 {
		c.compression = min(c.compression, c.memory/16)
	}
	n := c.CompressionCache
	if n == nil {
		return nil
	}
	var f faults
	most := int64(1 << 40)
	if c.memory > 0 {
		most = c.memory / 4
	}
	f.when(*n < 0, "--compression-cache %d is negative: 0 compresses nothing", *n)
	f.when(*n > 1<<20 || int64(*n)<<20 > most, "--compression-cache %d: more than a quarter of --memory-limit", *n)
	if len(f) == 0 {
		c.compression = int64(*n) << 20
	}
	return f.err()
}

// checkSecrets makes sure that no key lies among the files that are served: the gateway could read them, so everybody
// could.
func (c *config) checkSecrets() error {
	if c.Wwwroot == "" {
		return nil
	}
	var f faults
	for _, secret := range []struct{ flag, path string }{
		{"--cache", c.Cache}, {"--tls-key", c.TLSKey},
		{"--admin-token-file", c.AdminTokenFile}, {"--key-file", c.KeyFile}, {"--v1-key-file", c.V1KeyFile}, {"--v2-key-file", c.V2KeyFile},
		{"--upstream-key-file", c.UpstreamKeyFile}, {"--admin-token-file", c.AdminTokenFile}, {"--config", c.Config},
	} {
		f.when(secret.path != "" && within(secret.path, c.Wwwroot),
			"%s %s is in --wwwroot, keys would be served to everybody: move it out", secret.flag, secret.path)
	}
	return f.err()
}

// within reports whether path is in dir, through symbolic links too.
func within(path, dir string) bool {
	rel, err := filepath.Rel(real(dir), real(path))
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// real is path without symbolic links, as far as it exists.
func real(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	for at, rest := path, ""; ; at, rest = filepath.Dir(at), filepath.Join(filepath.Base(at), rest) {
		if found, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(found, rest)
		}
		if at == filepath.Dir(at) {
			return path
		}
	}
}

// newSite makes the site that the flags ask for; nil: they ask for none.
func (d *daemon) newSite(c *config) (*web.Site, error) {
	if !c.hasSite() {
		return nil, nil
	}
	site, err := web.NewSite(web.SiteConfig{
		Root: c.Wwwroot, Domains: c.Domains, CacheBytes: c.compression, CrossOrigin: c.CORS, Proxies: c.proxies, Logger: d.log,
		SchemeIsTold: true,
	})
	if err != nil {
		return nil, usage("--wwwroot: %w", err)
	}
	return site, nil
}

// protocols are what --v2-listen negotiates: HTTP/2 is for pages alone.
func (c *config) protocols() []string {
	if c.hasPages() {
		return []string{"h2", "http/1.1"}
	}
	return []string{"http/1.1"}
}

// redirect has those who come by --redirect-listen redirected to --v2-listen. A name that an ACME authority has proved by
// TLS is reached on port 443, wherever that is forwarded to. Certificates that have been started are asked only where
// they have nothing to say here.
func (d *daemon) redirect(fresh bool) {
	if !d.conf.Redirect || !fresh && len(d.conf.Domains) > 0 {
		return
	}
	port := 443
	secure := func(e endpoint) bool { return e.flag == "--v2-listen" }
	if i := slices.IndexFunc(d.open, secure); i >= 0 && len(d.conf.Domains) == 0 {
		port = d.open[i].port()
	}
	handler := d.certs.current.Load().HTTPHandler(web.Redirect(d.conf.Domains, port))
	d.redirection.Store(&handler)
}

// serveRedirect serves a listener of --redirect-listen.
func (d *daemon) serveRedirect(l net.Listener) error {
	return d.gw.ServeSite(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		(*d.redirection.Load()).ServeHTTP(w, r)
	}))
}
