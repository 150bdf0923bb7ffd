package web

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/acme"
)

// obtained starts a gateway's certificates for two domains against ca and returns the listener's address.
func obtained(t *testing.T, ca *fakeCA, cache string) (addr string, log *journal) {
	t.Helper()
	log = new(journal)
	certs, err := NewACME(ACMEConfig{
		Domains:   []string{"Mles.example", "chat.mles.example"},
		Email:     "ops@mles.example",
		Cache:     cache,
		Directory: ca.directory(),
		Client:    ca.client(),
		Logger:    log.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { certs.Close() })
	addr = listen(t, certs.TLSConfig("http/1.1"))
	ca.reach(addr)
	certs.Start()
	return addr, log
}

func visit(t *testing.T, addr, name string, roots *x509.CertPool) (tls.ConnectionState, error) {
	return handshake(t, addr, &tls.Config{ServerName: name, RootCAs: roots, NextProtos: []string{"http/1.1"}})
}

// The gateway starts, proves both names on the port that clients use, and shows each its own certificate; after a
// restart it shows the same ones without asking the authority.
func TestCertificatesAreObtainedAndKept(t *testing.T) {
	ca := newFakeCA(t)
	cache := t.TempDir()
	addr, log := obtained(t, ca, cache)
	eventually(t, "both certificates are there", func() bool { return log.count("certificate ready") == 2 })
	for _, name := range []string{"mles.example", "MLES.example", "chat.mles.example"} {
		state, err := visit(t, addr, name, ca.roots())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if state.NegotiatedProtocol != "http/1.1" {
			t.Errorf("%s: protocol %q", name, state.NegotiatedProtocol)
		}
	}
	if ca.email() != "mailto:ops@mles.example" {
		t.Errorf("the account's contact is %q", ca.email())
	}
	if n := ca.issued(); n != 2 {
		t.Errorf("%d certificates were issued", n)
	}

	again, log := obtained(t, ca, cache)
	eventually(t, "both are read", func() bool { return log.count("certificate ready") == 2 })
	if _, err := visit(t, again, "mles.example", ca.roots()); err != nil {
		t.Error(err)
	}
	if n := ca.issued(); n != 2 {
		t.Errorf("%d certificates after the restart", n)
	}
	if files, _ := filepath.Glob(filepath.Join(cache, "acme", "127.0.0.1_*", "mles.example")); len(files) != 1 {
		t.Error("the certificate is not in the folder of its directory")
	}
}

// A client that names no host, as one that connects to an address does, gets the first domain's certificate.
func TestNoNameGetsTheFirstDomain(t *testing.T) {
	ca := newFakeCA(t)
	addr, log := obtained(t, ca, t.TempDir())
	eventually(t, "both certificates are there", func() bool { return log.count("certificate ready") == 2 })
	state, err := handshake(t, addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := state.PeerCertificates[0].VerifyHostname("mles.example"); err != nil {
		t.Error(err)
	}
}

// A scanner asks for other names: no certificate, and the authority is not bothered.
func TestOtherNamesAreRefused(t *testing.T) {
	ca := newFakeCA(t)
	addr, log := obtained(t, ca, t.TempDir())
	eventually(t, "both certificates are there", func() bool { return log.count("certificate ready") == 2 })
	for _, name := range []string{"www.mles.example", "evil.example", "localhost", "xn--nonsense-.example"} {
		if _, err := visit(t, addr, name, ca.roots()); err == nil {
			t.Errorf("%s got a certificate", name)
		}
	}
	if n := ca.issued(); n != 2 {
		t.Errorf("%d certificates were issued", n)
	}
}

// The authority cannot be reached: that is logged, and closing does not wait for the next try.
func TestAuthorityThatIsDown(t *testing.T) {
	ca := newFakeCA(t)
	ca.close()
	_, log := obtained(t, ca, t.TempDir())
	eventually(t, "the failure is logged", func() bool { return log.count("no certificate yet") == 2 })
}

func TestUnusableACMEConfigs(t *testing.T) {
	for _, c := range []struct{ domain, directory, want string }{
		{"localhost", "", "no dot"},
		{"*.mles.example", "", "wildcard"},
		{"https://mles.example", "", "no host name"},
		{"mles.example:443", "", "no host name"},
		{"192.0.2.1", "", "no host name"},
		{"2001:db8::1", "", "no host name"},
		{"mles..example", "", "no host name"},
		{"", "", "no host name"},
		{"mles.example", "http://ca.example/dir", "no https://"},
		{"mles.example", "ca.example", "no https://"},
	} {
		certs, err := NewACME(ACMEConfig{Domains: []string{c.domain}, Directory: c.directory, Cache: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q with %q: %v, want one that says %q", c.domain, c.directory, err, c.want)
		}
		if err == nil {
			certs.Close()
		}
	}
}

// The real directory and the one for trying keep apart what they issued.
func TestDirectoriesDoNotShareACache(t *testing.T) {
	cache := t.TempDir()
	for _, directory := range []string{"", LetsEncryptStaging} {
		certs, err := NewACME(ACMEConfig{Domains: []string{"mles.example"}, Cache: cache, Directory: directory})
		if err != nil {
			t.Fatal(err)
		}
		certs.Close()
		if p := certs.TLSConfig("http/1.1").NextProtos; len(p) != 2 || p[1] != acme.ALPNProto {
			t.Errorf("protocols %v", p)
		}
	}
	if dirs, _ := filepath.Glob(filepath.Join(cache, "acme", "*")); len(dirs) != 2 {
		t.Errorf("folders %v", dirs)
	}
}

// An authority that proves names over HTTP finds the answer on the listener that redirects all others.
func TestProvedOverHTTP(t *testing.T) {
	ca := newFakeCA(t)
	ca.http01 = true
	log := new(journal)
	certs, err := NewACME(ACMEConfig{
		Domains: []string{"mles.example", "chat.mles.example"}, Cache: t.TempDir(), Directory: ca.directory(), Client: ca.client(), Logger: log.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer certs.Close()
	srv := httptest.NewServer(certs.HTTPHandler(Redirect([]string{"mles.example"}, 443)))
	defer srv.Close()
	ca.reach(strings.TrimPrefix(srv.URL, "http://"))
	certs.Start()
	eventually(t, "both certificates are there", func() bool { return log.count("certificate ready") == 2 })
	v := visitor{T: t, srv: srv}
	if got := v.gets("mles.example", "/x"); got.status != 301 || got.Get("Location") != "https://mles.example/x" {
		t.Errorf("a browser gets %d to %s", got.status, got.Get("Location"))
	}
	if got := v.gets("mles.example", "/.well-known/acme-challenge/stolen"); got.status != 404 {
		t.Errorf("an unknown token gets %d %s", got.status, got.body)
	}
	if got := new(Certificates).HTTPHandler(nil); got != nil {
		t.Error("without an authority something is answered")
	}
}
