package bridge_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mles/bridge"
)

// A townSite answers with the protocol and path, takes its time under /slow, and
// claims upgrades under /tunnel, which it answers with what it is sent.
type townSite struct {
	begun chan struct{} // takes a token when /slow has begun
	going chan struct{} // ends it when closed
}

func newTownSite() *townSite {
	return &townSite{begun: make(chan struct{}, 100), going: make(chan struct{})}
}

func (s *townSite) Upgrades(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/tunnel") }

func (s *townSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.Upgrades(r):
		nc, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		defer nc.Close()
		io.WriteString(nc, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		io.Copy(nc, buffered)
	case r.URL.Path == "/slow":
		io.WriteString(w, "half ")
		http.NewResponseController(w).Flush()
		s.begun <- struct{}{}
		<-s.going
		io.WriteString(w, "whole")
	default:
		fmt.Fprintf(w, "%s %s", r.Proto, r.URL.Path)
	}
}

// asks sends a request on a connection of its own and returns the answer.
func (h *house) asks(nc net.Conn, r *bufio.Reader, path string) (status int, body string) {
	h.Helper()
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		h.Fatal(err)
	}
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		h.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// openTown starts a gateway with a site over TLS that speaks HTTP/2, and returns
// a browser on it.
func openTown(t *testing.T, site http.Handler, more bridge.Config) (*house, *http.Client, string) {
	t.Helper()
	more.Site = site
	h := newHouse(t, more)
	conf := serverTLS()
	conf.NextProtos = []string{"h2", "http/1.1"}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.serve(func() error { return h.ServeV2TLS(l, conf) })
	tcp := func() net.Conn {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return nc
	}
	h.callV2 = overTLS(tcp)
	h.wait = func() { time.Sleep(200 * time.Microsecond) }
	h.patience = 20 * time.Second
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(transport.CloseIdleConnections)
	return h, &http.Client{Transport: transport, Timeout: h.patience}, "https://" + l.Addr().String()
}

// A browser reads the site over HTTP/2 while members talk on the same port, those
// who offer no protocol and those who offer HTTP/1.1.
func TestSiteOverHTTP2(t *testing.T) {
	t.Parallel()
	h, browser, url := openTown(t, newTownSite(), bridge.Config{})
	alice := h.v2Joins("alice", "room")
	nc := tls.Client(h.callV2().(*tls.Conn).NetConn(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	bob := h.v2On(nc)
	h.joins("v2", func() { bob.join("bob", "room") })
	for _, path := range []string{"/", "/two"} {
		answer, err := browser.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(body) != "HTTP/2.0 "+path {
			t.Errorf("%s is %q", path, body)
		}
	}
	if h.Stats().Connections != 3 {
		t.Errorf("%d connections are counted, want two members' and the browser's", h.Stats().Connections)
	}
	bob.gets(notice("alice", "room"))
	bob.says(text("hello"))
	alice.gets(text("hello"))
}

// The site claims some upgrades; all others are Mles.
func TestSiteClaimsUpgrades(t *testing.T) {
	t.Parallel()
	h, _, _ := openTown(t, newTownSite(), bridge.Config{})
	nc := h.keep(h.callV2())
	r := bufio.NewReader(nc)
	io.WriteString(nc, upgradeRequest("/tunnel/x"))
	answer, err := http.ReadResponse(r, nil)
	if err != nil || answer.StatusCode != 101 || answer.Header.Get("Upgrade") != "echo" {
		t.Fatalf("%v, %v", answer, err)
	}
	io.WriteString(nc, "hello\n")
	if line, err := r.ReadString('\n'); line != "hello\n" {
		t.Errorf("reads %q, %v", line, err)
	}
	h.v2Joins("alice", "room")
	nc.Close()
	h.until("the tunnel is off the count", func() bool { return h.Stats().Connections == 1 })
}

// A page that is being sent when the gateway is shut down is sent to its end;
// connections that wait for another request, and tunnels, are closed at once.
func TestShutdownLetsPagesEnd(t *testing.T) {
	t.Parallel()
	site := newTownSite()
	h, browser, url := openTown(t, site, bridge.Config{})
	got := make(chan string, 2)
	read := func(client *http.Client) {
		answer, err := client.Get(url + "/slow")
		if err != nil {
			got <- err.Error()
			return
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		got <- fmt.Sprint(string(body), err)
	}
	old := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // HTTP/1.1
	defer old.CloseIdleConnections()
	go read(browser)
	go read(&http.Client{Transport: old, Timeout: h.patience})
	<-site.begun
	<-site.begun
	idle := h.keep(h.callV2())
	h.asks(idle, bufio.NewReader(idle), "/")
	tunnel := h.keep(h.callV2())
	io.WriteString(tunnel, upgradeRequest("/tunnel"))
	if _, err := http.ReadResponse(bufio.NewReader(tunnel), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- h.Shutdown(ctx) }()
	for _, nc := range []net.Conn{idle, tunnel} {
		if _, err := io.ReadAll(nc); err != nil && !closedSomehow(err) {
			t.Error(err)
		}
	}
	select {
	case err := <-done:
		t.Error("Shutdown did not wait for a page:", err)
	default:
	}
	close(site.going)
	for range 2 {
		if page := <-got; page != "half whole<nil>" {
			t.Errorf("reads %q", page)
		}
	}
	if err := <-done; err != nil {
		t.Error("Shutdown:", err)
	}
}

// A page that does not end is cut off at the deadline.
func TestShutdownCutsPages(t *testing.T) {
	t.Parallel()
	site := newTownSite()
	h, browser, url := openTown(t, site, bridge.Config{})
	got := make(chan error, 1)
	go func() {
		answer, err := browser.Get(url + "/slow")
		if err == nil {
			_, err = io.ReadAll(answer.Body)
			answer.Body.Close()
		}
		got <- err
	}()
	<-site.begun
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := h.Shutdown(ctx); err == nil {
		t.Error("Shutdown: no error")
	}
	if err := <-got; err == nil {
		t.Error("the page came to an end")
	}
	close(site.going)
}

// Who reads a page first has no more time to join than others, and who says
// nothing more is let go.
func TestTimeAfterAPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, bridge.Config{Site: newTownSite()})
		l := newPipeListener()
		h.serve(func() error { return h.ServeV2(l) })
		h.callV2 = l.dial
		h.wait = func() { time.Sleep(time.Millisecond); synctest.Wait() }
		h.patience = time.Hour
		idle, silent := h.keep(h.callV2()), h.keep(h.callV2())
		start := time.Now()
		h.asks(idle, bufio.NewReader(idle), "/")
		r := bufio.NewReader(silent)
		for range 4 { // longer than there is time to join
			h.asks(silent, r, "/")
			time.Sleep(4 * time.Second)
		}
		if err := upgrade(silent, r, upgradeRequest("/", subprotocol)); err != nil {
			t.Fatal(err)
		}
		upgraded := time.Now()
		f, err := readWSFrame(r)
		if took := time.Since(upgraded); f != closing(1008, "no hello in time") || took < 9*time.Second || took > 11*time.Second {
			t.Errorf("who says no hello gets %v, %v after %s", f, err, took)
		}
		silent.Close()
		io.Copy(io.Discard, idle)
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("an idle connection was kept for %s", took)
		}
		h.until("both are off the count", func() bool { return h.Stats().Connections == 0 })
	})
}

