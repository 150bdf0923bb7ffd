package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"mles/internal/admin"
)

const (
	adminPatience = 10 * time.Second // for an answer
	maxAnswer     = 256 << 20
)

// packagedCache is the --cache folder of a gateway that was installed as a package, which root can read.
const packagedCache = "/var/lib/mlesd"

// adminFlags say which gateway is asked, and by whom. Commands that ask one embed them.
type adminFlags struct {
	Admin          string `default:"localhost:9077" placeholder:"HOST:PORT" env:"MLESCTL_ADMIN" help:"The gateway's --admin-listen, with https:// before it for --admin-tls (default: ${default})."`
	AdminTokenFile string `name:"admin-token-file" env:"MLES_ADMIN_TOKEN_FILE" placeholder:"FILE" help:"The gateway's token, as in its own --admin-token-file (default: the one in --cache or in /var/lib/mlesd, for a gateway on this machine)."`
	trust
}

// adminQuestion is a request to the admin listener.
type adminQuestion struct {
	method string // "": GET
	path   string
	query  url.Values
	body   io.Reader // nil: none
}

// adminAnswer is what a gateway's admin listener said.
type adminAnswer struct {
	host, path string // that were asked
	status     int    // of HTTP
	text       string // the same in words
	body       []byte
}

// ask asks the admin listener, with http:// before its name or without. An answer that the token is wrong or missing is
// an error.
func (f *adminFlags) ask(ctx context.Context, q adminQuestion) (*adminAnswer, error) {
	scheme, host, found := strings.Cut(strings.TrimSuffix(f.Admin, "/"), "://")
	if !found {
		scheme, host = "http", scheme
	}
	if _, _, err := net.SplitHostPort(host); err != nil || scheme != "http" && scheme != "https" {
		return nil, usage("--admin %q is not HOST:PORT", f.Admin)
	}
	u := url.URL{Scheme: scheme, Host: host, Path: q.path, RawQuery: q.query.Encode()}
	r, err := http.NewRequestWithContext(ctx, cmp.Or(q.method, http.MethodGet), u.String(), q.body)
	if err != nil {
		return nil, usage("--admin %q: %w", f.Admin, err)
	}
	token, err := f.token(u.Hostname())
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	secure, err := f.config(address{scheme: map[string]string{"http": "ws", "https": "wss"}[scheme], host: u.Hostname()})
	if err != nil {
		return nil, err
	}
	client := http.Client{
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: secure}, Timeout: adminPatience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // no gateway does
	}
	answer, err := client.Do(r)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, unreachable("no gateway answers at %s: %w; its --admin-listen is what --admin must name%s", host, err, certificateHint(err))
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, unreachable("the answer of %s: %w", host, err)
	}
	a := &adminAnswer{host, q.path, answer.StatusCode, answer.Status, body}
	return a, a.refusal()
}

// token is what is sent to a host; "": none. One that was found, and not given, goes to nobody but this machine.
func (f *adminFlags) token(host string) (string, error) {
	if f.AdminTokenFile != "" {
		s, err := admin.ReadToken(f.AdminTokenFile)
		if err != nil {
			return "", usage("--admin-token-file: %w", err)
		}
		return s.Value, nil
	}
	addr, err := netip.ParseAddr(host)
	if host != "localhost" && (err != nil || !addr.IsLoopback()) {
		return "", nil
	}
	caches := []string{f.cacheDir()}
	if f.Cache == "" {
		caches = append(caches, packagedCache)
	}
	for _, dir := range caches {
		if s, err := admin.ReadToken(filepath.Join(dir, admin.TokenFile)); err == nil {
			return s.Value, nil
		}
	}
	return "", nil // it may not be needed
}

// refusal is the error for an answer to a token that is missing or wrong.
func (a *adminAnswer) refusal() error {
	switch a.status {
	case http.StatusUnauthorized, http.StatusTooManyRequests:
		return refused("the gateway at %s refuses: %s (--admin-token-file)", a.host, a.said())
	case http.StatusForbidden:
		return refused("the gateway at %s refuses: %s", a.host, a.said())
	}
	return nil
}

// act asks for something to be done, and reads the answer into doc.
func (f *adminFlags) act(ctx context.Context, q adminQuestion, doc any) error {
	answer, err := f.ask(ctx, q)
	if err != nil {
		return err
	}
	if err := answer.fault(); err != nil {
		return err
	}
	if err := json.Unmarshal(answer.body, doc); err != nil {
		return answer.notKnown()
	}
	return nil
}

// fault is the error for an answer that nothing has been done.
func (a *adminAnswer) fault() error {
	said := a.said()
	switch {
	case a.status == http.StatusOK:
		return nil
	case a.status == http.StatusBadRequest:
		return usage("the gateway refuses: %s", said)
	case a.status == http.StatusNotFound && strings.HasPrefix(said, "channel "):
		return unsatisfied("%s", said)
	case a.status == http.StatusServiceUnavailable:
		return unsatisfied("%s", cmp.Or(said, a.text))
	}
	return a.notKnown()
}

// said is an answer in words, fit for a terminal.
func (a *adminAnswer) said() string { return harmless(bytes.TrimSpace(a.body)) }

// notKnown is the error for an answer that no gateway gives.
func (a *adminAnswer) notKnown() error {
	return unreachable("what answers at %s is no gateway that knows %s: %s", a.host, a.path, a.text)
}
