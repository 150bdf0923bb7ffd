package control_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"

	"mles/bridge"
	"mles/internal/control"
	"mles/v1"
	"mles/v2"
)

// A house is a gateway on loopback with what acts on it.
type house struct {
	t      *testing.T
	gw     *bridge.Gateway
	v1, v2 string // addresses
	admin  *httptest.Server
}

func open(t *testing.T) *house {
	t.Helper()
	gw, err := bridge.New(bridge.Config{V1Keys: []string{"k"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, gw: gw}
	for addr, serve := range map[*string]func(net.Listener) error{&h.v1: gw.ServeV1, &h.v2: gw.ServeV2} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*addr = l.Addr().String()
		done := make(chan error, 1)
		go func() { done <- serve(l) }()
		t.Cleanup(func() {
			gw.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	mux := http.NewServeMux()
	(&control.Routes{Gateway: gw, Log: slog.New(slog.DiscardHandler)}).Register(mux.Handle)
	h.admin = httptest.NewServer(mux)
	t.Cleanup(h.admin.Close)
	return h
}

// asks sends a request and returns the answer.
func (h *house) asks(method, path, contentType, body string) (status int, text string) {
	h.t.Helper()
	r, err := http.NewRequest(method, h.admin.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := h.admin.Client().Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// must asks for what is answered so.
func (h *house) must(method, path, contentType, body string, status int, text string) {
	h.t.Helper()
	code, got := h.asks(method, path, contentType, body)
	if diff := cmp.Diff(text, got); code != status || diff != "" && status < 400 {
		h.t.Errorf("%s %s: %d, want %d (-want +got):\n%s", method, path, code, status, diff)
	}
}

func (h *house) joinV1(uid, channel, message string) *v1.ClientConn {
	h.t.Helper()
	before := h.gw.Stats().V1Members
	c, err := (&v1.Dialer{Key: "k"}).Dial(h.t.Context(), h.v1, uid, channel, []byte(message))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	_ = c.NetConn().SetDeadline(time.Now().Add(20 * time.Second))
	h.until(func() bool { return h.gw.Stats().V1Members > before })
	return c
}

func (h *house) joinV2(uid, channel string) *v2.ClientConn {
	h.t.Helper()
	before := h.gw.Stats().V2Members
	c, err := new(v2.Dialer).Dial(h.t.Context(), "ws://"+h.v2, uid, channel)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close(v2.CloseNormal, "") })
	h.until(func() bool { return h.gw.Stats().V2Members > before })
	return c
}

func (h *house) until(so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("never: %+v", h.gw.Stats())
		}
	}
}

// A script posts to channels of any name, and reads back what was said; bob on v2 and alice on v1 hear it.
func TestPostAndHistory(t *testing.T) {
	h := open(t)
	for name, path := range map[string]string{
		"hall": "hall", "iot/x": "iot%2Fx", "..": "%2E%2E", ".": "%2e", "Käse 🧀": "K%C3%A4se%20🧀", "a+b&c?d#e%": "a+b&c%3Fd%23e%25", "history": "history",
	} {
		h.must("POST", "/channels/"+path+"?uid=cron", "", "for "+name, http.StatusNoContent, "")
		h.must("GET", "/channels/"+path+"/history", "", "", http.StatusOK,
			`{"dialect":"v2","uid":"cron","frame":"binary","text":"for `+name+`"}`+"\n")
		h.must("DELETE", "/channels/"+path+"/history", "", "", http.StatusOK, `{"events":1}`+"\n")
		h.must("DELETE", "/channels/"+path+"/history", "", "", http.StatusNotFound, "")
	}
	h.must("POST", "/publish?channel=/&uid=cron", "", "for a slash", http.StatusNoContent, "")
	h.must("GET", "/history?channel=/", "", "", http.StatusOK,
		`{"dialect":"v2","uid":"cron","frame":"binary","text":"for a slash"}`+"\n")
	h.must("POST", "/purge?channel=/", "", "", http.StatusOK, `{"events":1}`+"\n")
}

// What somebody says by HTTP is heard on both sides, as text where it is posted as text.
func TestPostIsHeard(t *testing.T) {
	h := open(t)
	alice, bob := h.joinV1("alice", "hall", ""), h.joinV2("bob", "hall")
	for _, c := range []struct {
		contentType, body string
		op                byte
	}{
		{"", "plain bytes", v2.OpBinary},
		{"application/octet-stream", "\xff\x00", v2.OpBinary},
		{"text/plain; charset=utf-8", "grüße", v2.OpText},
		{"application/x-www-form-urlencoded", "by curl -d", v2.OpBinary},
	} {
		h.must("POST", "/channels/hall", c.contentType, c.body, http.StatusNoContent, "")
		for {
			op, message, err := bob.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if op == v2.OpText && strings.Contains(string(message), "alice") { // her notice, in the history
				continue
			}
			if op != c.op || string(message) != c.body {
				t.Errorf("bob gets %d %q, want %d %q", op, message, c.op, c.body)
			}
			break
		}
		for {
			m, err := alice.Recv()
			if err != nil {
				t.Fatal(err)
			}
			if m.UID == "bob" {
				continue
			}
			if m.UID != control.DefaultUID || string(m.Message) != c.body {
				t.Errorf("alice gets %q of %q", m.Message, m.UID)
			}
			break
		}
	}
	_, lines := h.asks("GET", "/history?channel=hall", "", "")
	want := `{"dialect":"v1","uid":"alice","join":true}
{"dialect":"v2","uid":"bob","join":true}
{"dialect":"v2","uid":"mlesd","frame":"binary","text":"plain bytes"}
{"dialect":"v2","uid":"mlesd","frame":"binary","base64":"/wA="}
{"dialect":"v2","uid":"mlesd","frame":"text","text":"grüße"}
{"dialect":"v2","uid":"mlesd","frame":"binary","text":"by curl -d"}
`
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// What does not fit is refused, and nothing is said or done.
func TestRefused(t *testing.T) {
	h := open(t)
	h.joinV1("alice", "hall", "")
	for request, want := range map[string]int{
		"POST /channels/hall?uid=":                    400, // v2 members have names
		"POST /channels/hall?user=cron":               400,
		"POST /channels/hall?uid=a&uid=b":             400,
		"POST /channels/%ff":                          400,
		"POST /channels/" + strings.Repeat("x", 1025): 400,
		"GET /channels/nowhere/history":               404,
		"GET /history":                                400,
		"GET /history?channel=":                       404, // the nameless one of v1 is not there
		"POST /purge":                                 400,
		"POST /purge?channel=nowhere":                 404,
		"GET /purge?channel=hall":                     405,
		"POST /kick":                                  400,
		"POST /kick?user=alice":                       400,
		"POST /kick?uid=alice&uid=bob":                400,
		"POST /kick?addr=alice":                       400,
		"POST /kick?dialect=v3":                       400,
		"POST /publish?uid=cron":                      400,
		"POST /channels/iot/x":                        404, // %2F
	} {
		method, path, _ := strings.Cut(request, " ")
		if code, text := h.asks(method, path, "", "hello"); code != want || text == "" && want != 404 {
			t.Errorf("%.60s: %d %q, want %d", request, code, text, want)
		}
	}
	if code, _ := h.asks("POST", "/channels/hall", "text/plain", "\xff"); code != 400 {
		t.Errorf("text that is not UTF-8: %d", code)
	}
	if code, _ := h.asks("POST", "/channels/hall", "", strings.Repeat("x", 1<<24)); code != 413 {
		t.Errorf("16 MiB: %d", code)
	}
	if events, _ := h.gw.History("hall"); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
}

// Members are kicked by name, by address, by network, by dialect and channel, or by all of these.
func TestKick(t *testing.T) {
	h := open(t)
	closed := func(query string, want string) {
		t.Helper()
		h.must("POST", "/kick?"+query, "", "", http.StatusOK, `{"closed":`+want+"}\n")
	}
	alice := h.joinV1("alice", "hall", "")
	addr := alice.NetConn().LocalAddr().String()
	bob, carol := h.joinV2("bob", "hall"), h.joinV2("carol", "attic")
	closed("uid=dave", "0")
	closed("uid=bob&dialect=v1", "0")
	closed("uid=bob&channel=attic", "0")
	closed("addr=192.0.2.0/24", "0")
	closed("addr=127.0.0.1:1", "0")
	closed("addr="+strings.Replace(addr, "127.0.0.1", "[::ffff:127.0.0.1]", 1), "1")
	for err := error(nil); err == nil; _, err = alice.Recv() {
	}
	closed("uid=bob&dialect=v2&channel=hall&addr=127.0.0.0/8", "1")
	for {
		_, _, err := bob.Recv()
		var why *websocket.CloseError
		if errors.As(err, &why) && (why.Code != v2.ClosePolicy || why.Text != "kicked") {
			t.Errorf("bob is closed with %v", why)
		}
		if err != nil {
			break
		}
	}
	closed("channel=attic", "1")
	if _, _, err := carol.Recv(); err == nil {
		t.Error("carol is still there")
	}
}
