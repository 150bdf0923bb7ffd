package acme

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"mles/.ci/running"
)

// authority is what a test wants pebble to be.
type authority struct {
	life        time.Duration // of certificates; 0: 90 days
	badNonces   int           // percent of good nonces that are refused
	blocked     []string      // names it issues nothing for
	closedToTLS bool          // it finds nothing where it would prove by TLS-ALPN
}

// pebble is a running ACME server.
type pebble struct {
	*running.Program
	at *place
}

// begin starts pebble and waits until it answers.
func (a authority) begin(at *place) *pebble {
	at.t.Helper()
	tlsPort, _ := strconv.Atoi(v2Port)
	httpPort, _ := strconv.Atoi(redirectPort)
	if a.closedToTLS {
		tlsPort = 1
	}
	if a.life == 0 {
		a.life = 90 * 24 * time.Hour
	}
	conf, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": at.at(directoryPort), "managementListenAddress": at.at(rootsPort),
		"certificate": at.cert, "privateKey": at.key,
		"httpPort": httpPort, "tlsPort": tlsPort, "keyAlgorithm": "ecdsa", "domainBlocklist": a.blocked,
		"retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles":   map[string]any{"default": map[string]any{"description": "", "validityPeriod": int(a.life.Seconds())}},
	}})
	if err != nil {
		at.t.Fatal(err)
	}
	file := filepath.Join(at.dir, "pebble.json")
	at.write(file, conf)
	env := []string{"PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=" + strconv.Itoa(a.badNonces), "PEBBLE_AUTHZREUSE=0"}
	p := &pebble{run(at.t, env, "pebble", "-config", file, "-dnsserver", at.nameserver), at}
	eventually(at.t, "pebble answers", func() bool {
		_, err := at.get(at.at(directoryPort), "/dir")
		return err == nil
	})
	return p
}

// get asks pebble something over HTTPS.
func (p *place) get(addr, path string) ([]byte, error) {
	own, err := os.ReadFile(p.cert)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(own)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	answer, err := client.Get("https://" + addr + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// roots is what a client trusts that trusts this authority: another one after each start.
func (p *pebble) roots() *x509.CertPool {
	p.T.Helper()
	pool := x509.NewCertPool()
	eventually(p.T, "pebble shows its root certificate", func() bool {
		root, err := p.at.get(p.at.at(rootsPort), "/roots/0")
		return err == nil && pool.AppendCertsFromPEM(root)
	})
	return pool
}

// orders counts what was ordered.
func (p *pebble) orders() int { return len(p.Said("Added order")) }

// asked counts the requests there were, of any kind.
func (p *pebble) asked() int { return len(p.Said("-> calling handler()")) - len(p.Said("GET /dir ")) }
