//go:build interop

package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Names of the reference programs under the folder of references.sh.
const (
	mles1      = "v1/bin/mles"
	client1    = "v1c/bin/mles-client"
	mles2      = "v2/bin/mles"
	client2    = "v2c/bin/mles-client"
	webproxy   = "wp/bin/mles-webproxy"
	websocat   = "wc/bin/websocat"
	installing = "run .ci/references.sh"
)

// programs is a folder with mlesd and mlesctl: $MLES_INTEROP_PROGRAMS if set, else built from this tree. TestMain sets it
// before any test runs.
var programs string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	for _, name := range []string{mles1, client1, mles2, client2, webproxy, websocat} {
		if _, err := exec.LookPath(ref(name)); err != nil {
			fmt.Fprintf(os.Stderr, "a reference program is missing: %v (%s)\n", err, installing)
			return 1
		}
	}
	if programs = os.Getenv("MLES_INTEROP_PROGRAMS"); programs != "" {
		return m.Run()
	}
	var err error
	if programs, err = os.MkdirTemp("", "mles-interop-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-o", programs, "mles/cmd/mlesd", "mles/cmd/mlesctl")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build, err, out)
		return 1
	}
	return m.Run()
}

// ref is the path of a reference program: under $MLES_REFS, else under ~/.cache/mles-refs.
func ref(name string) string {
	dir := os.Getenv("MLES_REFS")
	if dir == "" {
		dir = filepath.Join(os.Getenv("HOME"), ".cache", "mles-refs")
	}
	return filepath.Join(dir, name)
}

// keyEnv gives a program the shared key; without one, nothing.
func keyEnv(key string) []string {
	if key == "" {
		return nil
	}
	return []string{"MLES_KEY=" + key}
}

// A certificate for localhost, which is its own authority, in PEM files.
type certificate struct {
	cert, key string // paths
	pem       []byte // key, then certificate, as mles 2.9.4 wants to find it in its cache
}

// newCertificate makes one with an ECDSA P-256 key in PKCS#8, the only kind that mles 2.9.4 takes.
func newCertificate(t *testing.T) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return selfSigned(t, "localhost", key.Public(), key, pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// newRSACertificate makes one with an RSA key in PKCS#1, the only kind that mles-webproxy takes.
func newRSACertificate(t *testing.T) certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return selfSigned(t, "localhost", key.Public(), key, pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

func selfSigned(t *testing.T, name string, public, private any, keyBlock pem.Block) certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		DNSNames:     []string{name},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&keyBlock)
	dir := t.TempDir()
	c := certificate{
		cert: filepath.Join(dir, name+".pem"),
		key:  filepath.Join(dir, name+".key"),
		pem:  append(keyPEM, certPEM...),
	}
	write(t, c.cert, certPEM)
	write(t, c.key, keyPEM)
	return c
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// startMles2 runs mles 2.9.4 on wss://localhost:8443, with the certificate in its ACME cache.
func (h *host) startMles2(t *testing.T, key string, c certificate) *program {
	t.Helper()
	dir := t.TempDir()
	hash := sha256.Sum256([]byte("localhost\x00https://acme-v02.api.letsencrypt.org/directory"))
	write(t, filepath.Join(dir, "cache", "cached_cert_"+base64.RawURLEncoding.EncodeToString(hash[:])), c.pem)
	write(t, filepath.Join(dir, "www", "localhost", "index.html"), []byte("mles"))
	p := h.start(t, "mles 2.9.4", keyEnv(key), ref(mles2), "--domains", "localhost", "--wwwroot", filepath.Join(dir, "www"),
		"--cache", filepath.Join(dir, "cache"), "--port", "8443", "--per-ip-limit", "30000")
	h.serving(t, "localhost:8443", c)
	return p
}

// startMles1 runs mles 1.1.7 on [::]:8077, with the address of its root if it has one.
func (h *host) startMles1(t *testing.T, key string, root ...string) *program {
	t.Helper()
	p := h.start(t, "mles 1.1.7", keyEnv(key), append([]string{ref(mles1)}, root...)...)
	h.listening(t, "127.0.0.1:8077")
	return p
}
