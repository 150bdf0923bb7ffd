package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"mles/cmd/internal/bench/floor"
)

// serveRaw is a copy server for one publisher and one subscriber, which does with
// the publisher's bytes what pass says.
func serveRaw(t *testing.T, pass func(b []byte) []byte) Target {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var sub net.Conn
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				buf := make([]byte, 64<<10)
				for first := true; ; first = false {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					b := buf[:n]
					mu.Lock()
					if first {
						if b[0] == floor.Subscriber {
							sub = c
						}
						b = b[floor.HeaderLen:]
					}
					if len(b) > 0 && sub != nil {
						sub.Write(pass(b))
					}
					mu.Unlock()
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return Target{Dialect: Raw, Addr: l.Addr().String()}
}

func TestFaultyServersAreFound(t *testing.T) {
	const size = 64
	seen := 0 // by the server that loses one, and nobody else
	for name, c := range map[string]struct {
		pass func(b []byte) []byte
		want string
	}{
		"loses one": {func(b []byte) []byte {
			if seen += len(b); seen > 50*size && len(b) > size {
				b = b[size:]
			}
			return b
		}, "was due"},
		"doubles": {func(b []byte) []byte {
			if len(b) > 2*size {
				b = append(b[:size:size], b...)
			}
			return b
		}, "where 1 was due"},
		"alters": {func(b []byte) []byte {
			for i := size - 1; len(b) > 2*size && i < len(b); i += size {
				b[i] ^= 0xff
			}
			return b
		}, "not as it was sent"},
		"stops": {func(b []byte) []byte {
			if len(b) > size {
				return nil
			}
			return b
		}, "nothing moved any more"},
	} {
		where := serveRaw(t, c.pass)
		r, err := Run(t.Context(), Plan{
			Mode: Fanout, Runs: 1, Patience: 600 * time.Millisecond,
			Load:    Load{Channels: 1, Subs: 1, Pubs: 1, Size: size, Messages: 2000, Batch: 4096},
			Subject: Contestant{Name: name, Pub: where, Sub: where},
		})
		if err != nil {
			t.Fatal(err)
		}
		if errs := r.Entries[0].Errors; len(errs) != 1 || !strings.Contains(errs[0], c.want) {
			t.Errorf("a server that %s: errors %q, want one with %q", name, errs, c.want)
		}
		if !r.Failed() {
			t.Errorf("a server that %s: the report has not failed", name)
		}
	}
}

func TestWrongKeyIsAnError(t *testing.T) {
	h := openHouse(t)
	for name, where := range map[string]Target{"v1": h.v1, "ws": h.ws, "nobody there": {Dialect: V1, Addr: "127.0.0.1:1"}} {
		where.Key = "wrong"
		r, err := Run(t.Context(), Plan{
			Mode: Fanout, Runs: 1, Patience: 5 * time.Second,
			Load:    Load{Channels: 1, Subs: 1, Pubs: 1, Size: 64, Messages: 10},
			Subject: Contestant{Name: name, Pub: where, Sub: where},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Entries[0].Errors) != 1 {
			t.Errorf("%s: errors %q, want one", name, r.Entries[0].Errors)
		}
	}
}

// certificate makes one for localhost.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
