package acme

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// certificate is what /status tells of one.
type certificate struct {
	Domain   string
	Source   string
	NotAfter time.Time `json:"not_after"`
	Problem  string
}

// tells is what /status says of the certificate of a domain; /metrics must say the same.
func (g *gateway) tells(domain string) certificate {
	g.T.Helper()
	var doc struct{ Certificates []certificate }
	if err := json.Unmarshal(g.asked("/status"), &doc); err != nil {
		g.T.Fatal(err)
	}
	metrics := string(g.asked("/metrics"))
	for _, c := range doc.Certificates {
		if c.Domain != domain {
			continue
		}
		expiry, problem := int64(0), 0
		if c.Source != "" {
			expiry = c.NotAfter.Unix()
		}
		if c.Problem != "" {
			problem = 1
		}
		for _, want := range []string{
			fmt.Sprintf("mles_certificate_expiry_timestamp_seconds{domain=%q} %v\n", domain, float64(expiry)),
			fmt.Sprintf("mles_certificate_problem{domain=%q} %d\n", domain, problem),
		} {
			if !strings.Contains(metrics, want) {
				g.T.Errorf("/status says %+v, and no metric %s", c, want)
			}
		}
		return c
	}
	g.T.Fatalf("/status knows no certificate of %s: %+v", domain, doc.Certificates)
	return certificate{}
}

// asked is an answer of the admin listener.
func (g *gateway) asked(path string) []byte {
	g.T.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Get("http://" + g.at.at(adminPort) + path)
	if err != nil {
		g.T.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		g.T.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
	return body
}
