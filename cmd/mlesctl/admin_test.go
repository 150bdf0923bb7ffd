package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whose token a gateway is sent: the one given, or that of the gateway on this machine.
func TestWhichToken(t *testing.T) {
	dir := t.TempDir()
	const kept, given = "kept-kept-kept-kept", "given-given-given-given"
	file := filepath.Join(dir, "given")
	for name, token := range map[string]string{filepath.Join(dir, "admin-token"): kept, file: given} {
		if err := os.WriteFile(name, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ file, host, want string }{
		{"", "localhost", kept}, {"", "127.0.0.1", kept}, {"", "::1", kept}, {"", "127.1.2.3", kept},
		{"", "192.0.2.1", ""}, {"", "localhost.mallory.example", ""}, {"", "gateway.example", ""}, {"", "2001:db8::1", ""},
		{file, "localhost", given}, {file, "gateway.example", given},
	} {
		f := adminFlags{AdminTokenFile: c.file, trust: trust{Cache: dir}}
		if got, err := f.token(c.host); got != c.want || err != nil {
			t.Errorf("with file %q for %s: %q, %v", c.file, c.host, got, err)
		}
	}
	if got, err := (&adminFlags{trust: trust{Cache: filepath.Join(dir, "none")}}).token("localhost"); got != "" || err != nil {
		t.Errorf("without a file: %q, %v", got, err)
	}
	if _, err := (&adminFlags{AdminTokenFile: file + "x"}).token("localhost"); status(err) != exitUsage {
		t.Errorf("a file that there is not: %v", err)
	}
}

// A gateway that wants a token says so, and mlesctl ends with the status of a refusal.
func TestTokenRefused(t *testing.T) {
	const token = "swordfish-swordfish"
	t.Setenv("MLESD_CACHE", t.TempDir())
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("Authorization") {
		case "Bearer " + token:
			_, _ = w.Write([]byte(`{"changed":[]}`))
		case "":
			http.Error(w, "the token is\x1b[31m elsewhere", http.StatusUnauthorized)
		default:
			http.Redirect(w, r, "http://mallory.example/", http.StatusTemporaryRedirect)
		}
	}))
	defer gateway.Close()
	at := strings.TrimPrefix(gateway.URL, "http://")
	file := filepath.Join(t.TempDir(), "token")
	asks := func(want int, says string, args ...string) {
		t.Helper()
		code, said := ran(t, append([]string{"reload", "--admin", at}, args...)...)
		if code != want || !strings.Contains(said, says) || strings.Contains(said, token) {
			t.Errorf("%v: status %d, want %d; it says %s", args, code, want, said)
		}
	}
	asks(exitRefused, `the token is\x1b[31m elsewhere (--admin-token-file)`)
	asks(exitUsage, "--admin-token-file: open", "--admin-token-file", file)
	for value, want := range map[string]int{token: exitOK, "another-another-one": exitUnreachable} {
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
		asks(want, "", "--admin-token-file", file)
	}
}
