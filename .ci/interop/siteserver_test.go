//go:build interop

package interop

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"mles/.ci/hosts"
)

// A siteServer serves pages on port 443 of a host of its own.
type siteServer struct {
	*host
	conf *tls.Config
}

// startSites runs mles 2.9.4 and the gateway on www with the same flags.
func startSites(t *testing.T, www string, flags ...string) (theirs, ours *siteServer) {
	t.Helper()
	crt := hosts.NewCertificate(t, "localhost")
	conf := &tls.Config{RootCAs: pool(t, crt.Cert), ServerName: "localhost", NextProtos: []string{"http/1.1"}}
	theirs, ours = &siteServer{newHost(t), conf}, &siteServer{newHost(t), conf}
	theirs.startMles2Site(t, "k", crt, "443", www, []string{"localhost", "b.example"}, append(flags, "--per-ip-limit", "30000")...)
	ours.startPages(t, crt, www, flags...)
	return theirs, ours
}

// startPages runs the gateway on www.
func (s *siteServer) startPages(t *testing.T, crt hosts.Certificate, www string, flags ...string) {
	t.Helper()
	argv := append([]string{filepath.Join(programs, "mlesd"), "--v2-listen=:443", "--tls-cert", crt.Cert, "--tls-key", crt.Key,
		"--wwwroot", www, "--cache", t.TempDir()}, flags...)
	s.start(t, "mlesd", append(keyEnv("k"), "HOME="+t.TempDir()), argv...)
	s.serving(t, "localhost:443", crt)
}

// A siteAnswer is what is compared of an answer.
type siteAnswer struct {
	status   int
	kind     string // Content-Type
	encoding string
	body     string // decoded
	http.Header
}

// compared are the headers in which files must agree: those with a meaning for browsers that both send.
var compared = []string{
	"Last-Modified", "Strict-Transport-Security", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy",
	"Cross-Origin-Opener-Policy", "Cross-Origin-Embedder-Policy", "Cross-Origin-Resource-Policy", "Access-Control-Allow-Origin",
}

// differs says in what b, the gateway's answer, is another than a. A failure's words may be others.
func (a siteAnswer) differs(b siteAnswer) string {
	if a.status != b.status || a.kind != b.kind {
		return fmt.Sprintf("mles 2.9.4 answers %d %s, the gateway %d %s", a.status, a.kind, b.status, b.kind)
	}
	if a.status != http.StatusOK {
		return ""
	}
	for _, name := range compared {
		if a.Get(name) != b.Get(name) {
			return fmt.Sprintf("%s: mles 2.9.4 says %q, the gateway %q", name, a.Get(name), b.Get(name))
		}
	}
	if a.body != b.body {
		return fmt.Sprintf("bodies of %d and %d bytes", len(a.body), len(b.body))
	}
	return ""
}

// asks sends a request over TLS, spelled as it is, on a connection of its own.
func (s *siteServer) asks(t *testing.T, r siteRequest) siteAnswer {
	t.Helper()
	nc, err := s.Dial("127.0.0.1:443")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	return askSite(t, tls.Client(nc, s.conf), r)
}

func askSite(t *testing.T, nc net.Conn, r siteRequest) siteAnswer {
	t.Helper()
	nc.SetDeadline(time.Now().Add(hosts.Patience))
	method, name := r.method, r.host
	if method == "" {
		method = "GET"
	}
	if name == "" {
		name = "localhost"
	}
	lines := append([]string{method + " " + r.path + " HTTP/1.1", "Host: " + name, "Connection: close"}, r.headers...)
	if _, err := io.WriteString(nc, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(nc), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}
	a := siteAnswer{answer.StatusCode, answer.Header.Get("Content-Type"), answer.Header.Get("Content-Encoding"), string(body), answer.Header}
	if length := answer.Header.Get("Content-Length"); method != "HEAD" && a.status == 200 && length != fmt.Sprint(len(body)) {
		t.Errorf("%s: Content-Length %q of %d bytes", r, length, len(body))
	}
	if a.status == 200 && method != "HEAD" {
		a.body = a.decoded(t, body)
	}
	return a
}

func (a siteAnswer) decoded(t *testing.T, body []byte) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	var err error
	switch a.encoding {
	case "":
	case "gzip":
		r, err = gzip.NewReader(r)
	case "br":
		r = brotli.NewReader(r)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(r); err == nil {
			defer d.Close()
			r = d
		}
	default:
		t.Fatalf("encoding %q", a.encoding)
	}
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(decoded)
}
