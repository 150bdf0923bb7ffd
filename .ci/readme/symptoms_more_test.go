//go:build readme

package readme

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mles/.ci/hosts"
)

func noAuthority(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd --domains mles.example.org --v2-listen 8443")
	s.listening(t, 8077)
	gateway.Says(t, "the ACME authority connects to port 443 of each domain")
	gateway.Says(t, `"no certificate yet" domain=mles.example.org shown="none, clients are refused" err=`)
	gateway.Says(t, " again=")
	gateway.Terminate(t)
}

func certificateFiles(t *testing.T, s *stage) {
	crt := hosts.NewCertificate(t, domain)
	gateway := s.start(t, "mlesd --v2-listen 8443 --tls-cert "+crt.Cert+" --tls-key "+crt.Key)
	s.listening(t, 8443)
	if err := os.WriteFile(crt.Key, []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	gateway.Says(t, `"the new certificate is not used, the one before it stays" err=`)
	gateway.Terminate(t)

	expired(t, s.dir)
	gateway = s.start(t, "mlesd --tls-cert old.pem --tls-key old-key.pem")
	gateway.Says(t, "the certificate has expired")
	s.listening(t, 8443)
	gateway.Terminate(t)

	s.file(t, "cache/cached_cert_of_an_older_server", "junk")
	gateway = s.start(t, "mlesd --cache cache --domains "+domain)
	gateway.Says(t, "the certificate of an older server cannot be used")
	gateway.Terminate(t)

	gateway = s.start(t, "mlesd --v2-listen :8443")
	gateway.Says(t, "the certificate is for localhost only: --domains or --tls-cert")
	s.listening(t, 8443)
	gateway.Terminate(t)
}

// expired leaves a certificate of yesterday in dir.
func expired(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{domain},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	hosts.WriteFile(t, filepath.Join(dir, "old.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	hosts.WriteFile(t, filepath.Join(dir, "old-key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func takenAway(t *testing.T, s *stage) {
	s.file(t, "mlesd.env", "MLESD_V1_READ_ONLY=true\n")
	gateway := s.start(t, "mlesd --config mlesd.env")
	s.listening(t, 8077, 9077)
	alice := s.start(t, "mlesctl chat v1://localhost hall --uid alice")
	s.members(t, "v1", 1)
	alice.Types(t, "does anybody hear me")
	gateway.Says(t, `"not published: v1 is read-only" dialect=v1`)
	bob := s.start(t, "mlesctl chat v1://localhost hall --uid bob")
	s.members(t, "v1", 2)
	s.does(t, 0, "mlesctl kick bob")
	gateway.Says(t, "reason=kicked")
	bob.Kill()
	s.file(t, "mlesd.env", "MLESD_V1_CHANNELS=cellar\n")
	s.does(t, 0, "mlesctl reload")
	gateway.Says(t, `uid=alice channel=hall reason="channel not allowed"`)
	alice.Kill()
	gateway.Terminate(t)
}

func noUpstream(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd --upstream v1://127.0.0.1:1 --upstream v1://127.0.0.1:8077")
	s.listening(t, 8077, 8443)
	alice := s.start(t, "mlesctl sub wss://localhost:8443 hall")
	s.members(t, "v2", 1)
	gateway.Says(t, `"upstream not connected" upstream=v1://127.0.0.1:1 channel=hall reason=`)
	gateway.Says(t, " again_in=")
	gateway.Says(t, `reason="loop`)
	alice.Terminate(t)
	gateway.Terminate(t)
}

func noReload(t *testing.T, s *stage) {
	s.file(t, "mlesd.env", "")
	gateway := s.start(t, "mlesd --config mlesd.env", "MLESD_HISTROY_LIMIT=7")
	s.listening(t, 8077, 9077)
	gateway.Says(t, "MLESD_HISTROY_LIMIT in the environment is no setting")
	s.file(t, "mlesd.env", "MLESD_V2_JOINS=live\n")
	s.does(t, 0, "mlesctl reload")
	gateway.Says(t, `"a change takes effect at the next start" flag=--v2-joins`)
	s.file(t, "mlesd.env", "MLESD_V2_JOINS=sometimes\n")
	s.does(t, 1, "mlesctl reload")
	gateway.Says(t, `"not reloaded, nothing has changed" err=`)
	gateway.Terminate(t)
}

func pages(t *testing.T, s *stage) {
	if err := os.MkdirAll(filepath.Join(s.dir, "www", domain), 0o755); err != nil {
		t.Fatal(err)
	}
	s.file(t, "www/"+domain+"/index.html", "home\n")
	gateway := s.start(t, "mlesd --domains mles.example.org,chat.example.org --plain-listen 8080 --wwwroot www --proxy behind=http://127.0.0.1:1")
	s.listening(t, 8080, 9077)
	gateway.Says(t, "a domain has no folder in the web root")
	for path, want := range map[string]string{
		"-H 'Host: mles.example.org' http://127.0.0.1:8080/":        "200",
		"-H 'Host: other.example' http://127.0.0.1:8080/":           "421",
		"-H 'Host: chat.example.org' http://127.0.0.1:8080/":        "404",
		"-H 'Host: mles.example.org' http://127.0.0.1:8080/behind/": "502",
	} {
		s.does(t, 0, "curl -s -o /dev/null -w '%{http_code}\n' "+path).Says(t, want+"\n")
	}
	gateway.Says(t, "a server behind the site does not answer")
	if err := os.Symlink("/etc/passwd", filepath.Join(s.dir, "www", domain, "users")); err != nil {
		t.Fatal(err)
	}
	s.does(t, 0, "curl -s -o /dev/null -w '%{http_code}\\n' -H 'Host: mles.example.org' http://127.0.0.1:8080/users").Says(t, "404\n")
	gateway.Says(t, "a file of the site is not served")
	second := s.start(t, "mlesd --v1-listen 18077 --v2-listen off --plain-listen 18080")
	second.Says(t, "going on without metrics and health")
	s.does(t, 0, "curl -s -o /dev/null -w '%{http_code}\n' http://127.0.0.1:18080/").Says(t, "426\n")
	second.Terminate(t)
	gateway.Terminate(t)
}

func restarted(t *testing.T, s *stage) {
	first := s.start(t, "mlesd --cache kept")
	s.listening(t, 8077)
	s.does(t, 0, "mlesctl pub v1://localhost hall hello")
	second := s.start(t, "mlesd --cache kept --v1-listen 18077 --v2-listen off --admin-listen off")
	second.Says(t, "histories are not kept over a restart: another gateway keeps its own in this folder")
	second.Says(t, "who was seen is kept in memory only")
	second.Terminate(t)
	first.Terminate(t)

	journals, err := filepath.Glob(filepath.Join(s.dir, "kept", "history", "journal-*"))
	if err != nil || len(journals) == 0 {
		t.Fatalf("no journals: %v", err)
	}
	for _, name := range journals {
		if err := os.WriteFile(name, []byte("this is no journal, but text that somebody has put in its place\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first = s.start(t, "mlesd --cache kept --drain-time 1s")
	first.Says(t, "a file of histories is set aside; what could be read of it is used")
	s.listening(t, 8443, 9077)
	bob := s.start(t, "mlesctl sub wss://localhost:8443 hall --uid bob --insecure")
	s.members(t, "v2", 1)
	stop(t, s, "mlesctl sub wss")
	first.Terminate(t)
	first.Says(t, "drained, some connections were cut off")
	bob.Kill()
}

func wrongToken(t *testing.T, s *stage) {
	gateway := s.start(t, "mlesd")
	s.listening(t, 9077)
	s.does(t, 0, "curl -s -o /dev/null -w '%{http_code}' -X POST -H 'Authorization: Bearer 0123456789abcdef' 'localhost:9077/purge?channel=hall'").Says(t, "401")
	gateway.Says(t, "a wrong token for the admin listener")
	gateway.Terminate(t)

	s.file(t, "file", "")
	gateway = s.start(t, "mlesd --v2-listen off --cache file")
	s.listening(t, 9077)
	gateway.Says(t, "there is no token for the admin listener")
	s.does(t, 0, "curl -s -o /dev/null -w '%{http_code}' -X POST 'localhost:9077/purge?channel=hall'").Says(t, "403")
	gateway.Terminate(t)
}
