//go:build readme

package readme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// deployment is a stage of a server that the world knows as mles.example.org. It has a certificate already, as if an ACME
// authority had been there, but reaches none. Clients trust that with the variable returned.
func (c *clone) deployment(t *testing.T) (s *stage, trust string) {
	t.Helper()
	s, crt := c.named(t)
	hosts.WriteFile(t, filepath.Join(s.home, ".cache/mles/acme/acme-v02.api.letsencrypt.org_directory", domain), crt.PEM)
	return s, "SSL_CERT_FILE=" + crt.Cert
}

const domain = "mles.example.org"

// named is a stage that knows itself as mles.example.org, and a certificate for that.
func (c *clone) named(t *testing.T) (*stage, hosts.Certificate) {
	t.Helper()
	s := c.stage(t, t.TempDir())
	s.host.Knows(t, domain)
	return s, hosts.NewCertificate(t, domain)
}

// A gateway with a shared key for both generations: a member watches in v1, and somebody writes in v2.
func replace(t *testing.T, c *clone, _ *document, block []string) {
	s, trust := c.deployment(t)
	gateway := s.start(t, block[0])
	s.listening(t, 8077, 443)
	gateway.Says(t, "history_limit=100 ")
	watcher := s.start(t, block[1])
	s.members(t, "v1", 1)
	s.does(t, 0, block[2], trust)
	watcher.Says(t, " joined\n")
	watcher.Says(t, "hello from v2\n")
	s.does(t, 4, "mlesctl pub v1://localhost hall 'let me in'", "MLES_KEY=wrong")
	gateway.Says(t, `reason="wrong key`)
	gateway.Terminate(t)

	// While there is no certificate, v1 is served all the same.
	s = c.stage(t, t.TempDir())
	gateway = s.start(t, block[0])
	s.listening(t, 8077, 443)
	gateway.Says(t, "no certificate yet")
	watcher = s.start(t, block[1])
	s.members(t, "v1", 1)
	s.does(t, 0, "mlesctl pub v1://localhost hall 'hello from v1'", "MLES_KEY=swordfish")
	watcher.Says(t, "hello from v1\n")
	gateway.Terminate(t)
}

// Certificate files in place of ACME; v2 is served to everybody, not to this machine alone.
func ownCertificates(t *testing.T, c *clone, _ *document, block []string) {
	s, crt := c.named(t)
	for file, from := range map[string]string{"cert.pem": crt.Cert, "key.pem": crt.Key} {
		if err := os.Link(from, filepath.Join(s.dir, file)); err != nil {
			t.Fatal(err)
		}
	}
	gateway := s.start(t, block[0])
	s.listening(t, 8077, 443)
	gateway.Says(t, "flag=--v2-listen addr=[::]:443")
	watcher := s.start(t, "mlesctl sub v1://localhost hall", "MLES_KEY=swordfish")
	s.members(t, "v1", 1)
	s.does(t, 0, "mlesctl pub wss://mles.example.org hall 'hello from v2'", "MLES_KEY=swordfish", "SSL_CERT_FILE="+crt.Cert)
	watcher.Says(t, "hello from v2\n")
	gateway.Terminate(t)
}

// TLS ends in front of the gateway, which serves v2 without it, and v1 as ever.
func behindTerminator(t *testing.T, c *clone, _ *document, block []string) {
	const key = "MLES_KEY=swordfish"
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, block[0])
	s.listening(t, 8077, 8080)
	s.silent(t, 8443)
	watcher := s.start(t, "mlesctl sub v1://localhost hall", key)
	s.members(t, "v1", 1)
	s.does(t, 0, "mlesctl pub ws://127.0.0.1:8080 hall 'hello from v2'", key)
	watcher.Says(t, "hello from v2\n")
	gateway.Terminate(t)
}

// v2 needs no key, v1 does. An auth made with a key is wrong where there is none.
func keyOfV1Alone(t *testing.T, c *clone, _ *document, block []string) {
	s, trust := c.deployment(t)
	hosts.WriteFile(t, filepath.Join(s.dir, "v1.keys"), []byte("swordfish\n"))
	gateway := s.start(t, block[0])
	s.listening(t, 8077, 443)
	watcher := s.start(t, "mlesctl sub v1://localhost hall", "MLES_KEY=swordfish")
	s.members(t, "v1", 1)
	s.does(t, 0, "mlesctl pub wss://mles.example.org hall 'hello from v2'", trust)
	watcher.Says(t, "hello from v2\n")
	s.does(t, 4, "mlesctl pub v1://localhost hall 'let me in'")
	s.does(t, 4, "mlesctl pub wss://mles.example.org hall 'let me in'", trust, "MLES_KEY=swordfish")
	gateway.Terminate(t)
}

