package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const prose = "The quick brown fox jumps over the lazy dog. "

// A webRoot is a folder of files to serve.
type webRoot struct {
	*testing.T
	dir string
}

func newWebRoot(t *testing.T, files map[string]string) webRoot {
	t.Helper()
	root := webRoot{t, t.TempDir()}
	for name, content := range files {
		root.put(name, content)
	}
	return root
}

func (r webRoot) put(name, content string) {
	r.Helper()
	path := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.Fatal(err)
	}
	write(r.T, path, []byte(content))
}

func (r webRoot) link(target, name string) {
	r.Helper()
	if err := os.Symlink(target, filepath.Join(r.dir, name)); err != nil {
		r.Skip(err)
	}
}

// visitor is a browser at a site.
type visitor struct {
	*testing.T
	srv *httptest.Server
	log *journal
}

// visits serves a site until the test ends.
func visits(t *testing.T, conf SiteConfig) visitor {
	t.Helper()
	log := new(journal)
	conf.Logger = log.logger()
	site, err := NewSite(conf)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(site)
	t.Cleanup(func() { srv.Close(); site.Close() })
	return visitor{t, srv, log}
}

// page is an answer, read.
type page struct {
	status int
	http.Header
	body string
}

// gets requests a path just as it is spelled, from host; headers are lines. More than one answer cannot be told from a
// body, so that the connection is closed after it.
func (v visitor) gets(host, path string, headers ...string) page {
	return v.asks("GET", host, path, headers...)
}

