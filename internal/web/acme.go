package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/acme"
)

// Directories of Let's Encrypt: the real one, and one for trying, whose certificates no client trusts.
const (
	LetsEncrypt        = acme.LetsEncryptURL
	LetsEncryptStaging = "https://acme-staging-v02.api.letsencrypt.org/directory"
)

// ACMEConfig says for which names certificates are obtained, and from whom.
type ACMEConfig struct {
	Domains   []string     // host names with a dot, at least one; the first also serves clients that name none (no SNI)
	Email     string       // where the authority writes to; may be empty
	Cache     string       // folder for account and certificates, made with mode 0700 if missing
	Directory string       // the authority's directory URL; empty: LetsEncrypt
	Client    *http.Client // asks the authority; nil: http.DefaultClient, which honours SSL_CERT_FILE and the proxy's variables
	Logger    *slog.Logger
}

// NewACME returns certificates that are obtained from an ACME authority (RFC 8555) by TLS-ALPN-01 (RFC 8737) and
// renewed when a third of their life is left. The authority connects to port 443 of each domain: a listener with this
// configuration must answer there. Where there is a listener on port 80, too, HTTP-01 is tried if that fails: see
// [Certificates.HTTPHandler]. Obtaining begins with [Certificates.Start], and no client causes or hastens it: the
// authority counts tries. Nor does one wait for it: handshakes that wait could be all that are allowed at a time, and
// the authority's own would not be among them. Until there is a certificate, clients are refused, as are those who ask
// for names other than Domains, and those who cannot verify ECDSA, which is what all certificates are.
//
// Where an older server left a certificate for a domain in Cache (cached_cert_* of mles 2.9.4, DOMAIN.pem with
// DOMAIN.key of mles-webproxy), that one is shown as long as it is valid and there is no other.
//
// Using it accepts the authority's terms of service. Each directory has a folder of its own in the cache, or a
// certificate from a staging directory would be shown on after the switch to the real one.
func NewACME(conf ACMEConfig) (*Certificates, error) {
	cache, err := conf.check()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, err
	}
	a, err := newAuthority(conf, cache)
	if err != nil {
		return nil, err
	}
	return &Certificates{get: a.get, alpn: []string{acme.ALPNProto}, http: a.httpHandler, tasks: a.tasks, start: a.start, status: a.status}, nil
}

// check says what does not fit, fills in the authority and returns its folder in the cache.
func (conf *ACMEConfig) check() (cache string, err error) {
	if len(conf.Domains) == 0 {
		return "", errors.New("no domain")
	}
	for _, domain := range conf.Domains {
		if err := CheckDomain(domain); err != nil {
			return "", err
		}
	}
	if conf.Directory == "" {
		conf.Directory = LetsEncrypt
	}
	dir, err := url.Parse(conf.Directory)
	if err != nil || dir.Scheme != "https" || dir.Host == "" {
		return "", fmt.Errorf("%q is no https:// address of an ACME directory", conf.Directory)
	}
	return filepath.Join(conf.Cache, "acme", strings.Map(fileRune, dir.Host+dir.Path)), nil
}

// CheckDomain says why an ACME authority cannot prove name by TLS-ALPN-01: it must be a host name with a dot, without
// wildcard, port or path, and no address.
func CheckDomain(name string) error {
	name = strings.TrimSuffix(name, ".")
	switch labels := strings.Split(name, "."); {
	case strings.Contains(name, "*"):
		return fmt.Errorf("%q: a wildcard cannot be proved on this port, name each host", name)
	case strings.ContainsAny(name, ":/@ \t[]%"), strings.Trim(name, "0123456789.") == "":
		return fmt.Errorf("%q is no host name", name)
	case len(labels) < 2:
		return fmt.Errorf("%q has no dot: only public names get certificates", name)
	default:
		for _, label := range labels {
			if label == "" || len(label) > 63 {
				return fmt.Errorf("%q is no host name", name)
			}
		}
		return nil
	}
}

// fileRune keeps what is safe in a file name on every system.
func fileRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-':
		return r
	}
	return '_'
}