// Every key in the file is accepted, by both generations, and no other.
func changeKey(t *testing.T, c *clone, _ *document, block []string) {
	s, trust := c.deployment(t)
	hosts.WriteFile(t, filepath.Join(s.dir, "mles.keys"), []byte("# changed in spring\nherring\nswordfish\n"))
	gateway := s.start(t, block[0])
	s.listening(t, 8077, 443)
	watcher := s.start(t, "mlesctl sub v1://localhost hall", "MLES_KEY=herring")
	s.members(t, "v1", 1)
	for _, address := range []string{"v1://localhost", "wss://mles.example.org"} {
		for _, key := range []string{"herring", "swordfish"} {
			s.does(t, 0, "mlesctl pub "+address+" hall 'with "+key+" to "+address+"'", "MLES_KEY="+key, trust)
			watcher.Says(t, "with "+key+" to "+address+"\n")
		}
		s.does(t, 4, "mlesctl pub "+address+" hall 'let me in'", "MLES_KEY=wrong", trust)
	}
	gateway.Terminate(t)
}

// Somebody asks whether v1 can be turned off, as a script would: by the exit status.
func turnOff(t *testing.T, c *clone, _ *document, block []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd")
	s.listening(t, 8077, 9077)
	if said := s.does(t, 5, block[0]).Screen(); !strings.Contains(said, "Nobody can tell") {
		t.Errorf("of a gateway just started, %s says %q", block[0], said)
	}
	watcher := s.start(t, "mlesctl sub v1://localhost hall --uid alice")
	s.members(t, "v1", 1)
	if said := s.does(t, 1, block[0]).Screen(); !strings.Contains(said, "alice") || !strings.Contains(said, "do not turn it off") {
		t.Errorf("%s says %q", block[0], said)
	}
	if said := s.does(t, 0, block[1]).Screen(); !strings.Contains(said, "alice") || !strings.Contains(said, "1 members (v1 1,") {
		t.Errorf("%s says %q", block[1], said)
	}
	watcher.Terminate(t)
	s.members(t, "v1", 0)
	gateway.Terminate(t)
	gateway = s.start(t, "mlesd")
	s.listening(t, 8077, 9077)
	if said := s.does(t, 1, block[0]).Screen(); !strings.Contains(said, "alice") {
		t.Errorf("after a restart, %s says %q", block[0], said)
	}
	gateway.Terminate(t)
}

// v1 loses a channel, then its voice, then its listener; whoever is on v2 stays all the time.
func reload(t *testing.T, c *clone, d *document, block []string) {
	s := c.stage(t, t.TempDir())
	file := filepath.Join(s.dir, "mlesd.env")
	set := func(setting string) {
		if !strings.Contains(d.text, "`"+setting+"`") {
			t.Errorf("README.md does not name %s", setting)
		}
		hosts.WriteFile(t, file, []byte("# "+setting+" is what changed\n"+setting+"\n"))
	}
	hosts.WriteFile(t, file, []byte("MLESD_HISTORY_LIMIT=50\n"))
	gateway := s.start(t, block[0])
	s.listening(t, 8077, 8443, 9077)
	bob := s.start(t, "mlesctl sub wss://localhost:8443 iot/lamp --uid bob")
	s.members(t, "v2", 1)
	alice := s.start(t, "mlesctl sub v1://localhost hall --uid alice")
	s.members(t, "v1", 1)

	set("MLESD_V1_CHANNELS='iot/**'")
	if said := s.does(t, 0, block[1]).Screen(); !strings.Contains(said, "--v1-channels") || !strings.Contains(said, "1, channel not allowed") {
		t.Errorf("%s says %q", block[1], said)
	}
	ends(t, alice, 4)
	s.does(t, 0, "mlesctl pub v1://localhost iot/lamp on")
	bob.Says(t, "on\n")

	set("MLESD_V1_READ_ONLY=true")
	s.does(t, 0, block[1])
	s.does(t, 0, "mlesctl pub v1://localhost iot/lamp off")
	s.does(t, 0, "mlesctl pub wss://localhost:8443 iot/lamp dimmed --uid carol")
	bob.Says(t, "on\ndimmed\n")

	set("MLESD_V1_LISTEN=off")
	s.does(t, 0, block[1])
	s.silent(t, 8077)
	s.does(t, 0, "mlesctl pub wss://localhost:8443 iot/lamp 'v1 is off' --uid carol")
	bob.Says(t, "v1 is off\n")
	hosts.WriteFile(t, file, []byte("MLESD_V1_LISTN=off\n"))
	if said := s.does(t, 1, block[1]).Screen(); !strings.Contains(said, "mlesd.env:1: unknown name MLESD_V1_LISTN") {
		t.Errorf("%s says %q", block[1], said)
	}
	bob.Terminate(t)
	gateway.Terminate(t)
}
