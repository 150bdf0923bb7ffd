package web

import (
	"crypto/tls"
	"crypto/x509"
	"sync/atomic"
	"time"
)

// Where a certificate is from.
const (
	SourceACME       = "acme"
	SourceOlder      = "older server" // one of mles 2.9.4 or mles-webproxy, until there is one by ACME
	SourceFile       = "file"
	SourceSelfSigned = "self-signed"
)

// CertificateStatus is what clients of one name are shown at the moment.
type CertificateStatus struct {
	Domain   string    // of a file, the first name that its certificate has
	Source   string    // "": there is none, clients are refused
	NotAfter time.Time // zero: there is none
	// Problem is why there is none, or why it has not been renewed or replaced, and At when that was found; "": all is
	// well.
	Problem string
	At      time.Time
}

// Status tells of each name that is served, the first one first. There are as many as domains were given, and one
// where certificates do not come by ACME.
func (c *Certificates) Status() []CertificateStatus {
	if c.status == nil {
		return nil
	}
	return c.status()
}

// troubles hold what is wrong with a certificate at the moment.
type troubles struct{ last atomic.Pointer[trouble] }

type trouble struct {
	text string
	at   time.Time
}

// note keeps err as what is wrong now; nil: nothing is.
func (p *troubles) note(err error) {
	if err == nil {
		p.last.Store(nil)
		return
	}
	p.last.Store(&trouble{err.Error(), time.Now()})
}

// fill adds what is wrong to s.
func (p *troubles) fill(s *CertificateStatus) {
	if last := p.last.Load(); last != nil {
		s.Problem, s.At = last.text, last.at
	}
}

// status tells of every domain.
func (a *authority) status() []CertificateStatus {
	all := make([]CertificateStatus, 0, len(a.order))
	for _, d := range a.order {
		s := CertificateStatus{Domain: d.name}
		switch leaf := d.leaf.Load(); {
		case leaf != nil:
			s.Source, s.NotAfter = SourceACME, leaf.NotAfter
		case d.former != nil && time.Now().Before(d.former.Leaf.NotAfter):
			s.Source, s.NotAfter = SourceOlder, d.former.Leaf.NotAfter
		}
		d.troubles.fill(&s)
		all = append(all, s)
	}
	return all
}

// has notes the certificate that the manager shows from now on.
func (d *domain) has(leaf *x509.Certificate) {
	d.leaf.Store(leaf)
	d.troubles.note(nil)
}

func (p *pair) status() []CertificateStatus {
	s := statusOf(SourceFile, p.current.Load())
	p.troubles.fill(&s)
	return []CertificateStatus{s}
}

func (s *selfSigned) status() []CertificateStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []CertificateStatus{statusOf(SourceSelfSigned, s.cert)}
}

// statusOf tells of a certificate by its first name.
func statusOf(source string, cert *tls.Certificate) CertificateStatus {
	s := CertificateStatus{Source: source, NotAfter: cert.Leaf.NotAfter, Domain: cert.Leaf.Subject.CommonName}
	switch {
	case len(cert.Leaf.DNSNames) > 0:
		s.Domain = cert.Leaf.DNSNames[0]
	case len(cert.Leaf.IPAddresses) > 0:
		s.Domain = cert.Leaf.IPAddresses[0].String()
	}
	return s
}
