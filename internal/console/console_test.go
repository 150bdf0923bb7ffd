package console

import (
	"encoding/base64"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"
)

func get(h http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A browser gets a page and everything that the page names, each with a type, a policy and a tag, and nothing else.
func TestFiles(t *testing.T) {
	named := regexp.MustCompile(`(?:src|href)="((?:console|chat)/[^"]+)"|from "\./([^"]+)"`)
	served := make(map[string]bool)
	for start, h := range map[string]http.Handler{"/": Console(), "/chat": Chat()} {
		seen := make(map[string]bool)
		for todo := []string{start}; len(todo) > 0; todo = todo[1:] {
			at := todo[0]
			if seen[at] {
				continue
			}
			seen[at] = true
			w := get(h, "GET", at)
			kind := w.Header().Get("Content-Type")
			if w.Code != 200 || kind == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Cache-Control") != "no-cache" {
				t.Fatalf("%s: %d, %v", at, w.Code, w.Header())
			}
			policy := w.Header().Get("Content-Security-Policy")
			if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: %s", at, policy)
			}
			if again := get(h, "GET", at, "If-None-Match", w.Header().Get("ETag")); again.Code != 304 || again.Body.Len() != 0 {
				t.Errorf("%s again: %d", at, again.Code)
			}
			if head := get(h, "HEAD", at); head.Code != 200 || head.Body.Len() != 0 {
				t.Errorf("HEAD %s: %d", at, head.Code)
			}
			if post := get(h, "POST", at); post.Code != 405 {
				t.Errorf("POST %s: %d", at, post.Code)
			}
			served[path.Base(at)] = true
			for _, m := range named.FindAllStringSubmatch(w.Body.String(), -1) {
				if m[1] != "" {
					todo = append(todo, "/"+m[1])
				} else {
					todo = append(todo, path.Join(path.Dir(at), m[2]))
				}
			}
		}
		if len(seen) < 8 {
			t.Errorf("%s names %v only", start, seen)
		}
	}
	err := fs.WalkDir(files, "files", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path.Ext(name) != ".html" && !served[path.Base(name)] {
			t.Errorf("no page needs %s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/console/", "/console/chat.js", "/console/../console.html", "/index.html"} {
		if w := get(Console(), "GET", name); w.Code != 404 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if w := get(Chat(), "GET", "/chat/"); w.Code != 301 || w.Header().Get("Location") != "../chat" {
		t.Errorf("/chat/: %d to %s", w.Code, w.Header().Get("Location"))
	}
	if w := get(Chat(), "GET", WebSocketPath); w.Code != 426 {
		t.Errorf("%s without an upgrade: %d", WebSocketPath, w.Code)
	}
}

// What the policy would stop is not there in the first place.
func TestNothingInline(t *testing.T) {
	bad := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script(?:\s[^>]*)?>[^<]|javascript:|innerHTML|insertAdjacentHTML|https?://[^w]|eval\(`)
	err := fs.WalkDir(files, "files", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if m := bad.Find(text); m != nil {
			t.Errorf("%s has %q", name, m)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The page of the same host may open its WebSocket; mallory's may not, nor may what is no page.
func TestSameHost(t *testing.T) {
	h := SameHost(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for origin, want := range map[string]int{
		"http://localhost:9077": 200, "HTTP://LOCALHOST:9077": 200, "": 403, "null": 403, "http://localhost": 403,
		"http://localhost:8443": 403, "https://mallory.example": 403, "http://localhost:9077.mallory.example": 403, "%": 403,
	} {
		r := httptest.NewRequest("GET", "http://localhost:9077"+WebSocketPath, nil)
		r.Header.Set("Upgrade", "websocket")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Origin %q: %d, want %d", origin, w.Code, want)
		}
	}
	if w := get(h, "GET", WebSocketPath); w.Code != 426 {
		t.Errorf("without an upgrade: %d", w.Code)
	}
}

// The token reaches the guard from the one header that a page may choose, for the WebSocket only.
func TestTokenInProtocol(t *testing.T) {
	var got string
	h := TokenInProtocol(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	offer := "mles-websocket, mles-admin-token." + base64.RawURLEncoding.EncodeToString([]byte("s3cret/+"))
	for _, c := range []struct{ path, header, value, want string }{
		{WebSocketPath, "Sec-WebSocket-Protocol", offer, "Bearer s3cret/+"},
		{WebSocketPath, "Sec-WebSocket-Protocol", "mles-websocket", ""},
		{WebSocketPath, "Sec-WebSocket-Protocol", "mles-admin-token.!", ""},
		{"/kick", "Sec-WebSocket-Protocol", offer, ""},
		{WebSocketPath, "Authorization", "Bearer other", "Bearer other"},
	} {
		got = ""
		if get(h, "GET", c.path, c.header, c.value); got != c.want {
			t.Errorf("%s with %s: %q, want %q", c.path, c.value, got, c.want)
		}
	}
}

// wall is a web site that also upgrades.
type wall struct{}

func (wall) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }
func (wall) Upgrades(*http.Request) bool                      { return true }

// The chat page comes and goes in front of a web site.
func TestSite(t *testing.T) {
	s := NewSite(wall{})
	upgrade := httptest.NewRequest("GET", WebSocketPath, nil)
	for _, shown := range []bool{false, true, false} {
		s.Show(shown)
		want := map[bool]int{true: 200, false: http.StatusTeapot}[shown]
		if w := get(s, "GET", "/chat"); w.Code != want {
			t.Errorf("shown %v: %d", shown, w.Code)
		}
		if s.Upgrades(upgrade) == shown {
			t.Errorf("shown %v: the chat page's WebSocket is the web site's: %v", shown, shown)
		}
		if w := get(s, "GET", "/chatter"); w.Code != http.StatusTeapot || !s.Upgrades(httptest.NewRequest("GET", "/", nil)) {
			t.Errorf("shown %v: the web site is not there", shown)
		}
	}
}
