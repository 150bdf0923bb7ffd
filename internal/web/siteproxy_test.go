package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// backend is a server behind the site that says what it was asked.
func backend(t *testing.T, name string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if websocket.IsWebSocketUpgrade(r) {
			echo(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Backend", name)
		w.Header()["X-Backend-Sees"] = r.Header["X-Real-Ip"]
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%s %s %s %q host=%s for=%s of=%s by=%s forwarded=%s", name, r.Method, r.RequestURI, body, r.Host,
			r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Forwarded-Host"), r.Header.Get("X-Forwarded-Proto"), r.Header.Get("Forwarded"))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func echo(w http.ResponseWriter, r *http.Request) {
	ws, err := new(websocket.Upgrader).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	for {
		op, data, err := ws.ReadMessage()
		if err != nil {
			return
		}
		_ = ws.WriteMessage(op, append([]byte(r.URL.Path+" "), data...))
	}
}

func rules(t *testing.T, texts ...string) []ProxyRule {
	t.Helper()
	all, err := ParseProxyRules(texts)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Parts of the site are other servers': the longest prefix decides, and is taken off; the rest passes as it was spelled.
func TestProxy(t *testing.T) {
	one, two := backend(t, "one"), backend(t, "two")
	root := newWebRoot(t, map[string]string{"index.html": "home", "apix/index.html": "a file"})
	v := visits(t, SiteConfig{Root: root.dir, Proxies: rules(t, "api="+one.URL, "/api/v2/="+two.URL+"/base/")})
	host := strings.TrimPrefix(one.URL, "http://")
	for path, want := range map[string]string{
		"/api":                 `one GET / `,
		"/api/":                `one GET / `,
		"/api/a%20b/c%2Fd?x=;": `one GET /a%20b/c%2Fd?x=; `,
		"/api/v2":              `two GET /base/ `,
		"/api/v2/x":            `two GET /base/x `,
		"/api/v22":             `one GET /v22 `,
	} {
		got := v.gets("a.example", path)
		if got.status != 202 || !strings.HasPrefix(got.body, want) || got.Get("X-Backend") == "" {
			t.Errorf("%s is %d %q, want %q", path, got.status, got.body, want)
		}
		if got.Get("X-Frame-Options") != "" {
			t.Errorf("%s has headers of the site's files", path)
		}
	}
	v.serves("a.example", "/", 200, "home")
	v.serves("a.example", "/apix/", 200, "a file")
	v.serves("a.example", "/API/", 404, "Not Found")
	for _, path := range []string{"/api/../secret", "/api/%2e%2e/secret", "/api/v2/..%2f..%2fsecret", `/api/v2/..\secret`, "/api/.", "/%61pi/a%2fb"} {
		if got := v.gets("a.example", path); got.status != 400 {
			t.Errorf("%s is %d %q", path, got.status, got.body)
		}
	}
	got := v.gets("a.example:8443", "/api/x", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "Forwarded: for=192.0.2.1")
	if want := `one GET /x "" host=` + host + ` for=127.0.0.1 of=a.example:8443 by=http forwarded=`; got.body != want {
		t.Errorf("%q, want %q", got.body, want)
	}
	for _, said := range [][]string{nil, {"X-Real-IP: 192.0.2.1"}} {
		got := v.gets("a.example", "/api/x", said...).Header["X-Backend-Sees"]
		if want := slices.Repeat([]string{"127.0.0.1"}, len(said)); !slices.Equal(got, want) {
			t.Errorf("who says %q is %q, want %q", said, got, want)
		}
	}

	told := visits(t, SiteConfig{Root: root.dir, Proxies: rules(t, "api="+one.URL), SchemeIsTold: true})
	for said, want := range map[string]string{"https": "by=https", "http": "by=http ", "gopher": "by=http ", "": "by=http "} {
		if got := told.gets("a.example", "/api/x", "X-Forwarded-Proto: "+said); !strings.Contains(got.body, want) {
			t.Errorf("told of %q: %q", said, got.body)
		}
	}

	answer, err := http.Post(v.srv.URL+"/api/form", "text/plain", strings.NewReader(strings.Repeat("x", 10)))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	if !strings.HasPrefix(string(body), `one POST /form "xxxxxxxxxx"`) {
		t.Errorf("posting gets %q", body)
	}
	http.DefaultClient.CloseIdleConnections()
}

// A WebSocket to a part of the site is that server's.
func TestProxiedWebSocket(t *testing.T) {
	srv := backend(t, "one")
	site, err := NewSite(SiteConfig{Proxies: rules(t, "api="+srv.URL), Logger: new(journal).logger()})
	if err != nil {
		t.Fatal(err)
	}
	defer site.Close()
	front := httptest.NewServer(site)
	defer front.Close()
	for path, want := range map[string]bool{"/api": true, "/api/x": true, "/": false, "/apix": false} {
		if got := site.Upgrades(httptest.NewRequest("GET", path, nil)); got != want {
			t.Errorf("upgrades of %s are the site's: %v", path, got)
		}
	}
	ws, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(front.URL, "http")+"/api/talk", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	_ = ws.SetReadDeadline(time.Now().Add(20 * time.Second))
	for _, word := range []string{"hello", strings.Repeat("long ", 100_000)} {
		if err := ws.WriteMessage(websocket.TextMessage, []byte(word)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := ws.ReadMessage(); err != nil || string(got) != "/talk "+word {
			t.Errorf("%.50q, %v", got, err)
		}
	}
}

// What a server sends bit by bit arrives bit by bit.
func TestProxiedStream(t *testing.T) {
	next := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: %d\n", i)
			w.(http.Flusher).Flush()
			<-next
		}
	}))
	defer srv.Close()
	v := visits(t, SiteConfig{Proxies: rules(t, "api="+srv.URL)})
	answer, err := http.Get(v.srv.URL + "/api/events")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for i := range 3 {
		if !lines.Scan() || lines.Text() != fmt.Sprint("data: ", i) {
			t.Errorf("line %d is %q", i, lines.Text())
		}
		next <- struct{}{}
	}
}

