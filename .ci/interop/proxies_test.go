//go:build interop

package interop

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mles/.ci/hosts"
)

// The v1 client's own proxy has our gateway as its v1 server: bodies in WebSocket frames on one side, v1 and v2 members on
// the other.
func TestV1ClientAsWebSocketProxy(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{"shared key": "swordfish", "address keys": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, c := newHost(t), hosts.NewCertificate(t, "localhost")
			h.startGateway(t, key, c)
			h.start(t, "mles-client 1.1.7 --use-websockets", keyEnv(key), ref(client1), "127.0.0.1", "--use-websockets")
			h.Listening(t, "127.0.0.1:8076")

			wanda := h.joinV2(t, c, key, "wanda", "plain")
			vera := h.joinV1(t, "127.0.0.1:8077", key, "vera", "plain", "", nil)
			wandaAuth := key
			if key == "" {
				wandaAuth = wanda.ws.LocalAddr().String()
			}
			wandaJoin := v1Frame(wandaAuth, "wanda", "plain", "")
			vera.gets(t, wandaJoin)

			zoe := h.upgrade(t, "zoe", "ws://localhost:8076/", "")
			zoe.send(t, bin(v1Body("zoe", "plain", "zoe's first")))
			wanda.gets(t, bin("zoe's first"))
			zoe.gets(t, bin(v1Body("wanda", "plain", "")), bin(v1Body("vera", "plain", "")))
			zoe.send(t, bin(v1Body("zoe", "plain", "zoe's second")))
			wanda.gets(t, bin("zoe's first"), bin("zoe's second"))
			vera.getsBodies(t, v1Body("wanda", "plain", ""), v1Body("zoe", "plain", "zoe's first"), v1Body("zoe", "plain", "zoe's second"))
			if key != "" { // keyless, the proxy's address is in the key
				vera.gets(t, wandaJoin, v1Frame(key, "zoe", "plain", "zoe's first"), v1Frame(key, "zoe", "plain", "zoe's second"))
			}

			vera.send(t, "to the browser, päivää")
			wanda.gets(t, bin("zoe's first"), bin("zoe's second"), bin("to the browser, päivää"))
			wanda.send(t, text("text from v2"))
			wanda.send(t, bin("\x00\xff binary from v2"))
			all := []wsMessage{
				bin(v1Body("wanda", "plain", "")), bin(v1Body("vera", "plain", "")),
				bin(v1Body("vera", "plain", "to the browser, päivää")),
				bin(v1Body("wanda", "plain", "text from v2")), bin(v1Body("wanda", "plain", "\x00\xff binary from v2")),
			}
			zoe.gets(t, all...)

			zack := h.upgrade(t, "zack", "ws://localhost:8076/", "")
			zack.send(t, bin(v1Body("zack", "plain", "zack is late")))
			zack.gets(t, all[0], all[1], bin(v1Body("zoe", "plain", "zoe's first")), bin(v1Body("zoe", "plain", "zoe's second")),
				all[2], all[3], all[4])
			zoe.gets(t, append(all, bin(v1Body("zack", "plain", "zack is late")))...)

			wim := h.joinV2(t, c, key, "wim", "plain")
			wim.gets(t, noticeOf("wanda", "plain"), noticeOf("vera", "plain"), noticeOf("zoe", "plain"), bin("zoe's first"),
				bin("zoe's second"), bin("to the browser, päivää"), text("text from v2"), bin("\x00\xff binary from v2"),
				noticeOf("zack", "plain"), bin("zack is late"))

			// What came twice stands before the last words.
			vera.send(t, "that is all, says vera")
			wanda.gets(t, bin("zoe's first"), bin("zoe's second"), bin("to the browser, päivää"), bin("zack is late"), bin("that is all, says vera"))
			wanda.send(t, text("that is all, says wanda"))
			vera.getsBodies(t, v1Body("wanda", "plain", ""), v1Body("zoe", "plain", "zoe's first"), v1Body("zoe", "plain", "zoe's second"),
				v1Body("wanda", "plain", "text from v2"), v1Body("wanda", "plain", "\x00\xff binary from v2"), v1Body("zack", "plain", "zack is late"),
				v1Body("wim", "plain", ""), v1Body("wanda", "plain", "that is all, says wanda"))
			last := []wsMessage{bin(v1Body("wim", "plain", "")), bin(v1Body("vera", "plain", "that is all, says vera")),
				bin(v1Body("wanda", "plain", "that is all, says wanda"))}
			zoe.gets(t, slices.Concat(all, []wsMessage{bin(v1Body("zack", "plain", "zack is late"))}, last)...)
			zack.gets(t, slices.Concat(all[:2], []wsMessage{bin(v1Body("zoe", "plain", "zoe's first")), bin(v1Body("zoe", "plain", "zoe's second"))},
				all[2:], last)...)
			wim.gets(t, noticeOf("wanda", "plain"), noticeOf("vera", "plain"), noticeOf("zoe", "plain"), bin("zoe's first"),
				bin("zoe's second"), bin("to the browser, päivää"), text("text from v2"), bin("\x00\xff binary from v2"),
				noticeOf("zack", "plain"), bin("zack is late"), bin("that is all, says vera"), text("that is all, says wanda"))
			proved(t, "mles-client 1.1.7 --use-websockets, %s: browsers, v1 and v2 members read each other, live and from history", name)
		})
	}
}