// Visitors who hold their connections do not take the memory that members need:
// there is a bound for them, and beyond it pages are refused and members are not.
func TestVisitorsAreBounded(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{Site: newTownSite(), MemoryLimit: 32 << 20}) // an eighth of the half: 32 visitors
	visit := func() (net.Conn, int) {
		nc := h.keep(h.callV2())
		status, _ := h.asks(nc, bufio.NewReader(nc), "/")
		return nc, status
	}
	var all []net.Conn
	for i := range 32 {
		nc, status := visit()
		if status != 200 {
			t.Fatalf("visitor %d gets %d", i, status)
		}
		all = append(all, nc)
	}
	if _, status := visit(); status != 503 {
		t.Errorf("one too many gets %d", status)
	}
	if h.refusals("too many visitors") != 1 || len(h.log.lines("request for a page refused: too many connections", "--memory-limit")) != 1 {
		t.Error("that is not counted and logged")
	}
	h.v2Joins("alice", "room")
	all[0].Close()
	h.until("a visitor has gone", func() bool { nc, status := visit(); nc.Close(); return status == 200 })
	// One who joins is no visitor any more.
	c := &v2client{house: h, nc: all[1], r: bufio.NewReader(all[1])}
	h.until("the next has gone, too", func() bool { return h.Stats().Connections == 32 })
	if err := upgrade(c.nc, c.r, upgradeRequest("/", subprotocol)); err != nil {
		t.Fatal(err)
	}
	h.joins("v2", func() { c.join("bob", "room") })
	for range 2 {
		if _, status := visit(); status != 200 {
			t.Errorf("in place of who has left and who has joined: %d", status)
		}
	}
	if _, status := visit(); status != 503 {
		t.Errorf("and one more gets %d", status)
	}
}

