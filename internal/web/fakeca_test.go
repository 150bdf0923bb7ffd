package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// fakeCA is an ACME authority (RFC 8555) as small as a client lets it be: it believes every signature, has one account,
// and really proves a name by TLS-ALPN-01, or by HTTP-01 if that is all it offers, before it issues, whatever the name, at the
// address that reach was given.
type fakeCA struct {
	srv  *httptest.Server
	key  *ecdsa.PrivateKey
	cert *x509.Certificate

	mu      sync.Mutex
	addr    string
	http01  bool // offer this way alone
	contact string
	orders  []*fakeOrder
	nonce   int
}

type fakeOrder struct {
	name   string
	proved bool
	chain  []byte // PEM, once issued
}

func newFakeCA(t *testing.T) *fakeCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "fake authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	ca := &fakeCA{key: key, cert: cert}
	mux := http.NewServeMux()
	mux.HandleFunc("/dir", ca.serveDirectory)
	mux.HandleFunc("/nonce", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/account", ca.serveAccount)
	mux.HandleFunc("/new-order", ca.serveNewOrder)
	mux.HandleFunc("/{what}/{order}", ca.serveOrder)
	ca.srv = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ca.mu.Lock()
		defer ca.mu.Unlock()
		ca.nonce++
		w.Header().Set("Replay-Nonce", fmt.Sprint("nonce", ca.nonce))
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(ca.close)
	return ca
}

func (ca *fakeCA) close() {
	ca.srv.Client().CloseIdleConnections()
	ca.srv.Close()
}

func (ca *fakeCA) directory() string    { return ca.srv.URL + "/dir" }
func (ca *fakeCA) client() *http.Client { return ca.srv.Client() }

func (ca *fakeCA) reach(addr string) {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	ca.addr = addr
}

func (ca *fakeCA) email() string {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	return ca.contact
}

func (ca *fakeCA) issued() int {
	ca.mu.Lock()
	defer ca.mu.Unlock()
	n := 0
	for _, o := range ca.orders {
		if o.chain != nil {
			n++
		}
	}
	return n
}

func (ca *fakeCA) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// payload reads what is inside a JWS, signature unseen.
func payload(r *http.Request, v any) error {
	var jws struct{ Payload string }
	if err := json.NewDecoder(r.Body).Decode(&jws); err != nil {
		return err
	}
	b, err := base64.RawURLEncoding.DecodeString(jws.Payload)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (ca *fakeCA) serveDirectory(w http.ResponseWriter, _ *http.Request) {
	reply(w, 200, map[string]string{
		"newNonce": ca.srv.URL + "/nonce", "newAccount": ca.srv.URL + "/account", "newOrder": ca.srv.URL + "/new-order",
	})
}

func (ca *fakeCA) serveAccount(w http.ResponseWriter, r *http.Request) {
	var account struct{ Contact []string }
	if err := payload(r, &account); err == nil && len(account.Contact) > 0 {
		ca.contact = account.Contact[0]
	}
	w.Header().Set("Location", ca.srv.URL+"/account")
	reply(w, 201, map[string]string{"status": "valid"})
}

func (ca *fakeCA) serveNewOrder(w http.ResponseWriter, r *http.Request) {
	var order struct{ Identifiers []struct{ Value string } }
	if err := payload(r, &order); err != nil || len(order.Identifiers) != 1 {
		http.Error(w, "want one identifier", 400)
		return
	}
	ca.orders = append(ca.orders, &fakeOrder{name: order.Identifiers[0].Value})
	n := len(ca.orders) - 1
	w.Header().Set("Location", fmt.Sprintf("%s/order/%d", ca.srv.URL, n))
	reply(w, 201, ca.order(n))
}

func (ca *fakeCA) order(n int) map[string]any {
	o := ca.orders[n]
	status := "pending"
	switch {
	case o.chain != nil:
		status = "valid"
	case o.proved:
		status = "ready"
	}
	return map[string]any{
		"status":         status,
		"identifiers":    []any{map[string]string{"type": "dns", "value": o.name}},
		"authorizations": []string{fmt.Sprintf("%s/authz/%d", ca.srv.URL, n)},
		"finalize":       fmt.Sprintf("%s/finalize/%d", ca.srv.URL, n),
		"certificate":    fmt.Sprintf("%s/cert/%d", ca.srv.URL, n),
	}
}

func (ca *fakeCA) serveOrder(w http.ResponseWriter, r *http.Request) {
	var n int
	if _, err := fmt.Sscan(r.PathValue("order"), &n); err != nil || n >= len(ca.orders) {
		http.NotFound(w, r)
		return
	}
	o := ca.orders[n]
	status := map[bool]string{false: "pending", true: "valid"}
	switch r.PathValue("what") {
	case "order":
		reply(w, 200, ca.order(n))
	case "authz":
		reply(w, 200, map[string]any{
			"status":     status[o.proved],
			"identifier": map[string]string{"type": "dns", "value": o.name},
			"challenges": []any{ca.challenge(n)},
		})
	case "challenge":
		prove := ca.prove
		if ca.http01 {
			prove = ca.proveHTTP
		}
		if err := prove(r.Context(), o.name); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		o.proved = true
		reply(w, 200, ca.challenge(n))
	case "finalize":
		if err := ca.issue(r, o); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("%s/order/%d", ca.srv.URL, n))
		reply(w, 200, ca.order(n))
	case "cert":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(o.chain)
	}
}

