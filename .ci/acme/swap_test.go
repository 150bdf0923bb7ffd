package acme

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Two older servers left certificates in the folder. They are shown from the first moment, with the authority away;
// when it comes, its own take their place. One that has expired is not shown.
func TestSwapFromOlderServers(t *testing.T) {
	at := newPlace(t)
	cache := filepath.Join(at.dir, "old")
	if err := os.Mkdir(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	old := x509.NewCertPool()
	left := func(life time.Duration, name string) (cert, key []byte) {
		cert, key = at.selfSigned(life, &x509.Certificate{DNSNames: []string{name}})
		old.AppendCertsFromPEM(cert)
		return cert, key
	}
	// mles 2.9.4: key, then chain, in a file named after all domains as they were given and the directory.
	cert, key := left(time.Hour, "mles.example")
	hash := sha256.Sum256([]byte("mles.example\x00web.example\x00gone.example\x00https://acme-v02.api.letsencrypt.org/directory"))
	at.write(filepath.Join(cache, "cached_cert_"+base64.RawURLEncoding.EncodeToString(hash[:])), append(key, cert...))
	// mles-webproxy.
	cert, key = left(time.Hour, "web.example")
	at.write(filepath.Join(cache, "web.example.pem"), cert)
	at.write(filepath.Join(cache, "web.example.key"), key)
	cert, key = left(-time.Minute, "gone.example")
	at.write(filepath.Join(cache, "gone.example.pem"), cert)
	at.write(filepath.Join(cache, "gone.example.key"), key)

	g := at.serve(cache, "mles.example,web.example,gone.example")
	bob := g.joinV2("bob", "mles.example", old)
	g.joinV2("carol", "web.example", old)
	if cert, err := g.shows("", nil); err != nil || cert.VerifyHostname("mles.example") != nil {
		t.Errorf("without a name: %v", err)
	}
	if _, err := g.shows("gone.example", nil); err == nil {
		t.Error("an expired certificate is shown")
	}
	for _, name := range []string{"mles.example", "web.example"} {
		g.Says(`msg="certificate of an older server`, "domain="+name)
		g.Says(`msg="no certificate yet"`, "domain="+name, "the one of an older server, until")
	}

	ca := authority{}.begin(at)
	for _, name := range []string{"mles.example", "web.example", "gone.example"} {
		eventually(t, "the authority's own for "+name, func() bool {
			_, err := g.shows(name, ca.roots())
			return err == nil
		})
	}
	g.joinV1("alice", "the same connection")
	hears(t, bob, "the same connection")
}
