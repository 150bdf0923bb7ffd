package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// oneListener accepts one connection in memory, with which time in a bubble goes on.
type oneListener struct{ conns chan net.Conn }

func (l oneListener) Accept() (net.Conn, error) {
	nc, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return nc, nil
}

func (l oneListener) Close() error   { return nil }
func (l oneListener) Addr() net.Addr { return &net.TCPAddr{} }

// inMemory serves a handler to one client until the test ends.
func inMemory(t *testing.T, h http.Handler) net.Conn {
	l := oneListener{make(chan net.Conn, 1)}
	client, server := net.Pipe()
	l.conns <- server
	srv := &http.Server{Handler: h}
	done := make(chan error)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		close(l.conns)
		client.Close()
		srv.Close()
		<-done
	})
	return client
}

// Who asks for something large and takes none of it, or so little that it is none, is let go after 30 s; who takes it
// slowly, but takes it, gets it all, and so does who then rests before he asks for more.
func TestVisitorsWhoTakeTheirTime(t *testing.T) {
	root := newWebRoot(t, map[string]string{"index.html": strings.Repeat(prose, 20_000), "x.txt": "x"})
	for name, take := range map[string]func(r io.Reader) (time.Duration, error){
		"nothing": func(r io.Reader) (time.Duration, error) {
			time.Sleep(40 * time.Second)
			_, err := io.Copy(io.Discard, r)
			return 40 * time.Second, err
		},
		"slowly": func(r io.Reader) (time.Duration, error) {
			for took := time.Duration(0); ; took += 20 * time.Second {
				if _, err := io.CopyN(io.Discard, r, 64<<10); err != nil {
					return took, err
				}
				time.Sleep(20 * time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				site, err := NewSite(SiteConfig{Root: root.dir})
				if err != nil {
					t.Fatal(err)
				}
				nc := inMemory(t, site)
				r := bufio.NewReaderSize(nc, 16)
				go io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				answer, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				took, err := take(answer.Body)
				if name == "nothing" {
					if err == nil || err == io.EOF {
						t.Errorf("it came to an end after %s: %v", took, err)
					}
					return
				}
				if err != io.EOF || took < 4*time.Minute {
					t.Errorf("after %s: %v", took, err)
				}
				time.Sleep(time.Hour)
				go io.WriteString(nc, "GET /x.txt HTTP/1.1\r\nHost: x\r\n\r\n")
				if answer, err = http.ReadResponse(r, nil); err != nil || answer.StatusCode != 200 {
					t.Errorf("after a rest: %v, %v", answer, err)
				}
			})
		})
	}
}

// Who announces a body and does not send it is let go after 30 s, whether or not anybody wants it.
func TestBodyThatDoesNotCome(t *testing.T) {
	read := func(r *http.Request) error { _, err := io.Copy(io.Discard, r.Body); return err }
	for name, c := range map[string]struct {
		body   string
		handle func(r *http.Request) error
		err    error
		waits  time.Duration // until the answer
	}{
		"half of it":         {"half", read, errStalled, siteStall},
		"half, not wanted":   {"half", func(*http.Request) error { return nil }, nil, siteStall},
		"half, put away":     {"half", func(r *http.Request) error { return r.Body.Close() }, nil, siteStall},
		"all, not wanted":    {"all of it.", func(*http.Request) error { return nil }, nil, 0},
		"all, long thoughts": {"all of it.", func(r *http.Request) error { defer time.Sleep(time.Hour); return read(r) }, nil, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				nc := inMemory(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					pw, r := paced(w, r)
					defer pw.finish()
					if err := c.handle(r); err != c.err && c.err != nil {
						t.Errorf("the handler gets %v", err)
					}
					if len(c.body) == 10 && r.Context().Err() != nil {
						t.Error("the request was given up")
					}
					_, _ = pw.Write([]byte("answer"))
				}))
				go io.WriteString(nc, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"+c.body)
				r := bufio.NewReader(nc)
				answer, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				if b, err := io.ReadAll(answer.Body); string(b) != "answer" {
					t.Errorf("%q, %v", b, err)
				}
				if took := time.Since(start); took != c.waits {
					t.Errorf("answered after %s, want %s", took, c.waits)
				}
				if len(c.body) < 10 {
					if _, err := r.ReadByte(); err != io.EOF {
						t.Errorf("the connection goes on: %v", err)
					}
					return
				}
				go io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
				if _, err := http.ReadResponse(r, nil); err != nil {
					t.Error("no second request:", err)
				}
			})
		})
	}
}

// A server behind the site is not kept waiting for a client that sends no more.
func TestProxiedBodyThatDoesNotCome(t *testing.T) {
	w := httptest.NewRecorder()
	log := new(journal)
	new(proxy).failed(w, httptest.NewRequest("POST", "/", nil), fmt.Errorf("passing on: %w", errStalled), log.logger())
	if w.Code != http.StatusRequestTimeout || log.count("does not answer") != 0 {
		t.Errorf("the client gets %d", w.Code)
	}
}
