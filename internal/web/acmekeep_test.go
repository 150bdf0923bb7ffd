package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

func clientOf(name string) *tls.Config {
	return &tls.Config{ServerName: name, InsecureSkipVerify: true}
}

// ordered counts what was ordered.
func (ca *fakeCA) ordered() int {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	return len(ca.orders)
}

// The authority cannot prove the names: however many clients ask for them, it is not asked again before its time, and
// no client waits.
func TestClientsCauseNoTries(t *testing.T) {
	ca := newFakeCA(t)
	log := new(journal)
	certs, err := NewACME(ACMEConfig{
		Domains: []string{"mles.example"}, Cache: t.TempDir(), Directory: ca.directory(), Client: ca.client(), Logger: log.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer certs.Close()
	addr := listen(t, certs.TLSConfig("http/1.1"))
	certs.Start() // ca knows no address to reach
	eventually(t, "the failure is logged", func() bool { return log.count("no certificate yet") == 1 })
	if log.count("the ACME authority refuses") == 0 {
		t.Error("the authority's reason is not logged")
	}
	orders := ca.ordered()
	for range 20 {
		if _, err := visit(t, addr, "mles.example", nil); err == nil {
			t.Fatal("there is a certificate")
		}
	}
	if n := ca.ordered() - orders; n != 0 {
		t.Errorf("clients caused %d orders", n)
	}
}

// An authority that names a time is left alone for so long.
func TestTimeThatTheAuthorityAsksFor(t *testing.T) {
	limited := func(after string) error {
		refusal := &acme.Error{ProblemType: "urn:ietf:params:acme:error:rateLimited", Header: http.Header{"Retry-After": {after}}}
		return fmt.Errorf("wrapped: %w", refusal)
	}
	for _, c := range []struct {
		err  error
		want time.Duration
	}{
		{limited("86400"), 24 * time.Hour}, {limited("1"), time.Minute}, {limited("nonsense"), time.Minute},
		{&acme.Error{StatusCode: 403}, time.Minute}, {io.EOF, time.Minute},
	} {
		if got := atLeastAsked(time.Minute, c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

// A name that is not ASCII is given as people write it, and asked for as clients do.
func TestInternationalName(t *testing.T) {
	ca := newFakeCA(t)
	log := new(journal)
	certs, err := NewACME(ACMEConfig{
		Domains: []string{"München.example"}, Cache: t.TempDir(), Directory: ca.directory(), Client: ca.client(), Logger: log.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer certs.Close()
	addr := listen(t, certs.TLSConfig("http/1.1"))
	ca.reach(addr)
	certs.Start()
	eventually(t, "the certificate is there", func() bool { return log.count("certificate ready") == 1 })
	if _, err := visit(t, addr, "xn--mnchen-3ya.example", ca.roots()); err != nil {
		t.Error(err)
	}
}

// fullDisk is a cache that keeps nothing.
type fullDisk struct{ autocert.Cache }

func (fullDisk) Put(context.Context, string, []byte) error { return errors.New("no space left") }

// A certificate that cannot be kept is told; tokens and accounts are not certificates.
func TestCertificateThatIsNotKept(t *testing.T) {
	log := new(journal)
	c := &loggedCache{Cache: fullDisk{}, of: map[string]*domain{"mles.example": new(domain)}, log: log.logger()}
	for _, key := range []string{"mles.example", "mles.example+token", "acme_account+key"} {
		if err := c.Put(t.Context(), key, nil); err == nil {
			t.Errorf("%s: kept", key)
		}
	}
	if n := log.count("cannot be kept"); n != 1 {
		t.Errorf("%d complaints", n)
	}
}

// When certificates are replaced, the authority hears nothing more on behalf of the old ones: a request that is under
// way ends, and there is no other.
func TestNoRequestsOnceClosed(t *testing.T) {
	arrived := make(chan struct{})
	srv := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	defer srv.Close()
	ctx, replace := context.WithCancel(t.Context())
	client := overheard(ctx, srv.Client(), new(journal).logger())
	ended := make(chan error)
	go func() {
		_, err := client.Get(srv.URL)
		ended <- err
	}()
	<-arrived
	replace()
	if err := <-ended; err == nil {
		t.Error("the request under way went on")
	}
	if _, err := client.Get(srv.URL); !errors.Is(err, errClosed) {
		t.Errorf("the next one: %v", err)
	}
}

// What the authority says is passed on whole; its reasons are logged, a bad nonce is none, and a failed authorization
// is told once.
func TestOverheard(t *testing.T) {
	answers := map[string]struct {
		status int
		body   string
	}{
		"/refused":  {403, `{"type":"urn:ietf:params:acme:error:unauthorized","detail":"go away","status":403}`},
		"/nonce":    {400, `{"type":"urn:ietf:params:acme:error:badNonce","detail":"again"}`},
		"/page":     {502, "<html>bad gateway</html>"},
		"/chain":    {200, "-----BEGIN CERTIFICATE-----"},
		"/authz":    {200, `{"status":"invalid","identifier":{"type":"dns","value":"mles.example"},"challenges":[{"type":"tls-alpn-01","error":{"type":"t","detail":"closed door"}}]}`},
		"/authz-ok": {200, `{"status":"valid","identifier":{"type":"dns","value":"mles.example"},"challenges":[{"type":"tls-alpn-01","status":"valid"}]}`},
	}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(answers[r.URL.Path].status)
		_, _ = io.WriteString(w, answers[r.URL.Path].body)
	}))
	defer srv.Close()
	log := new(journal)
	client := overheard(t.Context(), srv.Client(), log.logger())
	for range 2 {
		for path, want := range answers {
			answer, err := client.Get(srv.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != want.status || !bytes.Equal(body, []byte(want.body)) {
				t.Errorf("%s: %d %q, %v", path, answer.StatusCode, body, err)
			}
		}
	}
	for text, want := range map[string]int{"go away": 2, "badNonce": 0, "status=502": 2, "closed door": 1, "level=WARN": 5} {
		if n := log.count(text); n != want {
			t.Errorf("%q is logged %d times, want %d", text, n, want)
		}
	}
}
