package admin

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// Somebody on the machine reaches what is to be read under any of its names; a page of mallory's does not.
func TestOnlyLocal(t *testing.T) {
	r := New(Config{})
	r.Read("/status", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r.Open("/", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	h := r.Handler(true)
	for host, want := range map[string]int{
		"localhost:9077": 200, "LOCALHOST": 200, "localhost.": 200, "mlesd.localhost:9077": 200, "": 200,
		"127.0.0.1:9077": 200, "127.0.0.1": 200, "[::1]:9077": 200, "[::1]": 200, "[fe80::1%eth0]:80": 200,
		"mallory.example:9077": 403, "mallory.example": 403, "localhost.mallory.example": 403,
		"127.0.0.1.mallory.example:80": 403, "notlocalhost": 403, "2130706433": 403,
	} {
		for _, path := range []string{"/status", "/"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != want {
				t.Errorf("Host %q, %s: %d, want %d", host, path, w.Code, want)
			}
		}
	}
	for origin, want := range map[string]int{"": 200, "http://localhost:9077": 200, "https://mallory.example": 403} {
		r := httptest.NewRequest("POST", "/status", nil)
		r.Host = "localhost:9077"
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Origin %q: %d, want %d", origin, w.Code, want)
		}
	}
}
