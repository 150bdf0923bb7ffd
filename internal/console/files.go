package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed files
var files embed.FS

// policy is the content security policy of both pages. 'self' is the WebSocket of the same host, too.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// Console answers GET / and GET /console/… with the console and its files.
func Console() http.Handler {
	return newPages("/", "console.html", "/console/", "base.css", "theme.js", "icon.svg",
		"console.css", "console.js", "gateway.js", "overview.js", "lists.js", "seen.js", "rates.js", "plot.js", "table.js", "ask.js", "format.js", "element.js")
}

// Chat answers GET /chat and GET /chat/… with the chat page and its files. WebSocketPath is 426 there: what is asked for
// over it, the gateway answers.
func Chat() http.Handler {
	pages := newPages("/chat", "chat.html", "/chat/", "base.css", "theme.js", "icon.svg",
		"chat.css", "chat.js", "log.js", "session.js", "replay.js", "frame.js", "siphash.js", "element.js")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case WebSocketPath:
			noWebSocket(w)
		case "/chat/": // the page names its files from beside the folder
			w.Header().Set("Location", "../chat")
			w.WriteHeader(http.StatusMovedPermanently)
		default:
			pages.ServeHTTP(w, r)
		}
	})
}

// pages are a page and its files, by path.
type pages map[string]*file

// file is one that is built in.
type file struct {
	kind string // Content-Type
	etag string // strong
	data []byte
}

// newPages takes the page at a path and the files named below prefix from those that are built in. That they are there,
// the package's tests show.
func newPages(at, page, prefix string, names ...string) pages {
	p := pages{at: newFile(page)}
	for _, name := range names {
		p[prefix+name] = newFile(name)
	}
	return p
}

func newFile(name string) *file {
	data, err := fs.ReadFile(files, "files/"+name)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(data)
	kinds := map[string]string{".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
	return &file{kind: kinds[path.Ext(name)] + "; charset=utf-8", etag: `"` + hex.EncodeToString(sum[:16]) + `"`, data: data}
}

// ServeHTTP implements [http.Handler].
func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f := p[r.URL.Path]
	switch {
	case f == nil:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache") // asked for each time, sent when the gateway has another one
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.data))
}
