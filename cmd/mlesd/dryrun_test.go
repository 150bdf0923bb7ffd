package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"mles/v1"
)

// scriptIssue makes a certificate that signs itself, and its key: issue CERT KEY name...; it is valid until 2100.
func scriptIssue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: issue CERT KEY name...")
	}
	ts.Check(issue(ts.MkAbs(args[0]), ts.MkAbs(args[1]), time.Now().Add(-time.Hour), time.Date(2100, 1, 1, 12, 0, 0, 0, time.UTC), args[2:]...))
}

// issue makes a certificate for names that signs itself, and its key, in files.
func issue(certFile, keyFile string, from, until time.Time, names ...string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: names, NotBefore: from, NotAfter: until}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

// checked runs --check and returns what it says on each output.
func checked(t *testing.T, status int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, bad bytes.Buffer
	if got := mlesd(append(args, "--check"), &out, &bad); got != status {
		t.Fatalf("exit status %d, want %d: %s%s", got, status, &out, &bad)
	}
	return out.String(), bad.String()
}

// everything is each file and folder below dir, with its mode and when it was changed.
func everything(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all[path] = info.Mode().String() + " " + info.ModTime().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A gateway serves; its settings are checked before a reload, beside it. Neither it nor, once it has ended, its files
// notice.
func TestCheckOfARunningGateway(t *testing.T) {
	p := start(t, nil)
	bob := p.dialV2("", "bob")
	args := []string{"--v1-listen=" + p.addr("--v1-listen"), "--v2-listen=" + p.addr("--v2-listen"),
		"--admin-listen=" + p.addr("--admin-listen"), "--cache=" + p.cache}
	out, bad := checked(t, exitOK, args...)
	if n := strings.Count(out, "in use now"); n != 3 || strings.Count(bad, "address already in use") != 3 {
		t.Errorf("it says %s%s", out, bad)
	}
	if !strings.Contains(out, "self-signed, until ") {
		t.Errorf("the certificate is not found: %s", out)
	}
	p.dialV1(new(v1.Dialer), "alice", "still here")
	if got := heard(t, bob); got != "still here" {
		t.Errorf("bob heard %q", got)
	}
	p.stop()

	before := everything(t, p.cache)
	out, bad = checked(t, exitOK, args...)
	if strings.Contains(out, "in use") || bad != "" {
		t.Errorf("of a stopped gateway it says %s%s", out, bad)
	}
	if diff := cmp.Diff(before, everything(t, p.cache)); diff != "" {
		t.Errorf("something was written: %s", diff)
	}
}

// A certificate's time, and who can read its key.
func TestCheckOfCertificateFiles(t *testing.T) {
	const day = 24 * time.Hour
	for want, valid := range map[string][2]time.Duration{
		"the certificate has expired":     {-2 * day, -day},
		" is valid from ":                 {day, 40 * day},
		": renew it":                      {-day, 3 * day},
		"":                                {-day, 30 * day},
		" can be read by every user of t": {-day, 31 * day},
	} {
		dir := t.TempDir()
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		if err := issue(cert, key, time.Now().Add(valid[0]), time.Now().Add(valid[1]), "mles.example"); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(want, " can be read") {
			if err := os.Chmod(key, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, bad := checked(t, exitOK, "--v1-listen=off", "--v2-listen=127.0.0.1:0", "--admin-listen=off", "--cache="+filepath.Join(dir, "cache"),
			"--tls-cert="+cert, "--tls-key="+key)
		if want == "" && bad != "" || want != "" && (strings.Count(bad, "\n") != 1 || !strings.Contains(bad, want)) {
			t.Errorf("it says %q, want %q", bad, want)
		}
	}
}
