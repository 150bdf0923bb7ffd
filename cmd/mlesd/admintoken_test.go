package main

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asksAs is a request to the admin listener under a name that only those with the token may use.
func (p *process) asksAs(token string) (status int) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://"+p.addr("--admin-listen")+"/status", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Host, r.Close = "gateway.example", true
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// The first start makes a token, for its owner alone; the next one has the same. It is never in the log.
func TestTokenMadeOnce(t *testing.T) {
	cache := t.TempDir()
	var made string
	for range 2 {
		p := start(t, nil, "--cache="+cache)
		p.addr("--admin-listen")
		text, err := os.ReadFile(filepath.Join(cache, "admin-token"))
		if err != nil {
			t.Fatal(err)
		}
		token := strings.TrimSpace(string(text))
		if made != "" && made != token {
			t.Error("another token at the next start")
		}
		made = token
		if got := p.asksAs(token); got != 200 {
			t.Errorf("with the token: %d", got)
		}
		if got := p.asksAs(strings.Repeat("0", 64)); got != 401 {
			t.Errorf("with another: %d", got)
		}
		p.stop()
		p.line("a wrong token for the admin listener", nil)
		if strings.Contains(p.log(), token) {
			t.Error("the token was logged")
		}
	}
}

// A token is replaced by a reload, and one that does not fit changes nothing.
func TestTokenReplaced(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(token string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(token+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const first, second = "swordfish-swordfish", "codfish-codfish-codfish"
	write(first)
	p := start(t, nil, "--admin-token-file="+file)
	if !strings.Contains(p.asksToReload(), `"changed":[]`) || p.asksAs(first) != 200 {
		t.Error("the token has changed by itself")
	}
	write("short")
	if answer := p.asksToReload(); !strings.Contains(answer, "shorter than") || p.asksAs(first) != 200 {
		t.Errorf("with a token that does not fit: %s", answer)
	}
	write(second)
	if answer := p.asksToReload(); !strings.Contains(answer, `"admin token"`) {
		t.Errorf("with another token: %s", answer)
	}
	if p.asksAs(first) != 401 || p.asksAs(second) != 200 {
		t.Error("the old token is valid, or the new one is not")
	}
	p.stop()
	if strings.Contains(p.log(), "codfish") || !strings.Contains(p.log(), "can be read by every user") {
		t.Error("the token was logged, or there is no warning of who can read it")
	}
}

// asksToReload is the answer to POST /reload.
func (p *process) asksToReload() string {
	p.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Post("http://"+p.addr("--admin-listen")+"/reload", "", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}
