package web

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// former is a certificate that an older server left.
type former struct {
	cert *tls.Certificate
	file string
	rank int // the lowest goes first
}

// Ranks. A certificate of the directory for trying helps nobody who checks it.
const (
	rankSame    = iota // of the same domains and directory
	rankReal           // of the same domains, and of Let's Encrypt's real directory
	rankOther          // of other domains or directories, which a name of the file does not tell
	rankStaging        // of the same domains, and of the directory for trying
)

// formers are the certificates of older servers in a cache folder.
type formers struct {
	found []former
	log   *slog.Logger
}

// findFormer reads what mles 2.9.4 (cached_cert_*: key and chain in a file) and mles-webproxy (DOMAIN.pem, the chain,
// with DOMAIN.key) have left in the cache folder.
func findFormer(conf ACMEConfig, log *slog.Logger) formers {
	f := formers{log: log}
	ranks := map[string]int{ // the last one written counts
		formerName(conf.Domains, LetsEncryptStaging): rankStaging,
		formerName(conf.Domains, LetsEncrypt):        rankReal,
	}
	ranks[formerName(conf.Domains, conf.Directory)] = rankSame
	files, err := filepath.Glob(filepath.Join(globQuote(conf.Cache), "cached_cert_*"))
	if err != nil {
		log.Warn("certificates of an older server cannot be looked for", "folder", conf.Cache, "err", err)
	}
	for _, file := range files {
		rank, known := ranks[filepath.Base(file)]
		if !known {
			rank = rankOther
		}
		f.add(file, file, rank)
	}
	for _, domain := range conf.Domains {
		file := filepath.Join(conf.Cache, domain)
		f.add(file+".pem", file+".key", rankOther)
	}
	slices.SortStableFunc(f.found, func(a, b former) int {
		return cmp.Or(a.rank-b.rank, b.cert.Leaf.NotAfter.Compare(a.cert.Leaf.NotAfter))
	})
	return f
}

// formerName is what mles 2.9.4 calls the file: SHA-256 of each domain as given with a zero byte after it, and of the
// directory's URL.
func formerName(domains []string, directory string) string {
	hash := sha256.New()
	for _, domain := range domains {
		hash.Write([]byte(domain + "\x00"))
	}
	hash.Write([]byte(directory))
	return "cached_cert_" + base64.RawURLEncoding.EncodeToString(hash.Sum(nil))
}

// globQuote is a pattern that matches path alone.
func globQuote(path string) string {
	if filepath.Separator == '\\' { // no quoting there, and [ is rare in a folder's name
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func (f *formers) add(certFile, keyFile string, rank int) {
	chain, err := readPEM(certFile)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	key := chain
	if err == nil && keyFile != certFile {
		key, err = readPEM(keyFile)
	}
	var cert tls.Certificate
	if err == nil {
		cert, err = tls.X509KeyPair(chain, key)
	}
	if err != nil {
		f.log.Warn("the certificate of an older server cannot be used", "file", certFile, "err", err)
		return
	}
	f.found = append(f.found, former{cert: &cert, file: certFile, rank: rank})
}

// bestFor returns the certificate to show for name until there is another; nil: none is valid now.
func (f formers) bestFor(name string) *tls.Certificate {
	for _, c := range f.found {
		if err := usable(c.cert, name); err != nil {
			f.log.Debug("the certificate of an older server is not used", "domain", name, "file", c.file, "err", err)
			continue
		}
		f.log.Info("certificate of an older server, shown until there is another",
			"domain", name, "file", c.file, "until", c.cert.Leaf.NotAfter)
		return c.cert
	}
	return nil
}

// usable says why a client that asks for name would not take cert now, as far as that can be told without knowing whom
// it trusts.
func usable(cert *tls.Certificate, name string) error {
	switch now := time.Now(); {
	case now.Before(cert.Leaf.NotBefore):
		return errors.New("not valid yet")
	case now.After(cert.Leaf.NotAfter):
		return errors.New("expired")
	}
	return cert.Leaf.VerifyHostname(name)
}
