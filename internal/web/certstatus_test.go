package web

import (
	"os"
	"strings"
	"testing"
	"time"
)

// What is shown for each domain is told, with what is wrong: before the authority could be reached, when it has issued,
// and from an older server meanwhile.
func TestStatusOfDomains(t *testing.T) {
	ca := newFakeCA(t)
	log := new(journal)
	certs, err := NewACME(ACMEConfig{
		Domains: []string{"mles.example", "chat.mles.example", "mles.example"}, Cache: t.TempDir(),
		Directory: ca.directory(), Client: ca.client(), Logger: log.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { certs.Close() })
	before := certs.Status()
	if len(before) != 2 || before[0].Domain != "mles.example" || before[0].Source != "" || !before[0].NotAfter.IsZero() {
		t.Errorf("at first: %+v", before)
	}
	addr := listen(t, certs.TLSConfig("http/1.1"))
	ca.reach(addr)
	certs.Start()
	eventually(t, "both certificates are there", func() bool { return log.count("certificate ready") == 2 })
	for _, s := range certs.Status() {
		state, err := visit(t, addr, s.Domain, ca.roots())
		if err != nil || s.Source != SourceACME || s.Problem != "" || !s.NotAfter.Equal(state.PeerCertificates[0].NotAfter) {
			t.Errorf("%+v, %v", s, err)
		}
	}
}

// An authority that is not there is what is wrong.
func TestStatusOfAuthorityThatIsDown(t *testing.T) {
	ca := newFakeCA(t)
	directory := ca.directory()
	ca.close()
	log := new(journal)
	certs, err := NewACME(ACMEConfig{
		Domains: []string{"mles.example"}, Cache: t.TempDir(), Directory: directory, Client: ca.client(), Logger: log.logger(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { certs.Close() })
	certs.Start()
	eventually(t, "it is told", func() bool { return log.count("no certificate yet") > 0 })
	if s := certs.Status()[0]; s.Source != "" || s.Problem == "" || time.Since(s.At) > time.Minute {
		t.Errorf("%+v", s)
	}
}

// A pair that is broken is told until there is a good one; the old one is shown meanwhile.
func TestStatusOfFiles(t *testing.T) {
	_, certFile, keyFile := certFolder(t)
	log := new(journal)
	certs, err := NewFiles(certFile, keyFile, log.logger())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { certs.Close() })
	good, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	first := certs.Status()[0]
	if first.Source != SourceFile || first.Domain == "" || first.NotAfter.IsZero() || first.Problem != "" {
		t.Errorf("%+v", first)
	}
	for _, c := range []struct {
		text    []byte
		problem bool
	}{{[]byte("broken"), true}, {good, false}} {
		if err := os.WriteFile(certFile, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the file is looked at", func() bool { return (certs.Status()[0].Problem != "") == c.problem })
		s := certs.Status()[0]
		if !s.NotAfter.Equal(first.NotAfter) || c.problem && !strings.Contains(s.Problem, certFile) {
			t.Errorf("%+v", s)
		}
	}
}

func TestStatusOfSelfSigned(t *testing.T) {
	certs, err := NewSelfSigned("", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := certs.Status()
	if len(s) != 1 || s[0].Domain != "localhost" || s[0].Source != SourceSelfSigned || time.Until(s[0].NotAfter) < 300*24*time.Hour {
		t.Errorf("%+v", s)
	}
	if none := new(Certificates).Status(); none != nil {
		t.Errorf("without listeners: %+v", none)
	}
}
