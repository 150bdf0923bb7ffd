package web

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func selfSignedIn(t *testing.T, dir string) *Certificates {
	t.Helper()
	certs, err := NewSelfSigned(dir, new(journal).logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { certs.Close() })
	return certs
}

func leaf(t *testing.T, certs *Certificates) *x509.Certificate {
	t.Helper()
	cert, err := certs.get(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

// On the first run the gateway makes a certificate; a client that trusts the stored file reaches it by every local name.
func TestSelfSignedIsTrustedByItsFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mles")
	certs := selfSignedIn(t, dir)
	addr := listen(t, certs.TLSConfig("http/1.1"))

	file, err := os.ReadFile(filepath.Join(dir, SelfSignedCert))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(file) {
		t.Fatal("no certificate in the file")
	}
	for _, name := range localNames {
		state, err := handshake(t, addr, &tls.Config{RootCAs: roots, ServerName: name, NextProtos: []string{"http/1.1"}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if state.NegotiatedProtocol != "http/1.1" {
			t.Errorf("%s: protocol %q", name, state.NegotiatedProtocol)
		}
	}
	if _, err := handshake(t, addr, &tls.Config{RootCAs: roots, ServerName: "mles.example"}); err == nil {
		t.Error("the certificate fits a name that is not this machine's")
	}
	if leaf(t, certs).IsCA {
		t.Error("rustls refuses an authority as a server's own certificate")
	}
}

func TestSelfSignedFileModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mles")
	selfSignedIn(t, dir)
	for path, want := range map[string]os.FileMode{
		dir: 0o700, filepath.Join(dir, SelfSignedCert): 0o644, filepath.Join(dir, SelfSignedKey): 0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
	file, err := os.ReadFile(filepath.Join(dir, SelfSignedCert))
	if err != nil || bytes.Contains(file, []byte("PRIVATE")) {
		t.Errorf("the certificate's file holds a key, or cannot be read: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".new-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The second start shows what the first one made; a damaged or mixed-up pair is replaced.
func TestSelfSignedIsKeptWhileItIsGood(t *testing.T) {
	dir := t.TempDir()
	first := leaf(t, selfSignedIn(t, dir))
	if again := leaf(t, selfSignedIn(t, dir)); !again.Equal(first) {
		t.Error("another certificate after a restart")
	}
	write(t, filepath.Join(dir, SelfSignedKey), []byte("half a k"))
	second := leaf(t, selfSignedIn(t, dir))
	if second.Equal(first) {
		t.Error("a damaged key was used")
	}
	cert, key := issue(t, 1, "elsewhere.example")
	write(t, filepath.Join(dir, SelfSignedCert), cert)
	write(t, filepath.Join(dir, SelfSignedKey), key)
	if leaf(t, selfSignedIn(t, dir)).VerifyHostname("localhost") != nil {
		t.Error("a certificate for another name was used")
	}
}

// Two gateways that start at the same moment with one cache folder end up with one certificate.
func TestSelfSignedMadeOnceByManyStarts(t *testing.T) {
	dir := t.TempDir()
	leaves := make([]*x509.Certificate, 8)
	var wg sync.WaitGroup
	for i := range leaves {
		wg.Go(func() {
			if certs, err := NewSelfSigned(dir, new(journal).logger()); err == nil {
				cert, _ := certs.get(&tls.ClientHelloInfo{})
				leaves[i] = cert.Leaf
			}
		})
	}
	wg.Wait()
	for i, l := range leaves {
		if l == nil || !l.Equal(leaves[0]) {
			t.Errorf("start %d has another certificate, or none", i)
		}
	}
}

// A gateway that runs for a year renews in its last week, on disk too, without a restart.
func TestSelfSignedRenewedWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certs := selfSignedIn(t, dir)
		first := leaf(t, certs)
		time.Sleep(selfSignedLife - selfSignedRenew - time.Hour)
		if !leaf(t, certs).Equal(first) {
			t.Error("renewed too early")
		}
		time.Sleep(2 * time.Hour)
		renewed := leaf(t, certs)
		if renewed.Equal(first) {
			t.Error("not renewed in its last week")
		}
		if !leaf(t, selfSignedIn(t, dir)).Equal(renewed) {
			t.Error("the renewed one is not on disk")
		}
	})
}

// When the folder has become unwritable by then, connections still find a valid certificate.
func TestSelfSignedRenewedWithoutDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "gone")
		certs := selfSignedIn(t, dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(selfSignedLife + time.Hour)
		if renewed := leaf(t, certs); time.Now().After(renewed.NotAfter) {
			t.Error("an expired certificate is shown")
		}
	})
}

func TestSelfSignedInMemory(t *testing.T) {
	certs := selfSignedIn(t, "")
	if leaf(t, certs).VerifyHostname("::1") != nil {
		t.Error("does not fit ::1")
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	addr := listen(t, selfSignedIn(t, "").TLSConfig())
	for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		_, err := handshake(t, addr, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: version})
		if (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

// A v1 client over TLS whose library offers some protocol is not refused for it.
func TestNoProtocolsLetEverythingThrough(t *testing.T) {
	addr := listen(t, selfSignedIn(t, "").TLSConfig())
	if _, err := handshake(t, addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "mqtt"}}); err != nil {
		t.Error(err)
	}
}
