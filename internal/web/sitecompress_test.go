package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// decoded undoes a content coding.
func decoded(t *testing.T, coding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch coding {
	case "":
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		r, err = gzip.NewReader(r)
	case "zstd":
		var d *zstd.Decoder
		if d, err = zstd.NewReader(r); err == nil {
			defer d.Close()
			r = d
		}
	default:
		t.Fatalf("coding %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestNegotiation(t *testing.T) {
	for header, want := range map[string]encoding{
		"":                                  "",
		"gzip":                              "gzip",
		"br":                                "br",
		"zstd":                              "zstd",
		"deflate":                           "",
		"identity":                          "",
		"gzip, deflate, br, zstd":           "br",
		"gzip, deflate":                     "gzip",
		"zstd, gzip":                        "zstd",
		"GZip":                              "gzip",
		"x-gzip":                            "gzip",
		"*":                                 "br",
		"*;q=0":                             "",
		"gzip;q=0.5, br;q=0.4":              "gzip",
		"gzip;q=1.0, br;q=0.1":              "gzip",
		"br;q=0, gzip":                      "gzip",
		"br;q=0, gzip;q=0, zstd;q=0":        "",
		"br;q=0, *":                         "zstd",
		"br;q=0.000, zstd; q=0.001":         "zstd",
		"gzip;q=0.2, *;q=0.1":               "gzip",
		"identity, br;q=0.5":                "",
		"identity;q=0.5, gzip;q=0.5":        "gzip",
		"identity;q=0.5, gzip;q=0.4":        "",
		"identity;q=0, gzip":                "gzip",
		"identity;q=0":                      "",
		"gzip;q=2":                          "",
		"gzip;q=-1":                         "",
		"gzip;q=x, br":                      "br",
		"gzip;level=9":                      "",
		" gzip ; q=0.5 ,\tbr ;\tq=0.6":      "br",
		",,gzip,,":                          "gzip",
		"brotli, gzipped, zstandard, ;q=1,": "",
	} {
		if got := negotiate([]string{header}); got != want {
			t.Errorf("%q gets %q, want %q", header, got, want)
		}
	}
	if got := negotiate([]string{"gzip;q=0.1", "zstd"}); got != "zstd" {
		t.Errorf("two header lines get %q", got)
	}
	if got := negotiate(nil); got != identity {
		t.Errorf("no header gets %q", got)
	}
}

// Pages come in what the client takes, each coding with a tag of its own, and are the same after decoding.
func TestCompressedPages(t *testing.T) {
	long := strings.Repeat(prose, 1000)
	root := newWebRoot(t, map[string]string{
		"index.html": long, "x.png": long, "small.css": "a{}", "random.json": noise(10_000), "big.txt": strings.Repeat(prose, maxCompressed/len(prose)+1),
	})
	v := visits(t, SiteConfig{Root: root.dir, CacheBytes: 1 << 20})
	tags := make(map[string]string)
	for _, coding := range []string{"", "br", "zstd", "gzip"} {
		for range 2 { // the second comes from the cache
			got := v.gets("a.example", "/", "Accept-Encoding: "+coding)
			if got.Get("Content-Encoding") != coding || got.status != 200 || got.Get("Vary") != "Accept-Encoding" || got.Get("Content-Type") != "text/html" {
				t.Fatalf("%q gets %d %v", coding, got.status, got.Header)
			}
			if got.Get("Content-Length") != fmt.Sprint(len(got.body)) || coding != "" && len(got.body) > 1000 {
				t.Errorf("%q: %d bytes, Content-Length %s", coding, len(got.body), got.Get("Content-Length"))
			}
			if decoded(t, coding, got.body) != long {
				t.Errorf("%q: another page", coding)
			}
			tag := got.Get("ETag")
			if other, seen := tags[tag]; seen && other != coding {
				t.Errorf("%q and %q have the tag %s", coding, other, tag)
			}
			tags[tag] = coding
			again := v.gets("a.example", "/", "Accept-Encoding: "+coding, "If-None-Match: "+tag)
			if again.status != 304 || again.Get("Vary") != "Accept-Encoding" || again.Get("ETag") != tag || again.Get("Content-Length") != "" {
				t.Errorf("%q again: %d %v", coding, again.status, again.Header)
			}
		}
		if got := v.asks("HEAD", "a.example", "/", "Accept-Encoding: "+coding); got.body != "" || got.Get("Content-Encoding") != coding || got.Get("Content-Length") == "" {
			t.Errorf("HEAD with %q: %v", coding, got.Header)
		}
	}
	for _, path := range []string{"/x.png", "/small.css", "/random.json", "/big.txt", "/none"} {
		if got := v.gets("a.example", path, "Accept-Encoding: br"); got.Get("Content-Encoding") != "" {
			t.Errorf("%s comes compressed", path)
		}
	}
	if got := v.gets("a.example", "/x.png", "Accept-Encoding: br"); got.Get("Vary") != "" {
		t.Error("a picture varies")
	}
	v = visits(t, SiteConfig{Root: root.dir})
	if got := v.gets("a.example", "/", "Accept-Encoding: br"); got.Get("Content-Encoding") != "" || got.body != long {
		t.Error("compressed, though that is off")
	}
}

// A page that is edited is not served from the cache, not even with its size unchanged.
func TestEditedPageIsCompressedAnew(t *testing.T) {
	root := newWebRoot(t, map[string]string{"index.html": strings.Repeat("a", 1000)})
	v := visits(t, SiteConfig{Root: root.dir, CacheBytes: 1 << 20})
	for i, letter := range []string{"a", "b", "c"} {
		root.put("index.html", strings.Repeat(letter, 1000))
		at := time.Now().Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(filepath.Join(root.dir, "index.html"), at, at); err != nil {
			t.Fatal(err)
		}
		got := v.gets("a.example", "/", "Accept-Encoding: gzip")
		if got.Get("Content-Encoding") != "gzip" || decoded(t, "gzip", got.body) != strings.Repeat(letter, 1000) {
			t.Errorf("after edit %d: an older page", i)
		}
	}
}

// noise is text that is hard to compress, of n bytes.
func noise(n int) string {
	random := rand.NewChaCha8([32]byte{})
	b := make([]byte, n)
	_, _ = random.Read(b)
	return string(b)
}

// opened is a file of a size, opened.
func opened(t *testing.T, name, content string) (*os.File, os.FileInfo) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	write(t, path, []byte(content))
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, info
}

// hexed is noise that compresses to about n bytes.
func hexed(n int) string { return fmt.Sprintf("%x", noise(n)) }

// The bound counts bytes, and what was used last stays.
func TestCacheKeepsToItsBound(t *testing.T) {
	const limit = 100_000
	c := newCompressedFiles(limit)
	first, firstInfo := opened(t, "first", hexed(20_000))
	body := c.get(first, firstInfo, gzipEnc)
	if len(body) < 20_000 || len(body) > 30_000 {
		t.Fatalf("%d bytes", len(body))
	}
	for i := range 20 {
		f, info := opened(t, fmt.Sprint(i), hexed(20_000))
		c.get(f, info, gzipEnc)
		if c.bytes > limit || c.bytes < 0 {
			t.Fatalf("%d bytes kept", c.bytes)
		}
		if again := c.get(first, firstInfo, gzipEnc); &again[0] != &body[0] {
			t.Fatal("what was used last was dropped")
		}
	}
	var sum int64
	for _, k := range c.list.Keys() {
		f, _ := c.list.Peek(k)
		sum += cost(k, f)
	}
	if sum != c.bytes || c.list.Len() < 2 || c.list.Len() > 4 {
		t.Errorf("%d entries of %d bytes, counted %d", c.list.Len(), sum, c.bytes)
	}
	large, info := opened(t, "large", hexed(200_000))
	if c.get(large, info, gzipEnc); c.bytes != sum {
		t.Error("what is larger than the whole cache was kept, or drove others out")
	}
}

// A hundred visitors ask for the same page at once: it is compressed once.
func TestCompressedOnceForMany(t *testing.T) {
	c := newCompressedFiles(1 << 20)
	f, info := opened(t, "page", strings.Repeat(prose, 20_000))
	bodies := make([][]byte, 100)
	var all sync.WaitGroup
	for i := range bodies {
		all.Go(func() { bodies[i] = c.get(f, info, brotliEnc) })
	}
	all.Wait()
	for _, b := range bodies {
		if &b[0] != &bodies[0][0] {
			t.Fatal("compressed more than once")
		}
	}
}

// What does not get smaller is remembered as such, and sent as it is.
func TestNoise(t *testing.T) {
	c := newCompressedFiles(1 << 20)
	f, info := opened(t, "noise", noise(10_000))
	for range 2 {
		if c.get(f, info, zstdEnc) != nil {
			t.Error("sent larger than it is")
		}
	}
	if c.list.Len() != 1 || c.bytes > 1000 {
		t.Errorf("%d entries of %d bytes", c.list.Len(), c.bytes)
	}
}