func (ca *fakeCA) challenge(n int) map[string]string {
	kind := "tls-alpn-01"
	if ca.http01 {
		kind = "http-01"
	}
	return map[string]string{
		"type": kind, "token": fmt.Sprint("token", n), "status": "pending",
		"url": fmt.Sprintf("%s/challenge/%d", ca.srv.URL, n),
	}
}

// prove connects as RFC 8737 has it: the name as SNI, acme-tls/1 as the only protocol, and in the certificate that name
// alone with the acmeIdentifier extension.
func (ca *fakeCA) prove(ctx context.Context, name string) error {
	nc, err := new(net.Dialer).DialContext(ctx, "tcp", ca.addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	c := tls.Client(nc, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{acme.ALPNProto}})
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	state := c.ConnectionState()
	leaf := state.PeerCertificates[0]
	identifier := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}
	switch {
	case state.NegotiatedProtocol != acme.ALPNProto:
		return fmt.Errorf("protocol %q", state.NegotiatedProtocol)
	case len(leaf.DNSNames) != 1 || !strings.EqualFold(leaf.DNSNames[0], name):
		return fmt.Errorf("the certificate names %v", leaf.DNSNames)
	case !slices.ContainsFunc(leaf.Extensions, func(e pkix.Extension) bool { return e.Critical && e.Id.Equal(identifier) }):
		return fmt.Errorf("no acmeIdentifier")
	}
	return nil
}

// proveHTTP asks as RFC 8555, 8.3, has it. Each order has a token of its own, so the newest is asked for.
func (ca *fakeCA) proveHTTP(ctx context.Context, name string) error {
	n := slices.IndexFunc(ca.orders, func(o *fakeOrder) bool { return o.name == name && !o.proved })
	token := fmt.Sprint("token", n)
	req, err := http.NewRequestWithContext(ctx, "GET", "http://"+ca.addr+"/.well-known/acme-challenge/"+token, nil)
	if err != nil {
		return err
	}
	req.Host = name
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 || !strings.HasPrefix(string(body), token+".") {
		return fmt.Errorf("%s: %q, %v", answer.Status, body, err)
	}
	return nil
}

func (ca *fakeCA) issue(r *http.Request, o *fakeOrder) error {
	var body struct{ CSR string }
	if err := payload(r, &body); err != nil {
		return err
	}
	der, err := base64.RawURLEncoding.DecodeString(body.CSR)
	if err != nil {
		return err
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return err
	}
	if !o.proved {
		return fmt.Errorf("%s is not proved", o.name)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(ca.nonce)), Subject: csr.Subject, DNSNames: []string{o.name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(12 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err = x509.CreateCertificate(rand.Reader, template, ca.cert, csr.PublicKey, ca.key)
	if err != nil {
		return err
	}
	o.chain = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw})...)
	return nil
}
