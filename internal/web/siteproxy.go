package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ProxyRule says that another server answers for a part of a site.
type ProxyRule struct {
	// Prefix is the path of that part: /Prefix and everything below it. It is taken off before the request is passed on.
	Prefix string
	// Target is where to: http or https, a host, and perhaps a path to put in Prefix's place.
	Target *url.URL
}

// ParseProxyRule reads prefix=URL, as the reference's --proxy has it. What is wrong with a URL is said without the URL,
// which might hold a password.
func ParseProxyRule(s string) (ProxyRule, error) {
	prefix, target, ok := strings.Cut(s, "=")
	prefix = strings.Trim(prefix, "/")
	if !ok || prefix == "" {
		return ProxyRule{}, errors.New("want prefix=http://host:port")
	}
	if strings.ContainsAny(prefix, "?#%\\\x00 ") || hasDots("/"+prefix) || strings.Contains(prefix, "//") {
		return ProxyRule{}, fmt.Errorf("prefix %q is no path", prefix)
	}
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return ProxyRule{}, fmt.Errorf("prefix %q: its address is not http://host:port or https://host:port", prefix)
	case u.User != nil:
		return ProxyRule{}, fmt.Errorf("prefix %q: its address holds a user or password, which is not passed on", prefix)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return ProxyRule{}, fmt.Errorf("prefix %q: its address may have a path, but nothing after that", prefix)
	}
	return ProxyRule{Prefix: prefix, Target: u}, nil
}

// ParseProxyRules reads several, of which no two may have the same prefix.
func ParseProxyRules(texts []string) ([]ProxyRule, error) {
	var rules []ProxyRule
	for _, text := range texts {
		rule, err := ParseProxyRule(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rules, func(r ProxyRule) bool { return r.Prefix == rule.Prefix }) {
			return nil, fmt.Errorf("prefix %q is given twice", rule.Prefix)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// proxy is a rule at work.
type proxy struct {
	httputil.ReverseProxy
	prefix       string // with its slash
	schemeIsTold bool
	transport    *http.Transport
}

// dialTime is how long a server behind the site may take to be connected to.
const dialTime = 10 * time.Second

// newProxies returns what serves the rules, longest prefix first.
func newProxies(conf SiteConfig, log *slog.Logger) []*proxy {
	var proxies []*proxy
	for _, rule := range conf.Proxies {
		p := &proxy{prefix: "/" + rule.Prefix, schemeIsTold: conf.SchemeIsTold, transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: dialTime}).DialContext,
			TLSHandshakeTimeout:   dialTime,
			ExpectContinueTimeout: time.Second,
			IdleConnTimeout:       time.Minute,
			MaxIdleConnsPerHost:   32,
			DisableCompression:    true, // it passes as it is
			ForceAttemptHTTP2:     true,
		}}
		p.ReverseProxy = httputil.ReverseProxy{
			Transport:    p.transport,
			Rewrite:      func(r *httputil.ProxyRequest) { p.rewrite(r, rule.Target) },
			ErrorLog:     slog.NewLogLogger(log.Handler(), slog.LevelDebug),
			ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { p.failed(w, r, err, log) },
		}
		proxies = append(proxies, p)
	}
	slices.SortFunc(proxies, func(a, b *proxy) int { return len(b.prefix) - len(a.prefix) })
	return proxies
}

// proxied returns what answers a request in the site's place, or nil.
func (s *Site) proxied(r *http.Request) *proxy {
	for _, p := range s.proxies {
		if rest, ok := strings.CutPrefix(r.URL.Path, p.prefix); ok && (rest == "" || rest[0] == '/') {
			return p
		}
	}
	return nil
}

// ServeHTTP implements [http.Handler].
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Dots would lead out of the target's path; and where the prefix is spelled with escapes it cannot be taken off what
	// is passed on as it was spelled. No browser sends either.
	if hasDots(r.URL.Path) || r.URL.RawPath != "" && !strings.HasPrefix(r.URL.RawPath, p.prefix) {
		refuse(w, http.StatusBadRequest)
		return
	}
	p.ReverseProxy.ServeHTTP(w, r)
}

// rewrite makes of a request the one that is passed on: to the target, whose name is the Host, with its query as it was
// and the client's address, Host and scheme in X-Forwarded-For, -Host and -Proto. What a client says there itself is not
// passed on, nor is it in X-Real-IP: it could say anything. A proxy in front of the gateway can say by which scheme it was asked itself.
func (p *proxy) rewrite(r *httputil.ProxyRequest, target *url.URL) {
	r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, p.prefix)
	r.Out.URL.RawPath = strings.TrimPrefix(r.Out.URL.RawPath, p.prefix)
	r.SetURL(target)
	r.Out.URL.RawQuery = r.In.URL.RawQuery
	r.SetXForwarded()
	if r.In.Header["X-Real-Ip"] != nil { // which many servers believe
		r.Out.Header.Set("X-Real-Ip", r.Out.Header.Get("X-Forwarded-For"))
	}
	if scheme := r.In.Header.Get("X-Forwarded-Proto"); p.schemeIsTold && (scheme == "http" || scheme == "https") {
		r.Out.Header.Set("X-Forwarded-Proto", scheme)
	}
}

// failed answers for a server that cannot be reached, or that ended in the middle of its header.
func (p *proxy) failed(w http.ResponseWriter, r *http.Request, err error, log *slog.Logger) {
	if r.Context().Err() != nil { // the client has gone
		log.Debug("a request ended before it was answered", "prefix", p.prefix, "err", err)
		return
	}
	if errors.Is(err, errStalled) {
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusRequestTimeout)
		return
	}
	status := http.StatusBadGateway
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		status = http.StatusGatewayTimeout
	}
	log.Warn("a server behind the site does not answer", "flag", "--proxy", "prefix", p.prefix, "err", err)
	refuse(w, status)
}

// hasDots reports whether a decoded path has a part that is . or .., for a system with either kind of slash.
func hasDots(p string) bool {
	for part := range strings.FieldsFuncSeq(p, func(r rune) bool { return r == '/' || r == '\\' }) {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}
