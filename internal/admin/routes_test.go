package admin

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const swordfish = "swordfish-swordfish"

// guarded is a listener with one route of each kind, behind the token swordfish.
func guarded(t *testing.T, log io.Writer, loopback bool) http.Handler {
	t.Helper()
	token := new(Token)
	token.Set(Secret{Value: swordfish, File: "/var/lib/mlesd/admin-token"})
	r := New(Config{Token: token, Logger: slog.New(slog.NewTextHandler(log, nil))})
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	r.Open("/open", ok)
	r.Read("/read", ok)
	r.Act("/act", ok)
	return r.Handler(loopback)
}

// ask sends a request with a token; "": without.
func ask(h http.Handler, path, token, from, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, nil)
	r.RemoteAddr, r.Host = from, host
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// What the three kinds of routes need on the two kinds of listeners.
func TestWhoMay(t *testing.T) {
	const page = "mallory.example"
	for _, c := range []struct {
		path              string
		loopback          bool
		host              string
		without, with, no int // with the token, with a wrong one
	}{
		{"/open", true, "localhost", 200, 200, 200},
		{"/read", true, "localhost", 200, 200, 200},
		{"/act", true, "localhost", 401, 200, 401},
		{"/open", true, page, 403, 200, 401},
		{"/read", true, page, 403, 200, 401},
		{"/act", true, page, 403, 200, 401},
		{"/open", false, "gateway.example", 200, 200, 200},
		{"/read", false, "gateway.example", 401, 200, 401},
		{"/act", false, "gateway.example", 401, 200, 401},
		{"/nothing", false, "gateway.example", 404, 404, 404},
	} {
		h := guarded(t, io.Discard, c.loopback)
		for token, want := range map[string]int{"": c.without, swordfish: c.with, swordfish + "x": c.no, "x": c.no} {
			w := ask(h, c.path, token, "192.0.2.7:40000", c.host)
			if w.Code != want {
				t.Errorf("%s on loopback %v as %s with %q: %d, want %d", c.path, c.loopback, c.host, token, w.Code, want)
			}
			if body := w.Body.String(); strings.Contains(body, swordfish) {
				t.Errorf("the answer holds the token: %s", body)
			}
			if w.Code != 401 {
				continue
			}
			if w.Header().Get("WWW-Authenticate") != `Bearer realm="mlesd"` || strings.Count(w.Body.String(), "\n") != 1 {
				t.Errorf("401 is %v %q", w.Header(), w.Body)
			}
			if names := strings.Contains(w.Body.String(), "/var/lib/mlesd/admin-token"); names != c.loopback {
				t.Errorf("on loopback %v the answer is %q", c.loopback, w.Body)
			}
		}
	}
}

// Without a token nobody may act, and whoever wants to is told why.
func TestNoToken(t *testing.T) {
	for name, token := range map[string]*Token{"never set": nil, "unset": new(Token)} {
		if token != nil {
			token.Set(Secret{Value: swordfish})
			token.Unset(fmt.Errorf("the folder is read-only"))
		}
		r := New(Config{Token: token})
		r.Act("/act", http.NotFoundHandler())
		for _, sent := range []string{"", swordfish, "x"} {
			w := ask(r.Handler(true), "/act", sent, "127.0.0.1:1", "localhost")
			if w.Code != 403 || !strings.Contains(w.Body.String(), "--admin-token-file") {
				t.Errorf("%s, sent %q: %d %s", name, sent, w.Code, w.Body)
			}
		}
	}
}

// mallory tries tokens; the log has a line each second, and others are not in it.
func TestWrongTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		h := guarded(t, &log, false)
		from := func(host int) string { return fmt.Sprintf("[2001:db8::%x]:7", host) }
		try := func(client, token string, want int) {
			t.Helper()
			if w := ask(h, "/act", token, client, ""); w.Code != want {
				t.Errorf("%s with %q: %d, want %d", client, token, w.Code, want)
			}
		}
		for i := range guessBurst {
			try(from(i), "guess", 401) // of one network
		}
		try(from(99), "guess", 429)
		try(from(99), swordfish, 429)
		try(from(99), "", 401)
		try("[2001:db8:1::1]:7", swordfish, 200)
		try("192.0.2.1:7", swordfish, 200)
		time.Sleep(guessEvery)
		try(from(1), swordfish, 200)
		try(from(1), "guess", 401)
		try(from(1), "guess", 429)
		if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "count=10") || strings.Contains(log.String(), "guess ") {
			t.Errorf("the log has %d lines:\n%s", n, log.String())
		}
	})
}

// However many addresses guess, little is kept, and those who guess no more are forgotten.
func TestManyGuessers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Logger: slog.New(slog.DiscardHandler)})
		guess := func(i int) bool {
			req := httptest.NewRequest("POST", "/", nil)
			req.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:7", i>>16, i>>8&255, i&255)
			may := r.guesses.allowed(req)
			r.guesses.wrong(req)
			return may
		}
		refused := 0
		for i := range 3 * maxGuesser {
			if !guess(i) {
				refused++
			}
		}
		if len(r.guesses.by) != maxGuesser || refused < maxGuesser {
			t.Errorf("%d are known, %d were refused", len(r.guesses.by), refused)
		}
		time.Sleep(time.Minute)
		if !guess(9*maxGuesser) || len(r.guesses.by) != 1 {
			t.Errorf("%d are known a minute later", len(r.guesses.by))
		}
	})
}

// A gateway is ready, then it drains.
func TestHealth(t *testing.T) {
	why := ""
	r := New(Config{})
	r.Health(func() string { return why })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		r.Handler(false).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Code, w.Body.String()
	}
	for why = range map[string]bool{"": true, "draining": true} {
		code, body := get("/readyz")
		if (code == 200) != (why == "") || code != 200 && (code != 503 || body != why+"\n") {
			t.Errorf("unready because of %q: %d %q", why, code, body)
		}
		if code, _ := get("/healthz"); code != 200 {
			t.Errorf("/healthz is %d", code)
		}
	}
}
