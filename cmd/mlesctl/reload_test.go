package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a gateway answers, what mlesctl makes of it, and with which status it ends.
func TestReload(t *testing.T) {
	for name, c := range map[string]struct {
		code   int
		answer string
		status int
		says   string // on either output
	}{
		"changes": {200, `{"changed":["--v1-channels","shared keys"],"restart":["--cache"],
			"opened":[{"flag":"--v1-listen","address":"127.0.0.2:8077"}],"closed":[{"flag":"--v1-listen","address":"127.0.0.1:8077"}],
			"disconnected":{"wrong key":1,"channel not allowed":2},"warnings":["keys can be read\u001b[31m"]}`, exitOK,
			`changed: --v1-channels, shared keys
listening: --v1-listen at 127.0.0.2:8077
closed: --v1-listen at 127.0.0.1:8077
disconnected: 2, channel not allowed
disconnected: 1, wrong key
--cache changed: takes effect at the next start
warning: keys can be read\x1b[31m
`},
		"no change":         {200, `{"changed":[],"restart":[]}`, exitOK, "nothing to change\n"},
		"a fault":           {422, `{"error":"/etc/mles/mlesd.env:3: unknown name MLESD_X"}`, exitUnsatisfied, "nothing has changed: /etc/mles/mlesd.env:3: unknown name MLESD_X"},
		"an address in use": {409, `{"error":"--v1-listen :8077: address already in use"}`, exitUnsatisfied, "address already in use"},
		"something else":    {404, "404 page not found", exitUnreachable, "no gateway that knows /reload: 404"},
		"no JSON":           {200, "ok", exitUnreachable, "no gateway"},
		"success and fault": {200, `{"error":"?"}`, exitUnreachable, "no gateway"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.Path == "/reload" {
					asked++
				}
				w.WriteHeader(c.code)
				w.Write([]byte(c.answer))
			}))
			defer gateway.Close()
			status, said := ran(t, "reload", "--admin", strings.TrimPrefix(gateway.URL, "http://"))
			if status != c.status || !strings.Contains(said, c.says) || asked != 1 {
				t.Errorf("status %d, want %d; asked %d times; it says\n%s", status, c.status, asked, said)
			}
			if status, said = ran(t, "reload", "--json", "--admin", gateway.URL); status == exitOK && said != c.answer {
				t.Errorf("--json prints %s", said)
			}
		})
	}
	if status, _ := ran(t, "reload", "--admin", "127.0.0.1:1"); status != exitUnreachable {
		t.Errorf("status %d where nobody answers", status)
	}
	if status, _ := ran(t, "reload", "--admin", "localhost"); status != exitUsage {
		t.Errorf("status %d for an address without a port", status)
	}
}

// ran runs mlesctl and returns its status and all it printed.
func ran(t *testing.T, args ...string) (status int, said string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	status = run(args, newStdio(os.Stdin, out, out))
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return status, string(text)
}
