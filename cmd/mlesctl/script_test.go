package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"mles/bridge"
	"mles/internal/control"
	"mles/internal/seen"
	admin "mles/internal/status"
)

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"mlesctl": main})
}

// leakChecked fails a run of tests after which a goroutine is left.
type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int {
	code := l.m.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestScripts plays the sessions in testdata/script. Besides what testscript
// itself knows, a script can say:
//
//	gateway [KEY]  starts a gateway that wants KEY, and sets $V1, $V1S, $WS and
//	               $WSS to its addresses on localhost, $ADMIN to that of its admin
//	               listener; its certificate, made for localhost by itself, is
//	               cache/localhost.pem
//	blob FILE N    writes N bytes that are no text into FILE
//	status CODE mlesctl ARG…
//	               runs mlesctl, which must end with CODE
//	members N      waits until the gateway has N members
func TestScripts(t *testing.T) {
	certificate, certPEM := selfSigned(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // does not change what is found
			cache := filepath.Join(env.WorkDir, "cache")
			if err := os.Mkdir(cache, 0o700); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(cache, "localhost.pem"), certPEM, 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"gateway": func(ts *testscript.TestScript, neg bool, args []string) {
				startGateway(ts, certificate, args)
			},
			"blob":    writeBlob,
			"status":  expectStatus,
			"members": awaitMembers,
		},
	})
}

// startGateway is the command gateway.
func startGateway(ts *testscript.TestScript, certificate tls.Certificate, keys []string) {
	record := seen.New("", slog.New(slog.DiscardHandler))
	g, err := bridge.New(bridge.Config{V1Keys: keys, V2Keys: keys, V1WebSocket: true, Witness: record, Logger: slog.New(slog.DiscardHandler)})
	ts.Check(err)
	ts.Defer(func() { g.Close() })
	mux := http.NewServeMux()
	source := &admin.Source{
		Gateway: g, Seen: record, Version: "of the test", Started: time.Now(),
		Listeners: func() []admin.Listener { return []admin.Listener{{Flag: "--v1-listen", Address: "[::1]:8077"}} },
	}
	source.Register(mux.Handle)
	(&control.Routes{Gateway: g, Log: slog.New(slog.DiscardHandler)}).Register(mux.Handle)
	office := httptest.NewServer(mux)
	ts.Defer(office.Close)
	ts.Setenv("ADMIN", strings.TrimPrefix(office.URL, "http://"))
	conf := &tls.Config{Certificates: []tls.Certificate{certificate}}
	for name, serve := range map[string]func(net.Listener) error{
		"V1":  g.ServeV1,
		"V1S": func(l net.Listener) error { return g.ServeV1TLS(l, conf) },
		"WS":  g.ServeV2,
		"WSS": func(l net.Listener) error { return g.ServeV2TLS(l, conf) },
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ts.Setenv(name, strings.ToLower(name)+"://localhost:"+port)
		go serve(l)
	}
}

// writeBlob is the command blob.
func writeBlob(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: blob FILE N")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(255 - i%256)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes, 0o600))
}

// expectStatus is the command status.
func expectStatus(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: status CODE PROGRAM ARG…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("status is %s, want %s", got, args[0])
	}
}

// awaitMembers is the command members.
func awaitMembers(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: members N")
	}
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	ask := statusCommand{adminFlags: adminFlags{Admin: ts.Getenv("ADMIN")}}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var doc admin.Document
		_, err := ask.fetch(context.Background(), "/status", ask.query(), &doc)
		ts.Check(err)
		if doc.Stats.Members == want {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%d members, want %d", doc.Stats.Members, want)
		}
	}
}

// selfSigned makes a certificate for localhost.
func selfSigned(t *testing.T) (certificate tls.Certificate, certPEM []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, certPEM
}
