package bridge_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mles/bridge"
)

// A gateway in another program's HTTP server, with and without TLS.
func TestHandler(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conf := secret
			conf.MaxConnections = 3
			h := open(t, conf)
			mux := http.NewServeMux()
			mux.Handle("/mles", h)
			mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "the program's own") })
			server := start(mux)
			t.Cleanup(server.Close)
			alice := h.v1Joins("alice", "room", "")
			call := func() net.Conn {
				nc, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				return nc
			}
			if name == "TLS" {
				call = overTLS(call)
			}
			bob := &v2client{house: h, nc: h.keep(call())}
			bob.r = bufio.NewReader(bob.nc)
			if err := upgrade(bob.nc, bob.r, upgradeRequest("/mles", subprotocol)); err != nil {
				t.Fatal(err)
			}
			h.joins("v2", func() { bob.join("bob", "room") })
			bob.gets(notice("alice", "room"))
			alice.gets(bob.onV1(""))
			alice.says("hi")
			bob.gets(blob("hi"))
			bob.says(text("ho"))
			alice.gets(bob.onV1("ho"))

			client := server.Client()
			for path, want := range map[string]string{"/": "the program's own", "/mles": "WebSocket"} {
				answer, err := client.Get(server.URL + path)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				if !strings.Contains(string(body), want) {
					t.Errorf("%s: %s %q", path, answer.Status, body)
				}
			}
			// The limit on connections holds here, too.
			h.v2Joins("carol", "room")
			eve := &v2client{house: h, nc: h.keep(call())}
			eve.r = bufio.NewReader(eve.nc)
			if err := upgrade(eve.nc, eve.r, upgradeRequest("/mles", subprotocol)); err != nil {
				t.Fatal(err)
			}
			eve.closed(1013, "over a limit")
		})
	}
}

func TestParseJoinMode(t *testing.T) {
	for s, want := range map[string]bridge.JoinMode{"history": bridge.JoinsHistory, "live": bridge.JoinsLive, "off": bridge.JoinsOff} {
		if m, err := bridge.ParseJoinMode(s); err != nil || m != want || m.String() != s {
			t.Errorf("%s: %v, %v", s, m, err)
		}
	}
	for _, s := range []string{"", "History", "on", "live "} {
		if m, err := bridge.ParseJoinMode(s); err == nil {
			t.Errorf("%q is %v", s, m)
		}
	}
}

func TestConfigRefused(t *testing.T) {
	for name, conf := range map[string]bridge.Config{
		"history": {HistoryLimit: -2},
		"memory":  {MemoryLimit: -1},
		"number":  {MaxConnections: -1},
		"mode":    {V2Joins: 7},
		"lines":   {V1Keys: []string{"one", "two"}, V1KeyLines: []int{1}},
		"server":  {Upstreams: []bridge.Upstream{{URL: "http://root.example"}}},
		"held":    {Upstreams: []bridge.Upstream{{URL: "v1://root.example", Hold: []string{strings.Repeat("n", 1025)}}}},
	} {
		if conf.Check() == nil {
			t.Errorf("%s: nothing is said of %+v", name, conf)
		}
		if g, err := bridge.New(conf); err == nil {
			g.Close()
			t.Errorf("%s: %+v is taken", name, conf)
		}
	}
	g, err := bridge.New(bridge.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	g.Close()
}
