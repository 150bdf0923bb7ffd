package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mles/bridge"
	"mles/internal/logs"
	"mles/internal/web"
)

// logStart says what runs and where; keys are only counted.
func (d *daemon) logStart(endpoints []endpoint) {
	c := d.conf
	for _, warning := range c.allWarnings() {
		d.log.Warn(warning)
	}
	d.tellElsewhere()
	v1Auth, v2Auth := "address key", "none"
	switch {
	case len(c.keys.v1.keys) > 0 && c.V1AddressKeys:
		v1Auth = "shared key or address key"
	case len(c.keys.v1.keys) > 0:
		v1Auth = "shared key"
	}
	if len(c.keys.v2.keys) > 0 {
		v2Auth = "shared key"
	}
	history := bridge.DefaultHistoryLimit
	if c.HistoryLimit != nil {
		history = *c.HistoryLimit
	}
	d.log.Info("mlesd starts", "version", version(),
		"v1_auth", v1Auth, "v1_keys", len(c.keys.v1.keys), "v2_auth", v2Auth, "v2_keys", len(c.keys.v2.keys),
		"v1_channels", []string(c.V1Channels), "v2_channels", []string(c.V2Channels), "v1_read_only", c.V1ReadOnly, "origins", c.Origins,
		"v1_websocket", c.V1WebSocket, "webproxy_mask", c.WebproxyMask, "v2_joins", c.V2Joins, "history_limit", history, "memory_limit", c.memory,
		"max_connections", d.gw.Stats().MaxConnections, "drain_time", c.DrainTime.String())
	for _, up := range c.upstreams {
		d.log.Info("upstream", "url", up.URL, "held_channels", len(up.Hold))
	}
	if c.hasSite() {
		d.log.Info("site", "wwwroot", c.Wwwroot, "domains", c.Domains, "proxies", len(c.proxies), "cors", c.CORS,
			"compression_cache", c.compression)
	}
	if c.Chat {
		d.log.Info("chat page", "path", "/chat")
	}
	for _, e := range endpoints {
		d.log.Info("listening", "flag", e.flag, "addr", e.Addr().String(), "tls", e.tls, "passed", len(c.sockets[e.flag]) > 0)
	}
	d.warnOfCertificates(at443(endpoints))
}

// at443 reports whether --v2-listen is open on port 443.
func at443(endpoints []endpoint) bool {
	return slices.ContainsFunc(endpoints, func(e endpoint) bool { return e.flag == "--v2-listen" && e.port() == 443 })
}

// warnOfCertificates says when clients will not be able to use the certificate. at443 is whether an ACME authority finds
// us.
func (d *daemon) warnOfCertificates(at443 bool) {
	if len(d.conf.Domains) > 0 && !at443 {
		d.log.Warn("the ACME authority connects to port 443 of each domain: forward it to --v2-listen")
	}
	for flag, addr := range d.conf.listeners() {
		secure := flag == "--v2-listen" || flag == "--v1-tls-listen"
		if secure && d.conf.selfSigned() && !addr.loopback() {
			d.log.Warn("the certificate is for localhost only: --domains or --tls-cert is for clients elsewhere", "flag", flag)
		}
	}
}

// selfSigned reports whether the certificate is mlesd's own.
func (c *config) selfSigned() bool { return c.usesTLS() && len(c.Domains) == 0 && c.TLSCert == "" }

// greet tells somebody who tries mlesd out how to chat through it: when both dialects are served with mlesd's own
// certificate, and the log is for people. A deployment has another certificate, or none.
func (d *daemon) greet(endpoints []endpoint) {
	v1, v2 := d.clientAddr("--v1-listen", d.conf.v1, endpoints), d.clientAddr("--v2-listen", d.conf.v2, endpoints)
	if v1 == "" || v2 == "" || !d.conf.selfSigned() || d.conf.logFormat(os.Stderr) != logs.Text {
		return
	}
	var trust string
	switch {
	case d.conf.Cache == "":
		trust = " --insecure"
	case d.conf.cacheGiven && os.Getenv("MLESD_CACHE") == "": // which mlesctl reads, too
		trust = " --ca " + shellQuote(filepath.Join(d.conf.Cache, web.SelfSignedCert))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "mlesd serves v1 and v2 on the same channels. Paste each line into a terminal of its own:\n\n")
	fmt.Fprintf(&b, "  %s chat v1://%s hall --uid alice\n", toolName(), v1)
	fmt.Fprintf(&b, "  %s chat wss://%s hall --uid bob%s\n\n", toolName(), v2, trust)
	if admin := d.clientAddr("--admin-listen", d.conf.admin, endpoints); admin != "" {
		scheme := "http"
		if d.conf.AdminTLS {
			scheme = "https"
		}
		fmt.Fprintf(&b, "Or open %s://%s/chat in a browser.\n\n", scheme, admin)
	}
	if len(d.conf.keys.v1.keys)+len(d.conf.keys.v2.keys) > 0 {
		fmt.Fprintf(&b, "They need the shared key: give them MLES_KEY or --key-file.\n\n")
	}
	_, _ = d.stdout.Write([]byte(b.String()))
}

// clientAddr is how a client on this machine writes the address of the listener that flag opened; "" if there is none.
func (d *daemon) clientAddr(flag string, a address, endpoints []endpoint) string {
	i := slices.IndexFunc(endpoints, func(e endpoint) bool { return e.flag == flag })
	if i < 0 {
		return ""
	}
	host := a.host
	if a.wildcard() || host == "0.0.0.0" {
		host = "localhost"
	}
	return net.JoinHostPort(host, strconv.Itoa(endpoints[i].port()))
}

// toolName is how mlesctl is started where mlesd was started so.
func toolName() string {
	if exe, err := os.Executable(); err == nil && startedByGoRun(exe) {
		return "go run ./cmd/mlesctl"
	}
	return "mlesctl"
}

// goRunFolder is where go run puts what it builds: a work folder go-build123, or the build cache, whose folder may have
// any name but keeps executables in HASH-d.
var goRunFolder = regexp.MustCompile(`[/\\](go-build[0-9]*|[0-9a-f]{64}-d)[/\\]`)

func startedByGoRun(exe string) bool { return goRunFolder.MatchString(exe) }

// shellQuote quotes s for a shell where it holds anything a shell might touch.
func shellQuote(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
