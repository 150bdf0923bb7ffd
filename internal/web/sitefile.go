package web

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// index is the file that stands for its folder.
const index = "index.html"

// serveFile answers a GET or HEAD with a file of its host.
func (s *Site) serveFile(w http.ResponseWriter, r *http.Request) {
	if s.root == "" {
		refuse(w, http.StatusNotFound)
		return
	}
	folder, ok := s.folder(hostOf(r.Host))
	if !ok {
		refuse(w, http.StatusMisdirectedRequest)
		return
	}
	name, ok := fileName(r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound)
		return
	}
	root, err := os.OpenRoot(folder) // anew each time: a site is often replaced as a whole
	if err != nil {
		s.missing(w, err)
		return
	}
	defer root.Close()
	s.serveName(w, r, root, name)
}

// serveName serves the file name of a host, or the index of the folder of that name.
func (s *Site) serveName(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	wantFolder := strings.HasSuffix(r.URL.Path, "/") || name == "."
	info, err := root.Stat(name)
	if err != nil {
		s.missing(w, err)
		return
	}
	if info.IsDir() {
		name = filepath.Join(name, index)
		if info, err = root.Stat(name); err != nil {
			s.missing(w, err)
			return
		}
		if !wantFolder { // or the page's relative links would lead elsewhere
			moved(w, path.Clean(r.URL.Path)+"/", r.URL.RawQuery)
			return
		}
	} else if wantFolder {
		refuse(w, http.StatusNotFound)
		return
	}
	if !info.Mode().IsRegular() { // opening a named pipe would wait for its other end
		refuse(w, http.StatusNotFound)
		return
	}
	f, err := root.Open(name)
	if err != nil {
		s.missing(w, err)
		return
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		refuse(w, http.StatusNotFound)
		return
	}
	s.send(w, r, f, info)
}

// send serves an open file, compressed if it is kept so and the client takes it. Parts of a file are parts of it as it
// is on disk: which bytes a part has must not depend on how a library compresses.
func (s *Site) send(w http.ResponseWriter, r *http.Request, f *os.File, info fs.FileInfo) {
	h := w.Header()
	kind := typeOf(info.Name())
	h.Set("Content-Type", kind.name)
	if s.crossOrigin && strings.EqualFold(filepath.Ext(info.Name()), ".json") { // and no other, as mles 2.9.4
		h.Set("Access-Control-Allow-Origin", "*")
	}
	tag := fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size())
	if kind.compresses && s.compressed != nil {
		h.Set("Vary", "Accept-Encoding")
		if enc := negotiate(r.Header.Values("Accept-Encoding")); enc != identity && r.Header.Get("Range") == "" {
			if body := s.compressed.get(f, info, enc); body != nil {
				h.Set("Content-Encoding", string(enc))
				h.Set("ETag", `"`+tag+"-"+string(enc)+`"`)
				http.ServeContent(&encodedWriter{w, len(body)}, r, "", info.ModTime(), bytes.NewReader(body))
				return
			}
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", info.ModTime(), f)
}

// folder is where a host's files are, and whether the host is served.
func (s *Site) folder(host string) (string, bool) {
	if s.domains != nil {
		folder, ok := s.domains[host]
		return folder, ok
	}
	if validHost(host) {
		folder := filepath.Join(s.root, host)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder, true
		}
	}
	return s.whole, s.whole != ""
}

// hostOf is the name in a Host header: without its port, in lower case.
func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// validHost reports whether host, in lower case, is a name that can be a folder's: a client chooses it.
func validHost(host string) bool {
	if len(host) > 253 || strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" {
			return false
		}
	}
	_, err := filepath.Localize(host)
	return err == nil
}

// fileName is the file below a host's folder that a request's path names, percent-decoded once, in the system's
// spelling. It is not ok if that can be no file's, or is nobody's business: NUL, a backslash (which separates on one
// system and is a letter on another), what a system keeps for devices, and any part that begins with a dot, but for
// /.well-known/ (RFC 8615).
func fileName(p string) (name string, ok bool) {
	if !strings.HasPrefix(p, "/") || strings.ContainsAny(p, "\\\x00") {
		return "", false
	}
	p = path.Clean(p)[1:]
	if p == "" {
		return ".", true
	}
	for i, part := range strings.Split(p, "/") {
		if part[0] == '.' && !(i == 0 && part == ".well-known") {
			return "", false
		}
	}
	name, err := filepath.Localize(p)
	return name, err == nil
}

// missing answers for a file that cannot be opened. That it is there, but not for the gateway, is logged.
func (s *Site) missing(w http.ResponseWriter, err error) {
	status := http.StatusNotFound
	switch {
	case errors.Is(err, fs.ErrPermission):
		status = http.StatusForbidden
		s.odd.Do(func() { s.log.Warn("a file of the site cannot be read", "err", err) })
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		status = http.StatusServiceUnavailable
		s.odd.Do(func() {
			s.log.Error("no file of the site can be opened: raise the limit on open files (ulimit -n, LimitNOFILE=)", "err", err)
		})
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG):
	default: // a symbolic link that leads out, above all
		s.odd.Do(func() { s.log.Warn("a file of the site is not served", "err", err) })
	}
	refuse(w, status)
}

// moved sends the client to another path of the same host.
func moved(w http.ResponseWriter, to, query string) {
	target := url.URL{Path: to, RawQuery: query}
	w.Header().Set("Location", target.String())
	refuse(w, http.StatusMovedPermanently)
}
