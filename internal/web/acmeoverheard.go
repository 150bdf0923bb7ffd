package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
)

// maxACMEAnswer bounds what an authority answers; a chain has a few KiB.
const maxACMEAnswer = 1 << 20

var errClosed = errors.New("these certificates have been replaced")

// overheard returns a client that works as base does until ctx ends, and logs why the authority refuses: the manager
// keeps to itself why it could not prove a name, and why it could not renew. A nil base is http.DefaultClient.
func overheard(ctx context.Context, base *http.Client, log *slog.Logger) *http.Client {
	if base == nil {
		base = http.DefaultClient
	}
	client := *base
	if client.Transport == nil {
		client.Transport = http.DefaultTransport
	}
	client.Transport = &listener{until: ctx, base: client.Transport, log: log, failed: make(map[string]string)}
	return &client
}

// listener hears what an authority says.
type listener struct {
	until context.Context
	base  http.RoundTripper
	log   *slog.Logger

	mu     sync.Mutex
	failed map[string]string // the address of each domain's last failed authorization; the manager looks at it again
}

// RoundTrip sends a request and reads the whole answer, so that no connection outlives the certificates.
func (l *listener) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.until.Err() != nil {
		return nil, errClosed
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(l.until, cancel)()
	answer, err := l.base.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxACMEAnswer))
	_ = answer.Body.Close()
	if err != nil {
		return nil, err
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	l.hear(r.URL.String(), answer, body)
	return answer, nil
}

// problem is why an authority refuses (RFC 7807, RFC 8555, 6.7).
type problem struct{ Type, Detail string }

// hear logs what went wrong. Of the body it takes a refusal's reason, and that of a failed authorization (RFC 8555, 7.1.4).
func (l *listener) hear(url string, answer *http.Response, body []byte) {
	var said struct {
		problem
		Identifier struct{ Value string }
		Challenges []struct {
			Type  string
			Error *problem
		}
	}
	if json.Unmarshal(body, &said) != nil && answer.StatusCode < 400 {
		return // a chain
	}
	if answer.StatusCode >= 400 {
		if !strings.HasSuffix(strings.ToLower(said.Type), ":badnonce") { // an ordinary part of the protocol
			l.log.Warn("the ACME authority refuses", "url", url, "status", answer.StatusCode, "type", said.Type, "why", said.Detail)
		}
		return
	}
	name := said.Identifier.Value
	for _, c := range said.Challenges {
		if c.Error != nil && l.isNews(name, url) {
			l.log.Warn("the ACME authority could not prove the name",
				"domain", name, "by", c.Type, "type", c.Error.Type, "why", c.Error.Detail)
		}
	}
}

// isNews reports whether the failed authorization of a name has not been seen before.
func (l *listener) isNews(name, url string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.failed[name] == url
	l.failed[name] = url
	return !seen
}
