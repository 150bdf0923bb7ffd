package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mles/internal/control"
	"mles/v1"
)

// Whatever acts on channels takes the token, on loopback, too.
func TestActingTakesTheToken(t *testing.T) {
	p := start(t, nil)
	p.dialV1(new(v1.Dialer), "alice", "hello")
	admin := p.addr("--admin-listen")
	text, err := os.ReadFile(filepath.Join(p.cache, "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, token string) int {
		t.Helper()
		r, err := http.NewRequest(method, "http://"+admin+path, strings.NewReader("from a script"))
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	eventually(t, "alice is there", func() bool { return ask("GET", "/history?channel=hall", strings.TrimSpace(string(text))) == 200 })
	acts := 0
	(&control.Routes{}).Register(func(pattern string, _ http.Handler) {
		acts++
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.ReplaceAll(path, "{channel}", "hall") + map[string]string{
			"/kick": "?uid=alice", "/purge": "?channel=hall", "/history": "?channel=hall", "/publish": "?channel=hall",
		}[path]
		if got := ask(method, path, ""); got != http.StatusUnauthorized {
			t.Errorf("%s without the token: %d", pattern, got)
		}
		if got := ask(method, path, strings.TrimSpace(string(text))); got != http.StatusOK && got != http.StatusNoContent && got != http.StatusNotFound {
			t.Errorf("%s with it: %d", pattern, got)
		}
	})
	if acts < 7 {
		t.Errorf("%d routes", acts)
	}
	if strings.Contains(p.log(), "from a script") {
		t.Error("the log has the message")
	}
	p.stop()
}
