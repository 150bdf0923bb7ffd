package web

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// leave puts what mles 2.9.4 keeps in a file into folder: key and chain.
func leave(t *testing.T, folder, file string, serial int64, names ...string) {
	t.Helper()
	cert, key := issue(t, serial, names...)
	write(t, filepath.Join(folder, file), append(key, cert...))
}

// shownFormer returns the serial number of what domain is shown, 0 for nothing, when nothing has been obtained.
func shownFormer(t *testing.T, conf ACMEConfig, name string) int64 {
	t.Helper()
	certs, err := NewACME(conf)
	if err != nil {
		t.Fatal(err)
	}
	defer certs.Close()
	state, err := handshake(t, listen(t, certs.TLSConfig("http/1.1")), clientOf(name))
	if err != nil {
		return 0
	}
	return state.PeerCertificates[0].SerialNumber.Int64()
}

// The name of the file, that mles 2.9.4 looks for with --domains localhost.
func TestFormerName(t *testing.T) {
	if got, want := formerName([]string{"localhost"}, LetsEncrypt), "cached_cert_VK-lYGvOoYu5HvTAehRJeelHMjtQw3LqzEhpKEb7WlM"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Of several files, that of the same domains and the real directory is shown; that of the directory for trying only
// when there is nothing else.
func TestBestOfSeveralFormers(t *testing.T) {
	cache := filepath.Join(t.TempDir(), "a [strange] folder*")
	if err := os.Mkdir(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	domains := []string{"mles.example", "chat.mles.example"}
	conf := ACMEConfig{Domains: domains, Cache: cache, Logger: new(journal).logger()}
	if got := shownFormer(t, conf, "mles.example"); got != 0 {
		t.Errorf("from an empty folder: %d", got)
	}
	leave(t, cache, "cached_cert_nonsense", 9, "other.example")
	for serial, file := range []string{
		1: formerName(domains, LetsEncryptStaging),
		2: "cached_cert_of-other-domains",
		3: formerName(domains, LetsEncrypt),
	} {
		if file == "" {
			continue
		}
		leave(t, cache, file, int64(serial), domains...)
		for _, name := range append(domains, "") {
			if got := shownFormer(t, conf, name); got != int64(serial) {
				t.Errorf("%q is shown %d, want %d", name, got, serial)
			}
		}
	}
	if got := shownFormer(t, conf, "other.example"); got != 0 {
		t.Errorf("a name that is not served is shown %d", got)
	}
}

// What an older server left half is told, and hinders nothing.
func TestBrokenFormers(t *testing.T) {
	cache := t.TempDir()
	cert, key := issue(t, 1, "mles.example")
	_, wrong := issue(t, 2, "mles.example")
	write(t, filepath.Join(cache, "mles.example.pem"), cert)
	write(t, filepath.Join(cache, "mles.example.key"), wrong)
	write(t, filepath.Join(cache, "cached_cert_cut"), key)
	write(t, filepath.Join(cache, "cached_cert_empty"), nil)
	write(t, filepath.Join(cache, "chat.mles.example.pem"), cert) // without its key
	log := new(journal)
	conf := ACMEConfig{Domains: []string{"mles.example", "chat.mles.example"}, Cache: cache, Logger: log.logger()}
	if got := shownFormer(t, conf, "mles.example"); got != 0 {
		t.Errorf("%d is shown", got)
	}
	if n := log.count("of an older server cannot be used"); n != 4 {
		t.Errorf("%d complaints", n)
	}
	if log.count("BEGIN") > 0 {
		t.Error("the log holds what was in a file")
	}
	write(t, filepath.Join(cache, "mles.example.key"), key)
	if got := shownFormer(t, conf, "mles.example"); got != 1 {
		t.Errorf("with the right key %d is shown", got)
	}
}

// mles-webproxy's keys are RSA in PKCS #1, beside the chain.
func TestFormerOfWebproxy(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(5), DNSNames: []string{"mles.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	write(t, filepath.Join(cache, "mles.example.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	write(t, filepath.Join(cache, "mles.example.key"), pem.EncodeToMemory(block))
	conf := ACMEConfig{Domains: []string{"mles.example"}, Cache: cache, Logger: new(journal).logger()}
	if got := shownFormer(t, conf, "mles.example"); got != 5 {
		t.Errorf("%d is shown", got)
	}
}

// Once the authority's own is there, the older one is not shown any more.
func TestFormerUntilThereIsAnother(t *testing.T) {
	ca := newFakeCA(t)
	cache := t.TempDir()
	leave(t, cache, "cached_cert_old", 77, "mles.example")
	addr, log := obtained(t, ca, cache)
	eventually(t, "both certificates are there", func() bool { return log.count("certificate ready") == 2 })
	if _, err := visit(t, addr, "mles.example", ca.roots()); err != nil {
		t.Error(err)
	}
	if log.count("shown until there is another") != 1 {
		t.Error("the log does not tell of the older one")
	}
}

func TestUsable(t *testing.T) {
	cert, key := issue(t, 1, "mles.example")
	p := filepath.Join(t.TempDir(), "pair")
	write(t, p, append(cert, key...))
	f := formers{log: new(journal).logger()}
	f.add(p, p, rankOther)
	leaf := f.found[0].cert.Leaf
	if err := usable(f.found[0].cert, "mles.example"); err != nil {
		t.Error(err)
	}
	for what, bad := range map[string]x509.Certificate{
		"expired":     {DNSNames: leaf.DNSNames, NotBefore: leaf.NotBefore, NotAfter: leaf.NotBefore},
		"not yet":     {DNSNames: leaf.DNSNames, NotBefore: leaf.NotAfter, NotAfter: leaf.NotAfter},
		"other names": {DNSNames: []string{"other.example"}, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter},
	} {
		changed := *f.found[0].cert
		changed.Leaf = &bad
		if usable(&changed, "mles.example") == nil {
			t.Errorf("%s: usable", what)
		}
	}
}
