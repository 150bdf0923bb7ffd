package web

import (
	"net/http/httptest"
	"testing"
)

// A browser that was given http:// lands on the same page over TLS.
func TestRedirect(t *testing.T) {
	for _, c := range []struct {
		domains []string
		port    int
		method  string
		host    string
		path    string
		status  int
		to      string
	}{
		{[]string{"a.example"}, 443, "GET", "a.example", "/x/y?q=%2F", 301, "https://a.example/x/y?q=%2F"},
		{[]string{"a.example"}, 443, "HEAD", "A.example.:80", "/a%20b", 301, "https://a.example/a%20b"},
		{[]string{"B.example.", "a.example"}, 8443, "GET", "b.example", "/", 301, "https://b.example:8443/"},
		{[]string{"a.example"}, 443, "GET", "a.example", "//evil.example/x", 301, "https://a.example//evil.example/x"},
		{[]string{"a.example"}, 443, "GET", "evil.example", "/", 421, ""},
		{[]string{"a.example"}, 443, "GET", "", "/", 421, ""},
		{[]string{"a.example"}, 443, "POST", "a.example", "/", 405, ""},
		{nil, 443, "GET", "any.example", "/", 301, "https://any.example/"},
		{nil, 8443, "GET", "[::1]:80", "/", 301, "https://[::1]:8443/"},
		{nil, 443, "GET", "[::1]:80", "/", 301, "https://[::1]/"},
		{nil, 443, "GET", "user@evil.example", "/", 421, ""},
		{nil, 443, "GET", "evil.example/x", "/", 421, ""},
		{nil, 443, "GET", "", "/", 421, ""},
		{nil, 443, "GET", "..", "/", 421, ""},
		{nil, 443, "OPTIONS", "a.example", "/", 405, ""},
	} {
		r := httptest.NewRequest(c.method, c.path, nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		Redirect(c.domains, c.port).ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Location") != c.to {
			t.Errorf("%s %s%s: %d to %s, want %d to %s", c.method, c.host, c.path, w.Code, w.Header().Get("Location"), c.status, c.to)
		}
	}
}
