package acme

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// Ports of a place.
const (
	v1Port        = "8077"
	v2Port        = "5001" // where the authority proves names by TLS-ALPN
	redirectPort  = "5002" // and where over HTTP
	adminPort     = "9077"
	directoryPort = "14000"
	rootsPort     = "15000"
)

// place is a loopback address where nobody else is, with a name server that sends every name to it.
type place struct {
	t          *testing.T
	ip         string
	nameserver string
	dir        string
	cert, key  string // files of the directory's own certificate
}

func newPlace(t *testing.T) *place {
	t.Helper()
	t.Parallel()
	p := &place{t: t, dir: t.TempDir()}
	l, err := net.Listen("tcp", "127.0.0.1:0") // pebble asks over TCP
	if err != nil {
		t.Fatal(err)
	}
	p.nameserver = l.Addr().String()
	for free := false; !free; {
		p.ip = netip.AddrFrom4([4]byte{127, byte(1 + mathrand.IntN(200)), byte(mathrand.IntN(256)), byte(1 + mathrand.IntN(250))}).String()
		l, err := net.Listen("tcp", p.at(v2Port))
		if free = err == nil; free {
			l.Close()
		}
	}
	server := &dns.Server{Listener: l, Handler: dns.HandlerFunc(p.answer)}
	done, started := make(chan struct{}), make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	go func() { defer close(done); _ = server.ActivateAndServe() }()
	<-started
	t.Cleanup(func() { _ = server.Shutdown(); <-done })
	p.certify()
	return p
}

func (p *place) at(port string) string { return net.JoinHostPort(p.ip, port) }

func (p *place) answer(w dns.ResponseWriter, ask *dns.Msg) {
	m := new(dns.Msg).SetReply(ask)
	if q := ask.Question[0]; q.Qtype == dns.TypeA {
		m.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: q.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1},
			A:   net.ParseIP(p.ip),
		}}
	}
	_ = w.WriteMsg(m)
}

// dial has a client connect here, whatever the name.
func (p *place) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, network, p.at(port))
}

// certify makes the certificate of the directory itself, which the gateway is told to trust.
func (p *place) certify() {
	p.t.Helper()
	cert, key := p.selfSigned(time.Hour, &x509.Certificate{IPAddresses: []net.IP{net.ParseIP(p.ip)}})
	p.cert, p.key = filepath.Join(p.dir, "directory.pem"), filepath.Join(p.dir, "directory.key")
	p.write(p.cert, cert)
	p.write(p.key, key)
}

// selfSigned makes a certificate that signs itself, PEM, with its key.
func (p *place) selfSigned(life time.Duration, template *x509.Certificate) (cert, key []byte) {
	p.t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.Subject = pkix.Name{CommonName: "acme test"}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(life)
	der, err := x509.CreateCertificate(rand.Reader, template, template, k.Public(), k)
	if err != nil {
		p.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		p.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func (p *place) write(path string, data []byte) {
	p.t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		p.t.Fatal(err)
	}
}