// A server that is down, or ends in the middle: 502, and a line in the log that names the prefix.
func TestServerBehindTheSiteIsDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := l.Addr().String()
	l.Close()
	rude := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer rude.Close()
	v := visits(t, SiteConfig{Proxies: rules(t, "down=http://"+down, "rude="+rude.URL)})
	v.serves("a.example", "/down/x", 502, "Bad Gateway")
	v.serves("a.example", "/rude/x", 502, "Bad Gateway")
	v.serves("a.example", "/", 404, "Not Found")
	for _, prefix := range []string{"prefix=/down ", "prefix=/rude "} {
		if v.log.count(prefix) != 1 {
			t.Errorf("%s is not in the log once", prefix)
		}
	}
}

func TestProxyRules(t *testing.T) {
	for text, want := range map[string]string{
		"keeper=http://localhost:8080":   "keeper http://localhost:8080",
		"/a/b/=https://[::1]:8443/base/": "a/b https://[::1]:8443/base/",
		"x=http://h?":                    "",
		"x=http://h?a=b":                 "",
		"x=http://h#a":                   "",
		"x=ftp://h":                      "",
		"x=localhost:8080":               "",
		"x=http://":                      "",
		"x=http://:80":                   "",
		"x=http://user:topsecret@h":      "",
		"x=://topsecret":                 "",
		"x=":                             "",
		"x":                              "",
		"=http://h":                      "",
		"/=http://h":                     "",
		"a/../b=http://h":                "",
		"a//b=http://h":                  "",
		"a b=http://h":                   "",
		"a%20b=http://h":                 "",
		"http://localhost:8080":          "",
	} {
		r, err := ParseProxyRule(text)
		switch {
		case err == nil && want != r.Prefix+" "+r.Target.String():
			t.Errorf("%q is %s to %s", text, r.Prefix, r.Target)
		case err != nil && want != "":
			t.Errorf("%q: %v", text, err)
		case err != nil && strings.Contains(err.Error(), "topsecret"):
			t.Errorf("%q: the error says the password", text)
		}
	}
	if _, err := ParseProxyRules([]string{"a=http://h", "/a/=http://i"}); err == nil {
		t.Error("a prefix may be given twice")
	}
}
