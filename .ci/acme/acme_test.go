package acme

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"mles/v1"
)

// From an empty cache folder to clients that verified the certificates of two names, in one start; a third name gets
// none, and the authority never hears of it. The next start asks for nothing.
func TestFirstStart(t *testing.T) {
	at := newPlace(t)
	ca := authority{badNonces: 5}.begin(at) // as real ones do
	g := at.serve("", "Mles.example,chat.mles.example")
	crowd(g)
	g.ready("mles.example", "chat.mles.example")
	bob := g.joinV2("bob", "mles.example", ca.roots())
	carol := g.joinV2("carol", "chat.mles.example", ca.roots())
	g.joinV1("alice", "hello")
	hears(t, bob, "hello")
	hears(t, carol, "hello")
	if n := ca.orders(); n != 2 {
		t.Errorf("%d orders for two names", n)
	}

	asked := ca.asked()
	for _, name := range []string{"www.mles.example", "evil.example", "localhost", "example", "mles.example.evil.example"} {
		if cert, err := g.shows(name, nil); err == nil {
			t.Errorf("%s is shown a certificate of %v", name, cert.DNSNames)
		}
	}
	if cert, err := g.shows("", nil); err != nil || cert.VerifyHostname("mles.example") != nil {
		t.Errorf("without a name: %v", err)
	}
	if cert, err := g.shows("MLES.example", ca.roots()); err != nil || cert.VerifyHostname("mles.example") != nil {
		t.Errorf("in capitals: %v", err)
	}
	if n := ca.asked() - asked; n != 0 {
		t.Errorf("names that are not served cost %d requests", n)
	}
	private(t, g.cache)

	first, err := g.shows("mles.example", ca.roots())
	if err != nil {
		t.Fatal(err)
	}
	g.signal(syscall.SIGTERM)
	<-g.exited
	asked = ca.asked()
	again := at.serve(g.cache, "Mles.example,chat.mles.example")
	again.ready("mles.example")
	if second, err := again.shows("mles.example", ca.roots()); err != nil || !second.Equal(first) {
		t.Errorf("after a restart: %v, or another certificate", err)
	}
	if n := ca.asked() - asked; n != 0 {
		t.Errorf("the restart cost %d requests", n)
	}
}

