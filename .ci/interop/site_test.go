//go:build interop

package interop

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// A siteRequest is compared between mles 2.9.4 and the gateway, which serve the same folder.
type siteRequest struct {
	method  string // GET if empty
	host    string // localhost if empty
	path    string
	headers []string
}

func (r siteRequest) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s%s %s", r.method, r.host, r.path, strings.Join(r.headers, ", ")))
}

// A difference from mles 2.9.4 on purpose: what it answers, what the gateway answers, and why. Both are held to.
type difference struct {
	siteRequest
	theirs, ours int    // status
	says         string // if not empty, how the gateway's body begins
	why          string
}

const (
	whyOutside = "nothing outside of the domain's folder is served, whatever the path or a symbolic link says"
	whyHidden  = "what begins with a dot is the operator's own: .git, .env, keys"
	whyFolder  = "a folder is its index.html, or is not found: it is no fault of the server"
	whyDecoded = "a path is percent-decoded once (RFC 3986, 2.1): any other way no name with a space or an umlaut can be reached"
	whyHEAD    = "HEAD is GET without the body (RFC 9110, 9.3.2); monitors use it"
	whyRange   = "downloads that broke off go on, and videos can be wound (RFC 9110, 14)"
	whyCached  = "what a browser has already is not sent again (RFC 9110, 13)"
	whyPort    = "browsers put the port into Host where it is not 443; that is the same domain"
	whyHost    = "a request for a host that is not served is misdirected (RFC 9110, 15.5.20); it is no bad request"
	whyPOSIX   = "a backslash separates folders on some systems, and no browser sends one"
)

var siteDifferences = []difference{
	{siteRequest{path: "/../outside.txt"}, 200, 404, "", whyOutside},
	{siteRequest{path: "/../b.example/only-b.txt"}, 200, 404, "", whyOutside},
	{siteRequest{path: "/sub/../../outside.txt"}, 200, 404, "", whyOutside},
	{siteRequest{path: "/link-out.txt"}, 200, 404, "", whyOutside},
	{siteRequest{path: "/link-up/outside.txt"}, 200, 404, "", whyOutside},
	{siteRequest{path: "/.."}, 500, 200, "<!doctype html>home", whyFolder},
	{siteRequest{path: "/.secret.txt"}, 200, 404, "", whyHidden},
	{siteRequest{path: "/.git/config"}, 200, 404, "", whyHidden},
	{siteRequest{path: "/sub/.env"}, 200, 404, "", whyHidden},
	{siteRequest{path: "/.well-known/"}, 500, 404, "", whyFolder},
	{siteRequest{path: "/sub/"}, 500, 200, "<!doctype html>below", whyFolder},
	{siteRequest{path: "/sub"}, 500, 301, "", whyFolder},
	{siteRequest{path: "/bare/"}, 500, 404, "", whyFolder},
	{siteRequest{path: "/bare"}, 500, 404, "", whyFolder},
	{siteRequest{path: "/od%20d/a%20b.txt"}, 404, 200, "spaces", whyDecoded},
	{siteRequest{path: "/p%C3%A4iv%C3%A4%C3%A4.txt"}, 404, 200, "umlauts", whyDecoded},
	{siteRequest{path: "/%73mall.txt"}, 404, 200, "small", whyDecoded},
	{siteRequest{path: "/plus%2b.txt"}, 404, 200, "plus", whyDecoded},
	{siteRequest{path: "/percent%20.txt"}, 200, 404, "", whyDecoded},
	{siteRequest{path: "/percent%2520.txt"}, 404, 200, "percent", whyDecoded},
	{siteRequest{path: "/sub/%2e%2e/small.txt"}, 404, 200, "small", whyDecoded},
	{siteRequest{path: `/back\slash.txt`}, 200, 404, "", whyPOSIX},
	{siteRequest{method: "HEAD", path: "/"}, 405, 200, "", whyHEAD},
	{siteRequest{method: "HEAD", path: "/none"}, 405, 404, "", whyHEAD},
	{siteRequest{path: "/small.txt", headers: []string{"Range: bytes=1-2"}}, 200, 206, "ma", whyRange},
	{siteRequest{path: "/small.txt", headers: []string{"Range: bytes=100-"}}, 200, 416, "", whyRange},
	{siteRequest{path: "/", headers: []string{"If-None-Match: *"}}, 200, 304, "", whyCached},
	{siteRequest{path: "/", headers: []string{"If-Unmodified-Since: Thu, 01 Jan 1998 00:00:00 GMT"}}, 200, 412, "", whyCached},
	{siteRequest{host: "localhost:443", path: "/"}, 400, 200, "<!doctype html>home", whyPort},
	{siteRequest{host: "b.example:9443", path: "/"}, 400, 200, "<!doctype html>b", whyPort},
	{siteRequest{host: "LOCALHOST.", path: "/"}, 400, 200, "<!doctype html>home", whyPort},
	{siteRequest{host: "c.example", path: "/"}, 400, 421, "", whyHost},
	{siteRequest{host: "127.0.0.1", path: "/"}, 400, 421, "", whyHost},
}

