package bridge_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"

	"mles/bridge"
)

// What is a hello: white space, unknown members, escapes and any UTF-8 in names.
func TestHelloJoins(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	for _, hello := range []string{
		`{"uid":"u","channel":"c"}`,
		" \t\r\n{ \"channel\" : \"c\" ,\n \"uid\" : \"u\" }\r\n",
		`{"x":[1,{"uid":2}],"uid":"u","y":null,"channel":"c","Uid":"other","z":{}}`,
		`{"\u0075id":"\u0075","channel":"\u0063"}`,
		`{"uid":"u\u0000","channel":"c\u0000"}`,
		`{"uid":"é频道🎈","channel":"\ud83c\udf88"}`,
		`{"uid":"` + strings.Repeat("u", 1024) + `","channel":"` + strings.Repeat("ä", 512) + `"}`,
		`{"uid":"u","channel":"c"}` + strings.Repeat(" ", 8192-25),
	} {
		c := h.v2()
		h.joins("v2", func() { c.sends(final(opText, hello)) })
		c.leaves()
	}
}

// What is none: each is refused at once, with a code, a short reason and a line
// in the log.
func TestHelloRefused(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	long := strings.Repeat("x", 1025)
	for _, c := range []struct {
		frame []byte
		code  string
	}{
		{final(opText, `["u","c"]`), "\x03\xf0"},
		{final(opText, `["u","c",null]`), "\x03\xf0"},
		{final(opText, `"uid"`), "\x03\xf0"},
		{final(opText, `{}`), "\x03\xf0"},
		{final(opText, ``), "\x03\xf0"},
		{final(opText, `{"uid":"u"}`), "\x03\xf0"},
		{final(opText, `{"channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":1}`), "\x03\xf0"},
		{final(opText, `{"uid":null,"channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":["u"],"channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"Uid":"u","channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","CHANNEL":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","uid":"u","channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":"c","channel":"d"}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","\u0075id":"u","channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":"","channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":""}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":"c"}x`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":"c"}{}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":"c",}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":"c"`), "\x03\xf0"},
		{final(opText, `{"uid":"`+long+`","channel":"c"}`), "\x03\xf0"},
		{final(opText, `{"uid":"u","channel":"`+long+`"}`), "\x03\xf0"},
		{final(opText, `{"uid":"\ud800","channel":"c"}`), "\x03\xf0"},
		{final(opBinary, `{"uid":"u","channel":"c"}`), "\x03\xf0"},
		{final(opBinary, string(msgBody("u", "c", ""))), "\x03\xf0"},
		{final(opText, "{\"uid\":\"\xff\",\"channel\":\"c\"}"), "\x03\xef"},
		{final(opText, `{"uid":"u","channel":"c"}`+strings.Repeat(" ", 8193-25)), "\x03\xf1"},
		{final(opText, strings.Repeat("a", 1<<20)), "\x03\xf1"},
	} {
		before := len(h.log.lines("refused"))
		eve := h.v2()
		go eve.nc.Write(c.frame)
		f, err := readWSFrame(eve.r)
		if err != nil || f.op != opClose || !strings.HasPrefix(f.data, c.code) || len(f.data) < 6 {
			t.Errorf("%.100q is answered %v, %v", c.frame, f, err)
			continue
		}
		closeWrite(t, eve.nc)
		eve.ends()
		if n := len(h.log.lines("refused")); n != before+1 {
			t.Errorf("%.100q: %d lines in the log", c.frame, n-before)
		}
	}
	if st := h.Stats(); st.Joins["v2"] != 0 || st.Channels != 0 {
		t.Errorf("%+v", st)
	}
}

// A hello may come in fragments, and with pings before and in between; what
// follows in the same segment is the first message.
func TestHelloInPieces(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	bob := h.v1Joins("bob", "room", "")
	alice := h.v2()
	alice.uid, alice.channel = "alice", "room"
	var all []byte
	all = append(all, final(opPing, "first")...)
	all = append(all, masked(opText, []byte(`{"uid":"al`))...)
	all = append(all, final(opPing, "")...)
	all = append(all, masked(opMore, []byte(`ice","chan`))...)
	all = append(all, final(opPong, "unasked")...)
	all = append(all, final(opMore, `nel":"room"}`)...)
	all = append(all, final(opBinary, "one")...)
	all = append(all, masked(opText, "")...)
	all = append(all, masked(opMore, []byte("tw"))...)
	all = append(all, final(opPing, "mid")...)
	all = append(all, final(opMore, "o")...)
	alice.sends(all[:55])
	alice.sends(all[55:])
	bob.gets(alice.onV1(""), alice.onV1("one"), alice.onV1("two"))
	alice.gets(wsFrame{opPong, "first"}, wsFrame{opPong, ""})
	pong, mid := wsFrame{opPong, "mid"}, notice("bob", "room") // which of them overtakes is open
	if f, err := readWSFrame(alice.r); err != nil || f != pong && f != mid {
		t.Fatal(f, err)
	} else if f == mid {
		mid = pong
	}
	alice.gets(mid)
}

// The subprotocol may be in a list; path and Origin are not looked at. What is
// no upgrade is told so.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{})
	for _, request := range []string{
		upgradeRequest("/any/path?x=y", subprotocol),
		upgradeRequest("/", "Sec-WebSocket-Protocol: chat, mles-websocket"),
		upgradeRequest("/", "Sec-WebSocket-Protocol: a,mles-websocket,b"),
		upgradeRequest("/", "Sec-WebSocket-Protocol: chat", subprotocol),
		upgradeRequest("/", subprotocol, "Origin: https://evil.example"),
		upgradeRequest("/", subprotocol, "Sec-WebSocket-Extensions: permessage-deflate"),
	} {
		nc := h.keep(h.callV2())
		c := &v2client{house: h, nc: nc, r: bufio.NewReader(nc)}
		if err := upgrade(nc, c.r, request); err != nil {
			t.Errorf("%q: %v", request, err)
			continue
		}
		h.joins("v2", func() { c.join("u", "c") })
		c.leaves()
	}
	for request, status := range map[string]int{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n":                                 http.StatusUpgradeRequired,
		"POST /x HTTP/1.0\r\nContent-Length: 0\r\n\r\n":                     http.StatusUpgradeRequired,
		upgradeRequest("/"):                                                 http.StatusBadRequest,
		upgradeRequest("/", "Sec-WebSocket-Protocol: mles"):                 http.StatusBadRequest,
		upgradeRequest("/", "Sec-WebSocket-Protocol: mles-websockets"):      http.StatusBadRequest,
		strings.Replace(upgradeRequest("/", subprotocol), ": 13", ": 8", 1): http.StatusBadRequest,
		string(final(opText, "x")) + "\r\n\r\n":                             http.StatusBadRequest,
	} {
		nc := h.keep(h.callV2())
		io.WriteString(nc, request)
		answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
		if err != nil || answer.StatusCode != status {
			t.Errorf("%.40q is answered %v, %v, want %d", request, answer, err, status)
		}
	}
}

// Requests that are no upgrade get the site, if there is one.
func TestSite(t *testing.T) {
	t.Parallel()
	h := open(t, bridge.Config{Site: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "welcome to "+r.URL.Path) })})
	nc := h.keep(h.callV2())
	r := bufio.NewReader(nc)
	for _, path := range []string{"/one", "/two"} { // on one connection
		io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		answer, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(answer.Body); err != nil || string(body) != "welcome to "+path {
			t.Errorf("the site says %q, %v", body, err)
		}
	}
	if err := upgrade(nc, r, upgradeRequest("/", subprotocol)); err != nil {
		t.Fatal("then upgraded:", err)
	}
	c := &v2client{house: h, nc: nc, r: r}
	h.joins("v2", func() { c.join("u", "c") })
}
