package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	adminPatience = 10 * time.Second // for an answer
	maxAnswer     = 256 << 20
)

// adminAnswer is what a gateway's admin listener said.
type adminAnswer struct {
	host, path string // that were asked
	status     int    // of HTTP
	text       string // the same in words
	body       []byte
}

// askAdmin asks the admin listener at host and port, with http:// or without.
func askAdmin(ctx context.Context, method, admin, path string, q url.Values) (*adminAnswer, error) {
	host := strings.TrimSuffix(strings.TrimPrefix(admin, "http://"), "/")
	if _, _, err := net.SplitHostPort(host); err != nil {
		return nil, usage("--admin %q is not HOST:PORT", admin)
	}
	u := url.URL{Scheme: "http", Host: host, Path: path, RawQuery: q.Encode()}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, usage("--admin %q: %w", admin, err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: adminPatience}
	answer, err := client.Do(r)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, unreachable("no gateway answers at %s: %w; its --admin-listen is what --admin must name", host, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return nil, unreachable("the answer of %s: %w", host, err)
	}
	return &adminAnswer{host, path, answer.StatusCode, answer.Status, body}, nil
}

// notKnown is the error for an answer that no gateway gives.
func (a *adminAnswer) notKnown() error {
	return unreachable("what answers at %s is no gateway that knows %s: %s", a.host, a.path, a.text)
}
