package acme

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"mles/v1"
)

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
	g.Says("level=ERROR", `msg="no certificate yet"`, "domain=mles.example", "clients are refused", "connection refused")
	if told := g.tells("mles.example"); told.Source != "" || !strings.Contains(told.Problem, "connection refused") {
		t.Errorf("without a certificate it is told: %+v", told)
	}
	begun := time.Now()
	if _, err := g.shows("mles.example", nil); err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("without a certificate: %v after %s", err, time.Since(begun))
	}

	ca := authority{badNonces: 10, blocked: []string{"blocked.example"}}.begin(at)
	g.ready("mles.example")
	bob := g.joinV2("bob", "mles.example", ca.roots())
	hears(t, bob, "anybody?")
	if err := alice.Send([]byte("good")); err != nil {
		t.Fatal(err)
	}
	hears(t, bob, "good")
	g.Says("level=ERROR", `msg="no certificate yet"`, "domain=blocked.example", "rejectedIdentifier")
	if told := g.tells("mles.example"); told.Source != "acme" || told.Problem != "" {
		t.Errorf("with a certificate it is told: %+v", told)
	}
	if told := g.tells("blocked.example"); told.Source != "" || !strings.Contains(told.Problem, "rejectedIdentifier") {
		t.Errorf("of blocked.example it is told: %+v", told)
	}
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
	g.Says("level=WARN", "could not prove the name", "domain=mles.example", "by=tls-alpn-01", "Failed to connect")
	if len(ca.Said("Attempting to validate w/ HTTP")) == 0 {
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
	g.Says("level=WARN", "could not prove the name", "domain=mles.example", "by=tls-alpn-01", "Failed to connect")
	g.Says("level=ERROR", `msg="no certificate yet"`, "domain=mles.example")
}