// mles-webproxy has our gateway as its v1 server and masks what it sends: members of the gateway meet its browsers in
// the masked channel under masked names.
func TestWebproxy(t *testing.T) {
	t.Parallel()
	const key = "swordfish"
	h, c := newHost(t), hosts.NewCertificate(t, "localhost")
	h.startGateway(t, key, c)
	ca := h.startWebproxy(t, key)
	m := newMask("room")
	room := m.name("room")
	counter := strings.Repeat("\x01", 16)

	wanda := h.joinV2(t, c, key, m.name("wanda"), room)
	vera := h.joinV1(t, "127.0.0.1:8077", key, m.name("vera"), room, "", nil)
	wandaJoin := v1Frame(key, m.name("wanda"), room, "")
	vera.gets(t, wandaJoin)

	zoe := h.upgrade(t, "zoe", "wss://localhost:443/", ca)
	first := counter + "zoe's first"
	zoe.send(t, bin(v1Body("zoe", "room", first)))
	vera.gets(t, wandaJoin, v1Frame(key, m.name("zoe"), room, m.message(first)))
	wanda.gets(t, bin(m.message(first)))

	fromVera, fromWanda := counter+"vera to the browser", counter+"wanda, ääkköset"
	vera.send(t, m.message(fromVera))
	wanda.gets(t, bin(m.message(first)), bin(m.message(fromVera)))
	wanda.send(t, bin(m.message(fromWanda)))
	zoe.gets(t, bin(v1Body("vera", "room", fromVera)), bin(v1Body("wanda", "room", fromWanda)))

	zack := h.upgrade(t, "zack", "wss://localhost:443/", ca)
	late := counter + "zack is late"
	zack.send(t, bin(v1Body("zack", "room", late)))
	zack.gets(t, bin(v1Body("zoe", "room", first)), bin(v1Body("vera", "room", fromVera)), bin(v1Body("wanda", "room", fromWanda)))
	zoe.gets(t, bin(v1Body("vera", "room", fromVera)), bin(v1Body("wanda", "room", fromWanda)), bin(v1Body("zack", "room", late)))

	wim := h.joinV2(t, c, key, "wim", room)
	wim.gets(t, noticeOf(m.name("wanda"), room), noticeOf(m.name("vera"), room), noticeOf(m.name("zoe"), room), bin(m.message(first)),
		bin(m.message(fromVera)), bin(m.message(fromWanda)), noticeOf(m.name("zack"), room), bin(m.message(late)))

	// What came twice stands before the last words.
	lastOfVera, lastOfWanda := counter+"that is all, says vera", counter+"that is all, says wanda"
	vera.send(t, m.message(lastOfVera))
	wanda.gets(t, bin(m.message(first)), bin(m.message(fromVera)), bin(m.message(late)), bin(m.message(lastOfVera)))
	wanda.send(t, bin(m.message(lastOfWanda)))
	vera.gets(t, wandaJoin, v1Frame(key, m.name("zoe"), room, m.message(first)), v1Frame(key, m.name("wanda"), room, m.message(fromWanda)),
		v1Frame(key, m.name("zack"), room, m.message(late)), v1Frame(key, "wim", room, ""), v1Frame(key, m.name("wanda"), room, m.message(lastOfWanda)))
	last := []wsMessage{bin(v1Body("vera", "room", lastOfVera)), bin(v1Body("wanda", "room", lastOfWanda))}
	zoe.gets(t, append([]wsMessage{bin(v1Body("vera", "room", fromVera)), bin(v1Body("wanda", "room", fromWanda)), bin(v1Body("zack", "room", late))}, last...)...)
	zack.gets(t, append([]wsMessage{bin(v1Body("zoe", "room", first)), bin(v1Body("vera", "room", fromVera)), bin(v1Body("wanda", "room", fromWanda))}, last...)...)
	wim.gets(t, noticeOf(m.name("wanda"), room), noticeOf(m.name("vera"), room), noticeOf(m.name("zoe"), room), bin(m.message(first)),
		bin(m.message(fromVera)), bin(m.message(fromWanda)), noticeOf(m.name("zack"), room), bin(m.message(late)),
		bin(m.message(lastOfVera)), bin(m.message(lastOfWanda)))
	proved(t, "mles-webproxy 0.8.8: its browsers and the masked channel's v1 and v2 members read each other, live and from history")
}

// startWebproxy runs mles-webproxy on wss://localhost:443 in front of the v1 server of the same host, and returns the
// certificate it shows.
func (h *host) startWebproxy(t *testing.T, key string) (ca string) {
	t.Helper()
	www := t.TempDir()
	if err := os.WriteFile(filepath.Join(www, "index.html"), []byte("mles"), 0o600); err != nil {
		t.Fatal(err)
	}
	return h.startWebproxySite(t, key, www)
}

// startWebproxySite does the same with pages in www.
func (h *host) startWebproxySite(t *testing.T, key, www string) (ca string) {
	t.Helper()
	c := hosts.NewRSACertificate(t, "localhost") // localhost.pem and localhost.key, in a folder of their own
	h.start(t, "mles-webproxy 0.8.8", keyEnv(key), "env", "-C", filepath.Dir(c.Cert),
		ref(webproxy), www, "nobody@localhost", "localhost", "127.0.0.1:8077")
	h.serving(t, "localhost:443", c)
	return c.Cert
}