// siteAlike is what both answer in the same way, beside every file.
var siteAlike = []siteRequest{
	{path: "/"}, {path: "/?x=1"}, {path: "/small.txt?x=%2e#y"}, {path: "//small.txt"}, {path: "/sub//page.html"},
	{path: "/./small.txt"}, {path: "/sub/../small.txt"}, {path: "/link-in.txt"}, {path: "/link-sub/page.html"},
	{host: "b.example", path: "/"}, {host: "b.example", path: "/only-b.txt"}, {host: "b.example", path: "/small.txt"},
	{path: "/none"}, {path: "/none.png"}, {path: "/SMALL.TXT"}, {path: "/page"}, {path: "/only-b.txt"}, {path: "/small.txt/"}, {path: "/small.txt/x"},
	{path: "/%2e%2e/outside.txt"}, {path: "/..%2foutside.txt"}, {path: "/%252e%252e/outside.txt"}, {path: `/..\outside.txt`}, {path: "/%5c..%5coutside.txt"},
	{path: "//etc/passwd"}, {path: "/%2fetc/passwd"}, {path: "/....//outside.txt"}, {path: "/small.txt%00"}, {path: "/%00"}, {path: "/%ff"},
	{path: "/" + strings.Repeat("a", 300)}, {path: "/" + strings.Repeat("a", 5000)}, {path: "/small.txt;x"},
	{method: "POST", path: "/"}, {method: "PUT", path: "/small.txt"}, {method: "DELETE", path: "/small.txt"}, {method: "OPTIONS", path: "/"}, {method: "POST", path: "/none"},
}

// acceptable are the encodings that every file is asked for in.
var acceptable = []string{"", "gzip", "br", "zstd", "gzip, deflate, br, zstd", "identity", "deflate"}

// Every file that mles 2.9.4 serves comes out the same from the gateway, with and without --cors: status, type, body
// after decoding, and the headers that mean something to a browser; requests that are no file's are answered with the
// same status. What differs on purpose is in siteDifferences; besides, mles 2.9.4 says */* of most types.
func TestSiteOfMles2(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{"as it is": nil, "--cors": {"--cors", "-C", "10"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			www := siteFolder(t)
			theirs, ours := startSites(t, www, flags...)
			alike, typed := 0, 0
			for _, r := range append(siteFiles(t, www), siteAlike...) {
				a, b := theirs.asks(t, r), ours.asks(t, r)
				if a.kind == "*/*" && b.kind != "*/*" && strings.Count(b.kind, "/") == 1 {
					a.kind, typed = b.kind, typed+1
				}
				if diff := a.differs(b); diff != "" {
					t.Errorf("%s: %s", r, diff)
				}
				alike++
			}
			for _, d := range siteDifferences {
				a, b := theirs.asks(t, d.siteRequest), ours.asks(t, d.siteRequest)
				if a.status != d.theirs || b.status != d.ours || !strings.HasPrefix(b.body, d.says) {
					t.Errorf("%s: mles 2.9.4 answers %d, the gateway %d %.40q; want %d and %d %q, since %s",
						d.siteRequest, a.status, b.status, b.body, d.theirs, d.ours, d.says, d.why)
				}
			}
			ours.weighs(t)
			proved(t, "%d answers alike, %d of them with a type where mles 2.9.4 says */*, and %d that differ on purpose", alike, typed, len(siteDifferences))
		})
	}
}

