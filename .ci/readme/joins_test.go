//go:build readme

package readme

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A device's key has leaked: it opens the channels of devices, on v1, and the gateway tells of what else is tried.
func leakedKey(t *testing.T, c *clone, _ *document, _ []string) {
	s := c.stage(t, t.TempDir())
	for name, text := range map[string]string{
		"mles.keys": "swordfish\nherring channels=iot/*,hall dialects=v1\n",
		"herring":   "herring channels=iot/*\n", // mlesctl passes over what it opens
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	gateway := s.start(t, "mlesd --key-file mles.keys")
	s.listening(t, 8077, 8443)
	s.does(t, 0, "mlesctl pub v1://localhost hall hello --key-file herring")
	s.does(t, 0, "mlesctl pub v1://localhost iot/lamp on --key-file herring")
	s.does(t, 4, "mlesctl pub v1://localhost vault open --key-file herring --uid mallory")
	gateway.Says(t, `reason="key does not open channel: key of line 2, uid \"mallory\", channel \"vault\""`)
	s.does(t, 4, "mlesctl pub wss://localhost:8443 hall hello --key-file herring")
	gateway.Says(t, `reason="key does not open dialect`)
	s.does(t, 0, "mlesctl pub wss://localhost:8443 vault closed --key-file mles.keys")
	gateway.Terminate(t)
	if said := gateway.Screen(); strings.Contains(said, "swordfish") || strings.Contains(said, "herring") {
		t.Error("the log holds a key")
	}
}

// A page of another site reaches localhost by the browser of somebody there, and gets no WebSocket; one of this machine does.
func otherPages(t *testing.T, c *clone, _ *document, _ []string) {
	s := c.stage(t, t.TempDir())
	gateway := s.start(t, "mlesd --v2-listen off --plain-listen 127.0.0.1:8080")
	s.listening(t, 8077, 8080)
	for _, try := range []struct{ want, header string }{
		{"403", "Origin: https://evil.example"},
		{"403", "Origin: null"},
		{"403", "Origin: http://evil.example:8080' -H 'Host: evil.example:8080"},
		{"101", "Origin: http://localhost:3000"},
		{"101", "Origin: https://app.example' -H 'X-Forwarded-For: 203.0.113.7"},
		{"101", "Accept: */*"},
	} {
		got := s.does(t, 28, "curl -s -o /dev/null -w '%{http_code}' -m 1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' "+
			"-H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' -H 'Sec-WebSocket-Protocol: mles-websocket' -H '"+try.header+"' http://127.0.0.1:8080/; exit 28").Screen()
		if got != try.want {
			t.Errorf("%s is answered with %s, not %s", try.header, got, try.want)
		}
	}
	gateway.Says(t, `reason="origin not allowed"`)
	gateway.Terminate(t)
}
