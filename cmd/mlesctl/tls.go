package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// trust says whose certificates are believed.
type trust struct {
	CA       string `name:"ca" placeholder:"FILE" env:"MLESCTL_CA" help:"Trust the certificates in FILE (PEM) besides the system's."`
	Insecure bool   `help:"Believe any certificate. For trying things out only."`
	Cache    string `placeholder:"DIR" env:"MLESD_CACHE" help:"Folder of mlesd's own certificate for localhost (default: its usual one)."`
}

// config makes the TLS configuration for a server, which is nil if the address
// wants no TLS.
func (t trust) config(a address) (*tls.Config, error) {
	if !a.secure() {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName(a), InsecureSkipVerify: t.Insecure}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if t.CA != "" {
		if err := addCertificates(roots, t.CA); err != nil {
			return nil, usage("--ca: %w", err)
		}
	}
	if a.onLocalhost() {
		// mlesd signs its certificate for localhost itself and keeps it there. If
		// it does not, or not for us to read, the handshake will say so.
		_ = addCertificates(roots, filepath.Join(t.cacheDir(), "localhost.pem"))
	}
	conf.RootCAs = roots
	return conf, nil
}

// serverName is the host without an IPv6 zone, which no certificate names.
func serverName(a address) string {
	name, _, _ := strings.Cut(a.host, "%")
	return name
}

func (t trust) cacheDir() string {
	if t.Cache != "" {
		return t.Cache
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "." // no home: then nothing is kept there either
	}
	return filepath.Join(dir, "mles")
}

func addCertificates(pool *x509.CertPool, file string) error {
	pem, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if !pool.AppendCertsFromPEM(pem) {
		return fmt.Errorf("%s holds no certificate", file)
	}
	return nil
}

// certificateHint tells what can be done about a certificate nobody vouches for.
func certificateHint(err error) string {
	var unverified *tls.CertificateVerificationError
	if errors.As(err, &unverified) {
		return " (--ca FILE trusts it, --insecure any)"
	}
	return ""
}