// The flat web root of mles-webproxy: every file comes out the same, but for headers, of which it sends few, and for a
// type that says less than the gateway's or lacks its charset. On purpose the gateway sends a browser that asks for a
// folder to that folder, does not serve what is hidden, and says 404, not 400, of what is not there.
func TestSiteOfWebproxy(t *testing.T) {
	t.Parallel()
	www := filepath.Join(siteFolder(t), "localhost")
	crt := hosts.NewCertificate(t, "localhost")
	theirs, ours := &siteServer{host: newHost(t)}, &siteServer{host: newHost(t)}
	theirs.conf = &tls.Config{RootCAs: pool(t, theirs.startWebproxySite(t, "k", www)), ServerName: "localhost", NextProtos: []string{"http/1.1"}}
	ours.conf = &tls.Config{RootCAs: pool(t, crt.Cert), ServerName: "localhost", NextProtos: []string{"http/1.1"}}
	ours.startPages(t, crt, www)
	files, typed := 0, 0
	for _, r := range append(siteFiles(t, filepath.Dir(www)), []siteRequest{
		{path: "/"}, {path: "/sub/"}, {path: "/od%20d/a%20b.txt"}, {path: "/p%C3%A4iv%C3%A4%C3%A4.txt"}, {path: "/percent%2520.txt"}, {path: "/plus%2b.txt"},
		{path: "/small.txt", headers: []string{"Range: bytes=1-2"}}, {path: "/small.txt", headers: []string{"Range: bytes=100-"}},
		{path: "/", headers: []string{"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"}}, {method: "PUT", path: "/"},
	}...) {
		a, b := theirs.asks(t, r), ours.asks(t, r)
		if a.status != b.status || a.status < 300 && a.body != b.body || a.Get("Last-Modified") != b.Get("Last-Modified") && a.status == 200 {
			t.Errorf("%s: mles-webproxy answers %d, %d bytes, the gateway %d, %d bytes", r, a.status, len(a.body), b.status, len(b.body))
		}
		if name, _, _ := strings.Cut(b.kind, ";"); a.status == 200 && name != a.kind {
			typed++
			if b.kind == "application/octet-stream" {
				t.Errorf("%s: mles-webproxy knows the type %s", r, a.kind)
			}
		}
		files++
	}
	for _, d := range []difference{
		{siteRequest{path: "/sub"}, 200, 301, "", "or the page's links would lead elsewhere"},
		{siteRequest{path: "/.secret.txt"}, 200, 404, "", whyHidden},
		{siteRequest{path: "/link-out.txt"}, 200, 404, "", whyOutside},
		{siteRequest{method: "HEAD", path: "/page.html"}, 405, 200, "", whyHEAD},
		{siteRequest{path: "/small.txt", headers: []string{"Range: bytes=-2"}}, 206, 206, "ll", "it sends one byte too many"},
		{siteRequest{path: "/none"}, 400, 404, "", "it is no bad request"},
		{siteRequest{path: "/../outside.txt"}, 400, 404, "", "it is no bad request"},
		{siteRequest{path: "/%2e%2e/outside.txt"}, 400, 404, "", "it is no bad request"},
	} {
		a, b := theirs.asks(t, d.siteRequest), ours.asks(t, d.siteRequest)
		if a.status != d.theirs || b.status != d.ours || !strings.HasPrefix(b.body, d.says) {
			t.Errorf("%s: mles-webproxy answers %d, the gateway %d; want %d and %d: %s", d.siteRequest, a.status, b.status, d.theirs, d.ours, d.why)
		}
	}
	proved(t, "%d answers alike, %d of them with another type", files, typed)
}

