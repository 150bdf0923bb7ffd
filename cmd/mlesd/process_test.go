package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mles/v1"
	"mles/v2"
)

// roots is what a client trusts that was told of the gateway's own certificate.
func (p *process) roots() *x509.CertPool { return p.rootsOf("--v2-listen") }

// rootsOf is the same where there may be no v2.
func (p *process) rootsOf(flag string) *x509.CertPool {
	p.t.Helper()
	p.addr(flag) // it is there by then
	file, err := os.ReadFile(filepath.Join(p.cache, "localhost.pem"))
	if err != nil {
		p.t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(file) {
		p.t.Fatal("localhost.pem holds no certificate")
	}
	return pool
}

func (p *process) dialV1(conf *v1.Dialer, uid, first string) *v1.ClientConn {
	p.t.Helper()
	flag := "--v1-listen"
	if conf.TLS != nil {
		flag = "--v1-tls-listen"
	}
	c, err := conf.Dial(p.t.Context(), p.addr(flag), uid, "hall", []byte(first))
	if err != nil {
		p.t.Fatal(err)
	}
	p.clients = append(p.clients, func() { c.Close() })
	return c
}

func (p *process) dialV2(key, uid string) *v2.ClientConn {
	p.t.Helper()
	d := &v2.Dialer{Key: key, TLS: &tls.Config{RootCAs: p.roots()}}
	c, err := d.Dial(p.t.Context(), "wss://"+p.addr("--v2-listen"), uid, "hall")
	if err != nil {
		p.t.Fatal(err)
	}
	p.clients = append(p.clients, func() { c.Close(1000, "") })
	return c
}

// heard reads from c until a binary message comes.
func heard(t *testing.T, c *v2.ClientConn) string {
	t.Helper()
	for {
		op, data, err := c.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if op == v2.OpBinary {
			return string(data)
		}
	}
}

func (p *process) get(path string) (status int, body string) {
	p.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + p.addr("--admin-listen") + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// With its own certificate and no keys: alice on v1 writes, carol writes over v1 with TLS, bob on v2 reads both.
func TestAliceOnV1BobOnV2(t *testing.T) {
	p := start(t, nil, "--v1-tls-listen=127.0.0.1:0")
	bob := p.dialV2("", "bob")
	p.dialV1(new(v1.Dialer), "alice", "hello bob")
	if got := heard(t, bob); got != "hello bob" {
		t.Errorf("bob heard %q", got)
	}
	p.dialV1(&v1.Dialer{TLS: &tls.Config{RootCAs: p.roots(), ServerName: "localhost"}}, "carol", "me too")
	if got := heard(t, bob); got != "me too" {
		t.Errorf("bob heard %q", got)
	}
	p.stop()
}

// Keys differ by dialect and rotate: v1 takes the old and the new one, v2 needs none; no key is ever in the log.
func TestKeysOfEachDialect(t *testing.T) {
	dir := t.TempDir()
	v1Keys, v2Keys := filepath.Join(dir, "v1"), filepath.Join(dir, "v2")
	if err := os.WriteFile(v1Keys, []byte("# since May\nnewswordfish\n\nold swordfish\r\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(v2Keys, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, []string{"MLES_KEY=thirdswordfish"}, "--v1-key-file="+v1Keys, "--v2-key-file="+v2Keys)
	bob := p.dialV2("", "bob")
	for i, key := range []string{"newswordfish", "old swordfish"} {
		p.dialV1(&v1.Dialer{Key: key}, "alice"+strconv.Itoa(i), key+" works")
		if got := heard(t, bob); got != key+" works" {
			t.Errorf("bob heard %q", got)
		}
	}
	for _, key := range []string{"thirdswordfish", "# since May", ""} {
		refused := p.dialV1(&v1.Dialer{Key: key}, "mallory", "hello")
		_ = refused.NetConn().SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := refused.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("mallory with key %q: %v, want end of file", key, err)
		}
	}
	l := p.line("mlesd starts", nil)
	if l["v1_auth"] != "shared key" || l["v1_keys"] != 2.0 || l["v2_auth"] != "none" || l["v2_keys"] != 0.0 {
		t.Errorf("the start line says %v", l)
	}
	if n, ok := l["max_connections"].(float64); !ok || n < 1 { // by the limit on open files, since none was given
		t.Errorf("there is room for %v connections", l["max_connections"])
	}
	p.stop()
	if strings.Contains(p.log(), "swordfish") || strings.Contains(p.stdout.String(), "swordfish") {
		t.Error("a key was printed")
	}
	if !strings.Contains(p.log(), "can be read by every user") {
		t.Error("no warning of a file that others can read")
	}
	if strings.Contains(p.log(), v2Keys+" can be read") {
		t.Error("a warning of a file that others cannot read")
	}
}

// One key for both dialects from the environment, without auth nobody gets in.
func TestOneKeyForBothDialects(t *testing.T) {
	p := start(t, []string{"MLES_KEY=swordfish"})
	bob := p.dialV2("swordfish", "bob")
	p.dialV1(&v1.Dialer{Key: "swordfish"}, "alice", "hi")
	if got := heard(t, bob); got != "hi" {
		t.Errorf("bob heard %q", got)
	}
	var refused *websocket.CloseError
	if _, _, err := p.dialV2("", "mallory").Recv(); !errors.As(err, &refused) || refused.Code != 1008 {
		t.Errorf("mallory without auth: %v, want 1008", err)
	}
	p.stop()
	if strings.Contains(p.log(), "swordfish") {
		t.Error("the key was logged")
	}
}

// The whole admin listener: health, readiness, metrics with the gateway's own and those of Go.
func TestAdmin(t *testing.T) {
	p := start(t, nil)
	p.dialV1(new(v1.Dialer), "alice", "hi")
	if status, _ := p.get("/healthz"); status != 200 {
		t.Errorf("/healthz is %d", status)
	}
	if status, _ := p.get("/debug/pprof/"); status != 404 {
		t.Errorf("/debug/pprof/ is %d", status)
	}
	eventually(t, "alice is counted", func() bool {
		_, body := p.get("/metrics")
		return strings.Contains(body, "mles_joins_total{dialect=\"v1\"} 1\n")
	})
	_, body := p.get("/metrics")
	for _, want := range []string{`mles_members{dialect="v1"} 1`, "mles_channels 1", "mles_build_info{", "go_goroutines", "mles_memory_limit_bytes"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	p.stop()
}

// A second gateway on the machine starts although the first one has the usual admin port.
func TestUsualAdminPortTaken(t *testing.T) {
	if l, err := net.Listen("tcp", "127.0.0.1:9077"); err == nil {
		defer l.Close() // else somebody else has it, which serves as well
	}
	conf, err := parse([]string{"--v1-listen=127.0.0.1:0", "--v2-listen=off"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	logger, level := conf.logger(&log)
	if err := (&daemon{conf: conf, log: logger, level: level, stdout: io.Discard}).run(ctx); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "going on without metrics") {
		t.Errorf("no warning in the log:\n%s", log.String())
	}
}

// With nothing but ports given, somebody is told how to chat, with the ports that were found and a certificate that
// can be checked.
func TestGreeting(t *testing.T) {
	p := start(t, []string{"MLES_KEY=swordfish"}, "--log-format=text", "--v1-listen=localhost:0", "--v2-listen=localhost:0")
	eventually(t, "it serves", func() bool { return strings.Contains(p.log(), "flag=--admin-listen") })
	p.stop()
	said := p.stdout.String()
	for _, want := range []string{
		`(?m)^  mlesctl chat v1://localhost:[0-9]+ hall --uid alice$`,
		`(?m)^  mlesctl chat wss://localhost:[0-9]+ hall --uid bob --ca ` + regexp.QuoteMeta(p.cache) + `/localhost.pem$`,
		`(?m)^Or open http://127.0.0.1:[0-9]+/chat in a browser.$`,
		`MLES_KEY or --key-file`,
	} {
		if !regexp.MustCompile(want).MatchString(said) {
			t.Errorf("no %s in\n%s", want, said)
		}
	}
}

// Programs that read the log want no greeting.
func TestNoGreetingForPrograms(t *testing.T) {
	p := start(t, nil)
	p.addr("--admin-listen")
	p.stop()
	if said := p.stdout.String(); said != "" {
		t.Errorf("on standard output:\n%s", said)
	}
}

// localhost means both loopback addresses on the same port, which a client may try in either order.
func TestLocalhostIsBothLoopbacks(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("no IPv6 here")
	} else {
		l.Close()
	}
	p := start(t, nil, "--v2-listen=localhost:0")
	at := func(prefix string) string {
		addr := p.line("listening", func(l map[string]any) bool {
			return l["flag"] == "--v2-listen" && strings.HasPrefix(l["addr"].(string), prefix)
		})["addr"].(string)
		return strings.TrimPrefix(addr, prefix)
	}
	if four, six := at("127.0.0.1:"), at("[::1]:"); four != six {
		t.Errorf("ports %s and %s", four, six)
	}
	p.stop()
}

// A certificate that is replaced under a running gateway is shown to the next client.
func TestCertificateReplacedWhileServing(t *testing.T) {
	first, second := start(t, nil), start(t, nil) // two that make one each, for their files
	first.addr("--admin-listen")
	second.addr("--admin-listen")
	dir := t.TempDir()
	take := func(from *process, name string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(from.cache, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "new"), b, 0o600)
		}
		if err == nil {
			err = os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	take(first, "localhost.pem")
	take(first, "localhost-key.pem")
	p := start(t, nil, "--tls-cert="+filepath.Join(dir, "localhost.pem"), "--tls-key="+filepath.Join(dir, "localhost-key.pem"))
	trusts := func(other *process) bool {
		nc, err := tls.Dial("tcp", p.addr("--v2-listen"), &tls.Config{RootCAs: other.roots()})
		if err != nil {
			return false
		}
		nc.Close()
		return true
	}
	if !trusts(first) || trusts(second) {
		t.Error("another certificate than the one given")
	}
	take(second, "localhost-key.pem")
	take(second, "localhost.pem")
	eventually(t, "the new certificate is shown", func() bool { return trusts(second) })
	p.stop()
}

// eventually waits until ok holds in another process, which no fake clock moves.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not within 20 s: " + what)
		}
	}
}