func (v visitor) asks(method, host, path string, headers ...string) page {
	v.Helper()
	nc, err := net.Dial("tcp", v.srv.Listener.Addr().String())
	if err != nil {
		v.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	lines := append([]string{method + " " + path + " HTTP/1.1", "Host: " + host, "Connection: close"}, headers...)
	if _, err := io.WriteString(nc, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		v.Fatal(err)
	}
	req := &http.Request{Method: method}
	answer, err := http.ReadResponse(bufio.NewReader(nc), req)
	if err != nil {
		v.Fatalf("%s %s: %v", method, path, err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.Fatalf("%s %s: %v", method, path, err)
	}
	return page{answer.StatusCode, answer.Header, string(body)}
}

// serves checks an answer's status and body.
func (v visitor) serves(host, path string, status int, body string) {
	v.Helper()
	if got := v.gets(host, path); got.status != status || got.body != body {
		v.Errorf("%s%s is %d %.60q, want %d %.60q", host, path, got.status, got.body, status, body)
	}
}

// Each domain has its own folder; index.html stands for a folder, which has a slash at its end.
func TestEachDomainHasItsFolder(t *testing.T) {
	root := newWebRoot(t, map[string]string{
		"a.example/index.html": "home of a", "a.example/sub/index.html": "below a", "a.example/sub/x.txt": "x",
		"a.example/bare/y.txt": "y", "B.example/index.html": "home of b", "a.example/.well-known/assetlinks.json": "[]",
		"a.example/ä b+c.txt": "odd name", "a.example/half%20.txt": "percent", "outside.txt": "secret",
	})
	v := visits(t, SiteConfig{Root: root.dir, Domains: []string{"a.example", "B.example", "c.example"}})
	for _, host := range []string{"a.example", "A.Example", "a.example.", "a.example:8443"} {
		v.serves(host, "/", 200, "home of a")
	}
	v.serves("b.example", "/", 200, "home of b")
	v.serves("a.example", "/index.html", 200, "home of a")
	v.serves("a.example", "/?x=1", 200, "home of a")
	v.serves("a.example", "/..", 200, "home of a")
	v.serves("a.example", "/sub/..", 200, "home of a")
	v.serves("a.example", "/sub/", 200, "below a")
	v.serves("a.example", "//sub//x.txt", 200, "x")
	v.serves("a.example", "/%73ub/x.txt", 200, "x")
	v.serves("a.example", "/%C3%A4%20b+c.txt", 200, "odd name")
	v.serves("a.example", "/half%2520.txt", 200, "percent")
	v.serves("a.example", "/.well-known/assetlinks.json", 200, "[]")
	for _, path := range []string{"/none", "/bare", "/bare/", "/sub/x.txt/", "/sub/x.txt/y", "/outside.txt", "/SUB/X.TXT", "/.well-known/"} {
		v.serves("a.example", path, 404, "Not Found")
	}
	v.serves("c.example", "/", 404, "Not Found")
	for _, host := range []string{"d.example", "", "127.0.0.1", "[::1]:80", "a.example.evil.example", ".", "..", "a.example/.."} {
		if got := v.gets(host, "/"); got.status != 421 && got.status != 400 {
			t.Errorf("host %q gets %d %q", host, got.status, got.body)
		}
	}
	got := v.gets("a.example", "/sub?q=%2F")
	if got.status != 301 || got.Get("Location") != "/sub/?q=%2F" {
		t.Errorf("/sub is %d to %s", got.status, got.Get("Location"))
	}
	if got := v.gets("a.example", "//sub"); got.Get("Location") != "/sub/" {
		t.Errorf("//sub leads to %s, which is another host", got.Get("Location"))
	}
	if v.log.count("domain=c.example") != 1 {
		t.Error("that c.example has no folder is not in the log")
	}
}

// The web root of mles-webproxy has no folder for its one domain.
func TestFlatWebRoot(t *testing.T) {
	root := newWebRoot(t, map[string]string{"index.html": "flat", "sub/x.txt": "x", "other.example/index.html": "other"})
	v := visits(t, SiteConfig{Root: root.dir, Domains: []string{"a.example"}})
	v.serves("a.example", "/", 200, "flat")
	v.serves("a.example", "/sub/x.txt", 200, "x")
	v.serves("other.example", "/", 421, "Misdirected Request")

	t.Run("without domains", func(t *testing.T) {
		v := visits(t, SiteConfig{Root: root.dir})
		v.serves("localhost", "/", 200, "flat")
		v.serves("127.0.0.1:8443", "/", 200, "flat")
		v.serves("other.example", "/", 200, "other")
		v.serves("../other.example", "/", 400, "400 Bad Request: malformed Host header")
		for _, host := range []string{"..", ".", "sub..", "%2e%2e", "other.example:x:y", "a\\b"} {
			if got := v.gets(host, "/"); got.status == 200 && got.body != "flat" {
				t.Errorf("host %q gets %q", host, got.body)
			}
		}
	})
	t.Run("neither", func(t *testing.T) {
		root := newWebRoot(t, map[string]string{"a.example/index.html": "a", "secret.txt": "secret"})
		v := visits(t, SiteConfig{Root: root.dir})
		v.serves("a.example", "/", 200, "a")
		v.serves("b.example", "/secret.txt", 421, "Misdirected Request")
	})
}

// A site is often replaced as a whole, by renaming its folder or by switching a symbolic link to it.
func TestSiteReplacedWhileServing(t *testing.T) {
	root := newWebRoot(t, map[string]string{"v1/index.html": "first", "v2/index.html": "second"})
	root.link("v1", "a.example")
	v := visits(t, SiteConfig{Root: root.dir, Domains: []string{"a.example", "b.example"}, CacheBytes: 1 << 20})
	v.serves("a.example", "/", 200, "first")
	if err := os.Remove(filepath.Join(root.dir, "a.example")); err != nil {
		t.Fatal(err)
	}
	v.serves("a.example", "/", 404, "Not Found")
	root.link("v2", "a.example")
	v.serves("a.example", "/", 200, "second")
}

// Whatever the path's spelling, nothing outside the domain's folder comes out, nor anything hidden in it.
func TestNothingElseIsServed(t *testing.T) {
	root := newWebRoot(t, map[string]string{
		"secret.txt": "secret", "b.example/secret.txt": "secret", "a.example/index.html": "home", "a.example/x.txt": "x",
		"a.example/.secret.txt": "secret", "a.example/.git/config": "secret", "a.example/sub/.env": "secret",
		"a.example/sub/.well-known/x": "secret", "a.example/.well-known/.x": "secret", "a.example/.well-knownx": "secret",
		"a.example/sub/y.txt": "y",
	})
	root.link("../secret.txt", "a.example/link.txt")
	root.link(filepath.Join(root.dir, "secret.txt"), "a.example/absolute.txt")
	root.link("..", "a.example/up")
	root.link("../b.example", "a.example/b")
	root.link("loop", "a.example/loop")
	root.link("sub/y.txt", "a.example/inside.txt")
	root.link("sub", "a.example/inside")
	v := visits(t, SiteConfig{Root: root.dir, Domains: []string{"a.example", "b.example"}, CacheBytes: 1 << 20})
	paths := []string{
		"/../secret.txt", "/../../../../../../../../etc/passwd", "/sub/../../secret.txt", "/..", "/../", "/../b.example/secret.txt",
		"/%2e%2e/secret.txt", "/%2E%2E/secret.txt", "/.%2e/secret.txt", "/..%2fsecret.txt", "/sub/%2e%2e/%2e%2e/secret.txt",
		"/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", "/%252e%252e/secret.txt", "/%252e%252e%252fsecret.txt", "/%25252e%25252e/secret.txt",
		`/..\secret.txt`, `/%5c..%5csecret.txt`, "/..%5csecret.txt", "/....//secret.txt", "/..;/secret.txt", "/%c0%ae%c0%ae/secret.txt",
		"//etc/passwd", "/%2fetc/passwd", "///etc/passwd", root.dir + "/secret.txt", "/" + root.dir + "/secret.txt", "/c:/windows/win.ini", "/file:///etc/passwd",
		"/x.txt%00", "/%00", "/x.txt%00.html", "/../secret.txt%00.txt", "/%0a", "/%ff", "/x.txt::$DATA",
		"/link.txt", "/absolute.txt", "/up/secret.txt", "/up", "/up/", "/b/secret.txt", "/loop", "/loop/x",
		"/.secret.txt", "/.git/config", "/.git/", "/.git", "/sub/.env", "/sub/.well-known/x", "/.well-known/.x", "/.well-knownx",
		"/%2esecret.txt", "/%2egit/config", "/sub/%2eenv", "/./.secret.txt", "/x/../.secret.txt", "/.well-known/../.secret.txt", "/.", "/...",
		"/" + strings.Repeat("a", 300), "/" + strings.Repeat("a/", 4000), "/" + strings.Repeat("../", 3000) + "etc/passwd",
		"*", "http://a.example/../secret.txt", "http://b.example/x.txt",
	}
	for _, path := range paths {
		got := v.gets("a.example", path)
		if strings.Contains(got.body, "secret") || strings.Contains(got.body, "root:") || got.status/100 == 5 ||
			got.status == 200 && got.body != "home" {
			t.Errorf("%.80q is %d %.60q", path, got.status, got.body)
		}
	}
	v.serves("a.example", "/inside.txt", 200, "y")
	v.serves("a.example", "/inside/y.txt", 200, "y")
	v.serves("a.example", "/sub/../x.txt", 200, "x")
	v.serves("a.example", "/"+strings.Repeat("a", 20<<10), 404, "Not Found")
	if v.log.count("is not served") == 0 {
		t.Error("that a link leads out is not in the log")
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	root := newWebRoot(t, map[string]string{"a.example/x.txt": "x"})
	if err := os.Chmod(filepath.Join(root.dir, "a.example/x.txt"), 0); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(filepath.Join(root.dir, "a.example/x.txt")); err == nil {
		f.Close()
		t.Skip("this user may read everything")
	}
	v := visits(t, SiteConfig{Root: root.dir})
	v.serves("a.example", "/x.txt", 403, "Forbidden")
}

// Clients ask for what is newer than what they have, for parts, for headers alone.
func TestConditionalRequestsAndRanges(t *testing.T) {
	root := newWebRoot(t, map[string]string{"a.example/x.bin": "0123456789", "a.example/empty.txt": "", "a.example/page.html": strings.Repeat(prose, 100)})
	v := visits(t, SiteConfig{Root: root.dir, CacheBytes: 1 << 20})
	whole := v.gets("a.example", "/x.bin")
	tag, modified := whole.Get("ETag"), whole.Get("Last-Modified")
	if whole.body != "0123456789" || len(tag) < 5 || tag[0] != '"' || modified == "" || whole.Get("Content-Length") != "10" {
		t.Fatalf("%+v", whole)
	}
	const long = "Fri, 01 Jan 2100 00:00:00 GMT"
	for _, c := range []struct {
		headers []string
		status  int
		body    string
	}{
		{[]string{"If-None-Match: " + tag}, 304, ""},
		{[]string{`If-None-Match: "other", ` + tag}, 304, ""},
		{[]string{"If-None-Match: *"}, 304, ""},
		{[]string{`If-None-Match: "other"`}, 200, "0123456789"},
		{[]string{`If-None-Match: "other"`, "If-Modified-Since: " + modified}, 200, "0123456789"},
		{[]string{"If-Modified-Since: " + modified}, 304, ""},
		{[]string{"If-Modified-Since: Thu, 01 Jan 1998 00:00:00 GMT"}, 200, "0123456789"},
		{[]string{"If-Match: " + tag}, 200, "0123456789"},
		{[]string{`If-Match: "other"`}, 412, ""},
		{[]string{"If-Unmodified-Since: Thu, 01 Jan 1998 00:00:00 GMT"}, 412, ""},
		{[]string{"If-Unmodified-Since: " + long}, 200, "0123456789"},
		{[]string{"Range: bytes=0-3"}, 206, "0123"},
		{[]string{"Range: bytes=-2"}, 206, "89"},
		{[]string{"Range: bytes=8-"}, 206, "89"},
		{[]string{"Range: bytes=8-100"}, 206, "89"},
		{[]string{"Range: bytes=5-2"}, 416, "invalid range\n"},
		{[]string{"Range: bytes=10-"}, 416, "invalid range: failed to overlap\n"},
		{[]string{"Range: bytes=0-3", "If-Range: " + tag}, 206, "0123"},
		{[]string{"Range: bytes=0-3", `If-Range: "other"`}, 200, "0123456789"},
	} {
		got := v.gets("a.example", "/x.bin", c.headers...)
		if got.status != c.status || got.body != c.body {
			t.Errorf("%q gets %d %q, want %d %q", c.headers, got.status, got.body, c.status, c.body)
		}
		if c.status == 304 && got.Get("ETag") != tag {
			t.Errorf("%q: 304 with ETag %s", c.headers, got.Get("ETag"))
		}
	}
	if got := v.gets("a.example", "/x.bin", "Range: bytes=0-1,4-5"); got.status != 206 || !strings.HasPrefix(got.Get("Content-Type"), "multipart/byteranges") {
		t.Errorf("two ranges get %d %s", got.status, got.Get("Content-Type"))
	}
	if got := v.asks("HEAD", "a.example", "/x.bin"); got.status != 200 || got.body != "" || got.Get("Content-Length") != "10" || got.Get("ETag") != tag {
		t.Errorf("HEAD gets %+v", got)
	}
	if got := v.gets("a.example", "/empty.txt"); got.status != 200 || got.body != "" || got.Get("Content-Length") != "0" {
		t.Errorf("an empty file is %+v", got)
	}
	// A part of a file is a part of it as it stands on disk.
	if got := v.gets("a.example", "/page.html", "Accept-Encoding: br, gzip", "Range: bytes=4-8"); got.body != "quick" || got.Get("Content-Encoding") != "" {
		t.Errorf("a part of a page is %+v", got)
	}

	root.put("a.example/x.bin", "changed")
	if got := v.gets("a.example", "/x.bin", "If-None-Match: "+tag); got.status != 200 || got.body != "changed" {
		t.Errorf("after a change: %d %q", got.status, got.body)
	}
}

func TestOtherMethods(t *testing.T) {
	root := newWebRoot(t, map[string]string{"a.example/index.html": "home"})
	v := visits(t, SiteConfig{Root: root.dir})
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "NONSENSE"} {
		got := v.asks(method, "a.example", "/")
		if got.status != 405 || got.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s gets %d, Allow: %s", method, got.status, got.Get("Allow"))
		}
	}
}

// The headers that mles 2.9.4 sends with every file, and those of its --cors.
func TestHeadersOfTheReference(t *testing.T) {
	root := newWebRoot(t, map[string]string{"a.example/index.html": "home", "a.example/x.json": "{}", "a.example/x.txt": "x", "a.example/x.geojson": "{}"})
	always := map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "strict-origin-when-cross-origin"}
	cors := map[string]string{"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Resource-Policy": "same-origin"}
	for _, on := range []bool{false, true} {
		v := visits(t, SiteConfig{Root: root.dir, CrossOrigin: on})
		for _, path := range []string{"/", "/x.json", "/x.txt", "/x.geojson", "/none"} {
			got := v.gets("a.example", path)
			for name, want := range always {
				if got.Get(name) != want {
					t.Errorf("%s: %s: %s", path, name, got.Get(name))
				}
			}
			for name, want := range cors {
				if (got.Get(name) == want) != on {
					t.Errorf("%s with cors %v: %s: %s", path, on, name, got.Get(name))
				}
			}
			if star := got.Get("Access-Control-Allow-Origin") == "*"; star != (on && path == "/x.json") {
				t.Errorf("%s with cors %v: any origin is allowed: %v", path, on, star)
			}
			if got.Get("Strict-Transport-Security") != "" {
				t.Error("Strict-Transport-Security without TLS")
			}
		}
	}
	site, err := NewSite(SiteConfig{Root: root.dir})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(site)
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	req, _ := http.NewRequest("GET", srv.URL, nil)
	req.Host = "a.example"
	answer, err := srv.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if got := answer.Header.Get("Strict-Transport-Security"); got != "max-age=31536000; includeSubDomains; preload" {
		t.Errorf("over TLS: %q", got)
	}
}

