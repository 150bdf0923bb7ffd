package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Names of the self-signed certificate in the cache folder.
const (
	// SelfSignedCert holds the certificate alone, PEM, readable by all: clients trust it by naming it as their
	// authority (mlesctl finds it by itself; SSL_CERT_FILE for most others).
	SelfSignedCert = "localhost.pem"
	// SelfSignedKey holds its private key, PEM (PKCS#8), readable by the owner only.
	SelfSignedKey = "localhost-key.pem"
)

const (
	selfSignedLife  = 365 * 24 * time.Hour
	selfSignedRenew = 7 * 24 * time.Hour // before the end
)

// localNames are the names a client on this machine may use.
var localNames = [...]string{"localhost", "127.0.0.1", "::1"}

// NewSelfSigned returns a certificate for localhost, 127.0.0.1 and ::1 that is kept in dir: ECDSA P-256, valid for a
// year, and made anew when it is missing, broken, does not fit those names, or has less than a week to go, at start
// or while running. dir is made with mode 0700 if missing. With dir empty the certificate is kept in memory only, and
// every start has another.
//
// The certificate is no authority: it signs itself and nothing else. Go, OpenSSL and rustls all accept such a one as
// trust root, whereas rustls refuses an authority that is used as a server's own certificate (CaUsedAsEndEntity), and
// there is no authority's key that somebody could steal.
func NewSelfSigned(dir string, log *slog.Logger) (*Certificates, error) {
	s := &selfSigned{dir: dir, log: logger(log)}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if err := s.refresh(); err != nil {
		return nil, err
	}
	return &Certificates{get: s.get, status: s.status}, nil
}

type selfSigned struct {
	// Fixed after construction.
	dir string
	log *slog.Logger

	mu   sync.Mutex // guards cert; held while it is renewed, so that this happens once
	cert *tls.Certificate
}

// get shows the certificate, renewed first if its time has come: looked at here, it needs no timer and no goroutine.
func (s *selfSigned) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !fresh(s.cert) {
		if err := s.refresh(); err != nil {
			s.log.Error("the renewed self-signed certificate cannot be stored", "err", err)
			cert, _, err := newLocalhost()
			if err != nil {
				return nil, err
			}
			s.cert = cert
		}
	}
	return s.cert, nil
}

// refresh takes the stored pair if it is still good, else makes and stores a new one. The lock is against another
// gateway that starts at the same moment: one's key beside the other's certificate would serve neither.
func (s *selfSigned) refresh() error {
	if s.dir == "" {
		cert, _, err := newLocalhost()
		if err == nil {
			s.cert = cert
		}
		return err
	}
	if s.load() { // before the lock, which a folder that is read-only does not allow
		return nil
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(s.dir, "localhost.lock")).Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if s.load() {
		return nil
	}
	cert, key, err := newLocalhost()
	if err != nil {
		return err
	}
	if err := s.save(cert, key); err != nil {
		return err
	}
	s.cert = cert
	return nil
}

// load takes the stored pair if it is whole and fresh.
func (s *selfSigned) load() bool {
	cert, err := tls.LoadX509KeyPair(filepath.Join(s.dir, SelfSignedCert), filepath.Join(s.dir, SelfSignedKey))
	if err != nil || !fresh(&cert) {
		return false
	}
	s.cert = &cert
	return true
}

func (s *selfSigned) save(cert *tls.Certificate, key *pem.Block) error {
	if err := writeFile(filepath.Join(s.dir, SelfSignedKey), pem.EncodeToMemory(key), 0o600); err != nil {
		return err
	}
	path := filepath.Join(s.dir, SelfSignedCert)
	block := &pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}
	if err := writeFile(path, pem.EncodeToMemory(block), 0o644); err != nil {
		return err
	}
	s.log.Info("new self-signed certificate for localhost", "file", path, "until", cert.Leaf.NotAfter)
	return nil
}

// fresh reports whether cert covers every local name for more than a week from now.
func fresh(cert *tls.Certificate) bool {
	now := time.Now()
	if now.Before(cert.Leaf.NotBefore) || now.Add(selfSignedRenew).After(cert.Leaf.NotAfter) {
		return false
	}
	for _, name := range localNames {
		if cert.Leaf.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

func newLocalhost() (*tls.Certificate, *pem.Block, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{Organization: []string{"mlesd, self-signed"}, CommonName: "localhost"},
		NotBefore:             now.Add(-time.Hour), // a client's clock may be behind
		NotAfter:              now.Add(selfSignedLife),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range localNames {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the key: %w", err)
	}
	cert := &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	return cert, &pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}, nil
}