// weighs holds the gateway to the weights of encodings, which mles 2.9.4 does not look at: it sends br to br;q=0.
func (s *siteServer) weighs(t *testing.T) {
	t.Helper()
	for accept, want := range map[string]string{
		"gzip;q=0.5, br;q=0.4": "gzip", "br;q=0, zstd;q=0, gzip;q=0": "", "br;q=0, *;q=0.1": "zstd", "gzip, deflate, br, zstd": "br",
	} {
		if got := s.asks(t, siteRequest{path: "/page.html", headers: []string{"Accept-Encoding: " + accept}}); got.encoding != want {
			t.Errorf("%s gets %q, want %q", accept, got.encoding, want)
		}
	}
}

// siteFolder makes a web root for localhost and b.example, with files of every kind that somebody might serve.
func siteFolder(t *testing.T) string {
	t.Helper()
	www := t.TempDir()
	long := strings.Repeat("The quick brown fox jumps over the lazy dog. ", 200)
	files := map[string]string{
		"outside.txt": "outside", "b.example/index.html": "<!doctype html>b", "b.example/only-b.txt": "only b",
		"localhost/index.html": "<!doctype html>home" + long, "localhost/page.html": long, "localhost/small.txt": "small",
		"localhost/empty.html": "", "localhost/tiny.js": ";", "localhost/noext": long, "localhost/large.js": strings.Repeat(long, 200),
		"localhost/noise.bin": string(make([]byte, 3_000_000)), "localhost/two.dots.css": "a{}", "localhost/plus+.txt": "plus",
		"localhost/sub/index.html": "<!doctype html>below", "localhost/sub/page.html": "below", "localhost/bare/x.txt": "x",
		"localhost/.well-known/assetlinks.json": "[]", "localhost/.secret.txt": "secret", "localhost/.git/config": "secret", "localhost/sub/.env": "secret",
		"localhost/od d/a b.txt": "spaces", "localhost/päivää.txt": "umlauts", "localhost/percent%20.txt": "percent", `localhost/back\slash.txt`: "backslash",
		"localhost/UPPER.HTML": long, "localhost/latin1.html": "\xe4\xf6\xfc" + long,
	}
	for _, ext := range strings.Fields(`html htm js mjs css json map webmanifest svg txt xml wasm png jpg jpeg gif webp avif ico woff woff2 ttf otf
		mp3 mp4 webm ogg wav pdf zip gz br zst tar md csv bin apk yaml toml rs go sh vtt ics atom rss geojson xhtml unheardof`) {
		files["localhost/types/file."+ext] = ext + " " + long
	}
	for name, content := range files {
		hosts.WriteFile(t, filepath.Join(www, name), []byte(content))
	}
	for name, target := range map[string]string{
		"link-in.txt": "small.txt", "link-sub": "sub", "link-out.txt": filepath.Join(www, "outside.txt"), "link-up": "..",
	} {
		if err := os.Symlink(target, filepath.Join(www, "localhost", name)); err != nil {
			t.Fatal(err)
		}
	}
	return www
}

// siteFiles are requests for every file of localhost in every encoding; those of siteDifferences are left out.
func siteFiles(t *testing.T, www string) (all []siteRequest) {
	t.Helper()
	root := filepath.Join(www, "localhost")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name := strings.TrimPrefix(path, root)
		for _, accept := range acceptable {
			r := siteRequest{path: (&url.URL{Path: name}).EscapedPath(), headers: []string{"Accept-Encoding: " + accept}}
			if !differsOnPurpose(r.path) && !differsOnPurpose(name) {
				all = append(all, r)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 60*len(acceptable) {
		t.Fatalf("%d requests", len(all))
	}
	return all
}

func differsOnPurpose(path string) bool {
	return slices.ContainsFunc(siteDifferences, func(d difference) bool { return d.path == path && d.path != "/" && d.method == "" && d.headers == nil })
}