// Many requests on one connection are as many visitors.
func TestRequestsAreBounded(t *testing.T) {
	t.Parallel()
	site := newTownSite()
	h, browser, url := openTown(t, site, bridge.Config{MaxConnections: 20})
	h.v2Joins("alice", "room")
	if answer, err := browser.Get(url); err != nil { // so that there is a connection for all
		t.Fatal(err)
	} else {
		answer.Body.Close()
	}
	statuses := make(chan int, 40)
	for range 40 {
		go func() {
			answer, err := browser.Get(url + "/slow")
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			defer answer.Body.Close()
			statuses <- answer.StatusCode
			io.Copy(io.Discard, answer.Body)
		}()
	}
	got := make(map[int]int)
	for range 40 {
		got[<-statuses]++
	}
	if got[200] != 16 || got[503] != 24 {
		t.Errorf("statuses %v", got)
	}
	close(site.going)
	h.v2Joins("bob", "room")
	h.until("there is room again", func() bool {
		answer, err := browser.Get(url + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode == 200
	})
}

// Over the limit on connections there are no pages, but an answer.
func TestPageOverTheLimit(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{Site: newTownSite(), MaxConnections: 1})
	h.v2Joins("alice", "room")
	nc := h.keep(h.callV2())
	if status, _ := h.asks(nc, bufio.NewReader(nc), "/"); status != 503 {
		t.Errorf("gets %d", status)
	}
	if _, err := io.ReadAll(nc); err != nil && !closedSomehow(err) {
		t.Error(err)
	}
}

// A redirect on port 80 has the gateway's bounds, and nothing of Mles.
func TestServeSite(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	call := h.serveTCP(func(l net.Listener) error {
		return h.ServeSite(l, http.RedirectHandler("https://x/", http.StatusMovedPermanently))
	})
	nc := h.keep(call())
	r := bufio.NewReader(nc)
	if status, _ := h.asks(nc, r, "/"); status != 301 {
		t.Errorf("gets %d", status)
	}
	io.WriteString(nc, upgradeRequest("/", subprotocol))
	if answer, err := http.ReadResponse(r, nil); err != nil || answer.StatusCode != 301 {
		t.Errorf("an upgrade gets %v, %v", answer, err)
	}
	if h.Stats().Connections != 1 {
		t.Error("not counted")
	}
	nc.Close()
	h.until("it is off the count", func() bool { return h.Stats().Connections == 0 })
}

// HTTP/2 has the same bounds: who asks nothing in 10 s is closed, and so is who
// asks nothing more, however busy he seems.
func TestIdleHTTP2(t *testing.T) {
	t.Parallel()
	const (
		settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
		ping     = "\x00\x00\x08\x06\x00\x00\x00\x00\x00ping ing"
		// HEADERS of stream 1, END_STREAM and END_HEADERS: GET / over https to x, from HPACK's static table.
		get = "\x00\x00\x06\x01\x05\x00\x00\x00\x01\x82\x87\x84\x41\x01x"
	)
	for name, begin := range map[string]string{
		"nothing": "", "half a preface": "PRI * HTTP/2.0\r\n", "no request": preface + settings, "one request": preface + settings + get,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, bridge.Config{Site: newTownSite()})
				h.patience = time.Hour
				l := newPipeListener()
				conf := serverTLS()
				conf.NextProtos = []string{"h2", "http/1.1"}
				h.serve(func() error { return h.ServeV2TLS(l, conf) })
				start := time.Now()
				nc := tls.Client(h.keep(l.dial()), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
				if err := nc.Handshake(); err != nil {
					t.Fatal(err)
				}
				ended := make(chan string)
				go func() {
					sent, _ := io.ReadAll(nc)
					ended <- string(sent)
				}()
				io.WriteString(nc, begin)
				for strings.HasPrefix(begin, preface) {
					if _, err := io.WriteString(nc, ping); err != nil {
						break
					}
					time.Sleep(time.Second)
				}
				sent := <-ended
				if took := time.Since(start); took > 22*time.Second {
					t.Errorf("closed after %s", took)
				}
				if strings.Contains(sent, "\x00\x08\x00\x00\x00\x01") {
					t.Error("WebSockets over HTTP/2 are offered (RFC 8441), and not served")
				}
				if strings.Contains(sent, "HTTP/2.0 /") != strings.HasSuffix(begin, get) {
					t.Errorf("it was sent %q", sent)
				}
			})
		})
	}
}

// preface is how an HTTP/2 client begins.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
