package main

import (
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct {
		text, url, shown string
		local            bool
	}{
		{"v1://localhost", "v1://localhost:8077", "v1://localhost:8077", true},
		{"v1://localhost:9000/", "v1://localhost:9000", "v1://localhost:9000", true},
		{"v1s://mles.example", "v1s://mles.example:8077", "v1s://mles.example:8077", false},
		{"V1://127.0.0.1", "v1://127.0.0.1:8077", "v1://127.0.0.1:8077", true},
		{"v1://[::1]", "v1://[::1]:8077", "v1://[::1]:8077", true},
		{"v1://[fe80::1%25eth0]:80", "v1://[fe80::1%eth0]:80", "v1://[fe80::1%eth0]:80", false},
		{"ws://mles.example", "ws://mles.example:80/", "ws://mles.example:80", false},
		{"wss://localhost:8443", "wss://localhost:8443/", "wss://localhost:8443", true},
		{"wss://mles.example/a/b?c=d", "wss://mles.example:443/a/b?c=d", "wss://mles.example:443/a/b?c=d", false},
		{"v1+ws://mles.example:8076", "ws://mles.example:8076/", "v1+ws://mles.example:8076", false},
		{"V1+WSS://localhost/x", "wss://localhost:443/x", "v1+wss://localhost:443/x", true},
		{"wss://[2001:db8::1]:8443/x", "wss://[2001:db8::1]:8443/x", "wss://[2001:db8::1]:8443/x", false},
	} {
		a, err := parseAddress(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if a.url() != c.url || a.String() != c.shown || a.onLocalhost() != c.local {
			t.Errorf("%s: url %s, shown %s, local %v; want %s, %s, %v",
				c.text, a.url(), a, a.onLocalhost(), c.url, c.shown, c.local)
		}
	}
}

func TestParseAddressRefuses(t *testing.T) {
	for text, complaint := range map[string]string{
		"":                         "no scheme",
		"localhost":                "no scheme",
		"localhost:8077":           "no scheme",
		"http://localhost":         `nothing speaks "http"`,
		"v2://localhost":           `nothing speaks "v2"`,
		"v1://":                    "no host",
		"ws:///path":               "no host",
		"v1://:8077":               "no host",
		"v1://::1":                 "brackets",
		"v1://fe80::1:8077":        "brackets",
		"v1://[::1":                "missing ']'",
		"v1://localhost:http":      "port",
		"v1://localhost:0":         "port",
		"v1://localhost:65536":     "port",
		"v1://localhost/hall":      "no path",
		"v1://localhost?x=1":       "no path",
		"v1+v1://localhost":        "nothing speaks",
		"wss://localhost/#hall":    "#",
		"wss://alice@localhost":    "--uid",
		"wss://local host":         "invalid character",
		"v1://alice:pw@localhost/": "--uid",
	} {
		_, err := parseAddress(text)
		if err == nil || !strings.Contains(err.Error(), complaint) || status(err) != exitUsage {
			t.Errorf("%q: got %v, status %d; want a complaint about %s", text, err, status(err), complaint)
		}
	}
}