func TestContentTypes(t *testing.T) {
	for name, want := range map[string]string{
		"index.html": "text/html", "APP.JS": "application/javascript", "x.mjs": "application/javascript", "x.css": "text/css",
		"x.json": "application/json", "x.svg": "image/svg+xml", "x.ico": "image/x-icon", "x.jpg": "image/jpeg", "x.wasm": "application/wasm",
		"x.webmanifest": "application/manifest+json", "x.woff2": "font/woff2", "x.txt": "text/plain; charset=utf-8",
		"noext": "application/octet-stream", "x.unheardof": "application/octet-stream", "x.tar.gz": "application/gzip",
	} {
		if got := typeOf(name).name; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func TestUnusableSites(t *testing.T) {
	root := newWebRoot(t, map[string]string{"file": ""})
	for _, conf := range []SiteConfig{
		{Root: filepath.Join(root.dir, "none")}, {Root: filepath.Join(root.dir, "file")}, {Root: root.dir, CacheBytes: -1},
	} {
		if _, err := NewSite(conf); err == nil {
			t.Errorf("%+v is a site", conf)
		}
	}
}

// A site is exchanged for another between two requests on one connection.
func TestLiveSite(t *testing.T) {
	live := new(LiveSite)
	srv := httptest.NewServer(live)
	defer srv.Close()
	defer srv.Client().CloseIdleConnections()
	get := func() string {
		t.Helper()
		answer, err := srv.Client().Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return fmt.Sprint(answer.StatusCode, " ", string(body))
	}
	if got := get(); got != "404 Not Found" {
		t.Errorf("nothing yet: %s", got)
	}
	for _, what := range []string{"one", "two"} {
		site, err := NewSite(SiteConfig{Root: newWebRoot(t, map[string]string{"index.html": what}).dir})
		if err != nil {
			t.Fatal(err)
		}
		live.Replace(site)
		if got := get(); got != "200 "+what {
			t.Errorf("site %s: %s", what, got)
		}
	}
}
