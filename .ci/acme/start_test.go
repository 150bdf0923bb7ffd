package acme

import (
	"crypto/tls"
	"io/fs"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// From an empty cache folder to clients that verified the certificates of two names, in one start; a third name gets
// none, and the authority never hears of it. The next start needs no authority.
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
	roots := ca.roots()
	g.Drains()
	ca.Kill()
	again := at.serve(g.cache, "Mles.example,chat.mles.example")
	again.ready("mles.example")
	if second, err := again.shows("mles.example", roots); err != nil || !second.Equal(first) {
		t.Errorf("after a restart: %v, or another certificate", err)
	}
}

// crowd has 40 clients try to get in until one of them does: however many there are, the authority gets through.
func crowd(g *gateway) {
	var clients sync.WaitGroup
	for range 40 {
		clients.Go(func() {
			for len(g.Said(`msg="certificate ready"`)) == 0 {
				if _, err := g.shows("mles.example", nil); err == nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	g.T.Cleanup(clients.Wait)
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