// crowd has 40 clients try to get in until one of them does: however many there are, the authority gets through.
func crowd(g *gateway) {
	var clients sync.WaitGroup
	for range 40 {
		clients.Go(func() {
			for g.count(`msg="certificate ready"`) == 0 {
				if _, err := g.shows("mles.example", nil); err == nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	g.t.Cleanup(clients.Wait)
}

// private looks at the modes of everything in the cache folder.
func private(t *testing.T, cache string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(cache, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files < 3 { // an account and two certificates
		t.Errorf("%d files in the cache folder: %v", files, err)
	}
}

// A certificate of a few seconds is renewed while bob stays connected. The authority hangs just then: the log says so,
// and when it goes on the renewal does.
func TestRenewal(t *testing.T) {
	at := newPlace(t)
	ca := authority{life: 18 * time.Second}.begin(at)
	g := at.serve("", "mles.example")
	g.ready("mles.example")
	bob := g.joinV2("bob", "mles.example", ca.roots())
	first, err := g.shows("mles.example", ca.roots())
	if err != nil {
		t.Fatal(err)
	}
	roots := ca.roots()
	ca.signal(syscall.SIGSTOP) // the renewal is due after 12 s
	g.says("level=ERROR", `msg="certificate not renewed"`, "domain=mles.example")
	if _, err := g.shows("mles.example", roots); err != nil {
		t.Errorf("while the authority hangs: %v", err)
	}
	ca.signal(syscall.SIGCONT)
	eventually(t, "another certificate", func() bool {
		now, err := g.shows("mles.example", roots)
		return err == nil && !now.Equal(first) && now.NotAfter.After(first.NotAfter)
	})
	if n := g.count(`msg="certificate issued"`, "domain=mles.example"); n < 2 {
		t.Errorf("the log tells of %d certificates", n)
	}
	g.joinV1("alice", "still there?")
	hears(t, bob, "still there?")
	carol := g.joinV2("carol", "mles.example", roots)
	hears(t, carol, "still there?")
}

// The authority cannot be reached at start: v1 serves, the log says what is missing, nobody waits for what will not come.
// Then it comes, refuses a good part of what it is told, and one name for good: the other one gets its certificate.
func TestAuthorityAway(t *testing.T) {
	at := newPlace(t)
	g := at.serve("", "mles.example,blocked.example")
	alice := g.joinV1("alice", "anybody?")
	reader := g.joinV1("rita", "")
	if heard := recv(t, reader); heard != "anybody?" {
		t.Errorf("rita heard %q", heard)
	}
	g.says("level=ERROR", `msg="no certificate yet"`, "domain=mles.example", "clients are refused", "connection refused")
	begun := time.Now()
	if _, err := g.shows("mles.example", nil); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("without a certificate: %v after %s", err, time.Since(begun))
	}

	ca := authority{badNonces: 15, blocked: []string{"blocked.example"}}.begin(at)
	g.ready("mles.example")
	bob := g.joinV2("bob", "mles.example", ca.roots())
	hears(t, bob, "anybody?")
	if err := alice.Send([]byte("good")); err != nil {
		t.Fatal(err)
	}
	hears(t, bob, "good")
	g.says("level=ERROR", `msg="no certificate yet"`, "domain=blocked.example", "rejectedIdentifier")
	orders := ca.orders()
	for range 20 {
		if _, err := g.shows("blocked.example", nil); err == nil {
			t.Fatal("blocked.example is shown a certificate")
		}
	}
	if n := ca.orders() - orders; n != 0 {
		t.Errorf("clients made the gateway order %d times", n)
	}
}

// recv reads what one member of v1 hears.
func recv(t *testing.T, c *v1.ClientConn) string {
	t.Helper()
	_ = c.NetConn().SetReadDeadline(time.Now().Add(patience))
	m, err := c.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return string(m.Message)
}

// Where TLS-ALPN does not get through, the name is proved on the port that redirects, and the log says why.
func TestProvedOverHTTP(t *testing.T) {
	at := newPlace(t)
	ca := authority{closedToTLS: true}.begin(at)
	g := at.serve("", "mles.example", "--redirect", "--redirect-listen="+at.at(redirectPort))
	g.ready("mles.example")
	g.joinV2("bob", "mles.example", ca.roots())
	g.says("level=WARN", "could not prove the name", "domain=mles.example", "by=tls-alpn-01", "Failed to connect")
	if ca.count("Attempting to validate w/ HTTP") == 0 {
		t.Error("the name was not proved over HTTP")
	}
	client := &http.Client{
		Transport:     &http.Transport{DialContext: at.dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for path, want := range map[string]int{"/x?y": 301, "/.well-known/acme-challenge/stolen": 404} {
		answer, err := client.Get("http://mles.example:" + redirectPort + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, answer.StatusCode, want)
		}
		if to := answer.Header.Get("Location"); want == 301 && to != "https://mles.example/x?y" {
			t.Errorf("redirected to %s", to)
		}
	}
}

// Without that port nothing but the log tells what is wrong: the authority's own words stand in it.
func TestNotProved(t *testing.T) {
	at := newPlace(t)
	authority{closedToTLS: true}.begin(at)
	g := at.serve("", "mles.example")
	g.says("level=WARN", "could not prove the name", "domain=mles.example", "by=tls-alpn-01", "Failed to connect")
	g.says("level=ERROR", `msg="no certificate yet"`, "domain=mles.example")
}

// Two older servers left certificates in the folder. They are shown from the first moment, with the authority away;
// when it comes, its own take their place. One that has expired is not shown.
func TestSwapFromOlderServers(t *testing.T) {
	at := newPlace(t)
	cache := filepath.Join(at.dir, "old")
	if err := os.Mkdir(cache, 0o700); err != nil {
		t.Fatal(err)
	}
	old := x509.NewCertPool()
	left := func(life time.Duration, name string) (cert, key []byte) {
		cert, key = at.selfSigned(life, &x509.Certificate{DNSNames: []string{name}})
		old.AppendCertsFromPEM(cert)
		return cert, key
	}
	// mles 2.9.4: key, then chain, in a file named after all domains as they were given and the directory.
	cert, key := left(time.Hour, "mles.example")
	hash := sha256.Sum256([]byte("mles.example\x00web.example\x00gone.example\x00https://acme-v02.api.letsencrypt.org/directory"))
	at.write(filepath.Join(cache, "cached_cert_"+base64.RawURLEncoding.EncodeToString(hash[:])), append(key, cert...))
	// mles-webproxy.
	cert, key = left(time.Hour, "web.example")
	at.write(filepath.Join(cache, "web.example.pem"), cert)
	at.write(filepath.Join(cache, "web.example.key"), key)
	cert, key = left(-time.Minute, "gone.example")
	at.write(filepath.Join(cache, "gone.example.pem"), cert)
	at.write(filepath.Join(cache, "gone.example.key"), key)

	g := at.serve(cache, "mles.example,web.example,gone.example")
	bob := g.joinV2("bob", "mles.example", old)
	g.joinV2("carol", "web.example", old)
	if cert, err := g.shows("", nil); err != nil || cert.VerifyHostname("mles.example") != nil {
		t.Errorf("without a name: %v", err)
	}
	if _, err := g.shows("gone.example", nil); err == nil {
		t.Error("an expired certificate is shown")
	}
	for _, name := range []string{"mles.example", "web.example"} {
		g.says(`msg="certificate of an older server`, "domain="+name)
		g.says(`msg="no certificate yet"`, "domain="+name, "the one of an older server, until")
	}

	ca := authority{}.begin(at)
	for _, name := range []string{"mles.example", "web.example", "gone.example"} {
		eventually(t, "the authority's own for "+name, func() bool {
			_, err := g.shows(name, ca.roots())
			return err == nil
		})
	}
	g.joinV1("alice", "the same connection")
	hears(t, bob, "the same connection")
}

// A client that can do no more than RSA is refused, and no certificate is ordered for it.
func TestClientOfRSA(t *testing.T) {
	at := newPlace(t)
	ca := authority{}.begin(at)
	g := at.serve("", "mles.example")
	g.ready("mles.example")
	asked := ca.asked()
	nc, err := tls.Dial("tcp", at.at(v2Port), &tls.Config{
		ServerName: "mles.example", RootCAs: ca.roots(), MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	})
	if err == nil {
		nc.Close()
		t.Error("it was served")
	}
	if n := ca.asked() - asked; n != 0 {
		t.Errorf("it cost %d requests", n)
	}
}

// The operator adds a name and takes one away while bob is connected: the new one gets its certificate, the other one
// is refused.
func TestDomainsReloaded(t *testing.T) {
	at := newPlace(t)
	ca := authority{}.begin(at)
	file := filepath.Join(at.dir, "mlesd.env")
	at.write(file, []byte("MLESD_DOMAINS=mles.example,old.example\n"))
	g := at.serve("", "", "--config="+file)
	g.ready("mles.example", "old.example")
	bob := g.joinV2("bob", "mles.example", ca.roots())
	at.write(file, []byte("MLESD_DOMAINS=mles.example,new.example\n"))
	g.signal(syscall.SIGHUP)
	g.ready("new.example")
	orders := ca.orders()
	g.joinV2("carol", "new.example", ca.roots())
	if _, err := g.shows("old.example", nil); err == nil {
		t.Error("a name that is no longer served is shown a certificate")
	}
	g.joinV1("alice", "hello")
	hears(t, bob, "hello")
	if orders != 3 || ca.orders() != 3 {
		t.Errorf("%d, then %d orders for three names", orders, ca.orders())
	}
}
