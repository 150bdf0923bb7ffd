package conformance

import (
	"net/http"
	"strings"
)

// opensBy shows that the request is upgraded, and that its sender can then join.
func opensBy(t *T, path string, headers ...string) {
	opensBySome(t, path, func(*HTTPConn) []string { return headers })
}

// opensBySome does so with headers that depend on the connection.
func opensBySome(t *T, path string, headers func(h *HTTPConn) []string) {
	room := t.Room()
	room.V2("alice")
	h := t.DialHTTP()
	h.Send(h.Request(path, headers(h)...))
	bob := h.ExpectUpgrade()
	bob.Listen()
	bob.Hello("bob", room.Channel)
	room.Meet(bob)
}

// answer is the answer to a request with these headers.
func answer(t *T, headers ...string) *http.Response {
	h := t.DialHTTP()
	h.Send(h.Request("", headers...))
	res, _ := h.Response()
	return res
}

// staysHTTP shows that a request with these headers is answered, and not by an
// upgrade.
func staysHTTP(t *T, headers ...string) {
	if res := answer(t, headers...); res.StatusCode == http.StatusSwitchingProtocols {
		t.Fatalf("the answer is %s; want any other", res.Status)
	}
}

// expectStatus shows that it is answered with this status.
func expectStatus(t *T, status int, headers ...string) *http.Response {
	res := answer(t, headers...)
	if res.StatusCode != status {
		t.Fatalf("the answer is %s; want %d", res.Status, status)
	}
	return res
}

func v2OpeningCases() []Case {
	const section = "v2/spec.md#opening"
	return []Case{{
		ID: "v2/opening/subprotocol-alone", Section: section, Needs: V2,
		Says: "A request that offers mles-websocket alone is answered with a 101 that accepts its key and names this subprotocol once.",
		Run: func(t *T) {
			h := t.DialHTTP()
			h.Send(h.Request("", "Sec-WebSocket-Protocol: mles-websocket"))
			res, _ := h.Response()
			if res.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("the answer is %s; want 101", res.Status)
			}
			if got := res.Header.Values("Sec-WebSocket-Protocol"); len(got) != 1 || got[0] != "mles-websocket" {
				t.Fatalf("the 101 says Sec-WebSocket-Protocol %q; want mles-websocket, once", got)
			}
			if got := res.Header.Get("Sec-WebSocket-Accept"); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Fatalf("the 101 says Sec-WebSocket-Accept %q; RFC 6455, section 1.3, has the right one for this key", got)
			}
		},
	}, {
		ID: "v2/opening/subprotocol-in-list", Section: section, Needs: V2, Level: Should,
		Says: "A list of subprotocols with mles-websocket in it is answered with mles-websocket.",
		Run:  func(t *T) { opensBy(t, "", "Sec-WebSocket-Protocol: chat, mles-websocket, superchat") },
	}, {
		ID: "v2/opening/subprotocol-in-second-line", Section: section, Needs: V2, Level: Should,
		Says: "The subprotocol is found in a second header line too.",
		Run: func(t *T) {
			opensBy(t, "", "Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: mles-websocket")
		},
	}, {
		ID: "v2/opening/subprotocol-absent", Section: section, Needs: V2, Conns: 1,
		Says: "A request that offers no subprotocol is not upgraded.",
		Run:  func(t *T) { staysHTTP(t, "Sec-WebSocket-Protocol:") },
	}, {
		ID: "v2/opening/subprotocol-other", Section: section, Needs: V2, Conns: 1,
		Says: "A request that offers another subprotocol, whose name begins alike, is not upgraded.",
		Run:  func(t *T) { staysHTTP(t, "Sec-WebSocket-Protocol: mles-websocket2") },
	}, {
		ID: "v2/opening/subprotocol-case", Section: section, Needs: V2, Conns: 1,
		Says: "The subprotocol's name is case-sensitive: Mles-WebSocket is another one and is not upgraded.",
		Run:  func(t *T) { staysHTTP(t, "Sec-WebSocket-Protocol: Mles-WebSocket") },
	}, {
		ID: "v2/opening/subprotocol-absent-status", Section: section, Needs: V2, Level: Should, Conns: 1,
		Says: "A request for an upgrade that does not offer the subprotocol is answered with 400.",
		Run:  func(t *T) { expectStatus(t, http.StatusBadRequest, "Sec-WebSocket-Protocol:") },
	}, {
		ID: "v2/opening/any-path", Section: section, Needs: V2,
		Says: "Any path with any query is upgraded.",
		Run:  func(t *T) { opensBy(t, "/some/where/else?room=1&x=%20") },
	}, {
		ID: "v2/opening/any-origin", Section: section, Needs: V2,
		Says: "A page of another site is upgraded; on a loopback address, one of this machine.",
		Run:  func(t *T) { opensBySome(t, "", func(h *HTTPConn) []string { return []string{h.page()} }) },
	}, {
		ID: "v2/opening/browser-headers", Section: section, Needs: V2,
		Says: "A request as a browser writes it, with Connection: keep-alive, Upgrade, a cookie of 2 KiB and header names in lower case, is upgraded.",
		Run: func(t *T) {
			opensBy(t, "", "connection: keep-alive, Upgrade", "upgrade: WebSocket", "sec-websocket-version: 13", "user-agent: Mozilla/5.0",
				"accept-encoding: gzip, deflate, br, zstd", "cookie: id="+strings.Repeat("c", 2048), "sec-fetch-mode: websocket", "pragma: no-cache")
		},
	}, {
		ID: "v2/opening/no-extensions", Section: section, Needs: V2, Conns: 1,
		Says: "An offer to compress is not accepted: the 101 names no extension.",
		Run: func(t *T) {
			res := expectStatus(t, http.StatusSwitchingProtocols, "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
			if got, there := res.Header["Sec-Websocket-Extensions"]; there {
				t.Fatalf("the 101 says Sec-WebSocket-Extensions %q; want no such header", got)
			}
		},
	}, {
		ID: "v2/opening/byte-by-byte", Section: section, Needs: V2,
		Says: "A request whose bytes come one by one is upgraded.",
		Run: func(t *T) {
			h := t.DialHTTP()
			for _, b := range []byte(h.Request("")) {
				h.Send(string(b))
			}
			c := h.ExpectUpgrade()
			c.Listen()
			c.Hello("alice", t.Channel())
			c.SendPing("in")
			c.ExpectPong("in")
		},
	}, {
		ID: "v2/opening/plain-get", Section: section, Needs: V2, Conns: 1,
		Says: "A plain GET, as a browser that was given the address sends it, is answered with HTTP.",
		Run: func(t *T) {
			staysHTTP(t, "Upgrade:", "Connection:", "Sec-WebSocket-Key:", "Sec-WebSocket-Version:", "Sec-WebSocket-Protocol:")
		},
	}, {
		ID: "v2/opening/no-upgrade-header", Section: section, Needs: V2, Conns: 1,
		Says: "A request with everything but Upgrade: websocket is not upgraded.",
		Run:  func(t *T) { staysHTTP(t, "Upgrade:") },
	}, {
		ID: "v2/opening/version-other", Section: section, Needs: V2, Level: Should, Conns: 1,
		Says: "Version 12 of WebSocket is answered with 400, and with the version that is spoken.",
		Run: func(t *T) {
			res := expectStatus(t, http.StatusBadRequest, "Sec-WebSocket-Version: 12")
			if got := res.Header.Get("Sec-WebSocket-Version"); got != "13" {
				t.Fatalf("the answer says Sec-WebSocket-Version %q; want 13", got)
			}
		},
	}, {
		ID: "v2/opening/key-absent", Section: section, Needs: V2, Conns: 1,
		Says: "A request without Sec-WebSocket-Key is not upgraded.",
		Run:  func(t *T) { staysHTTP(t, "Sec-WebSocket-Key:") },
	}, {
		ID: "v2/opening/key-short", Section: section, Needs: V2, Level: Should, Conns: 1,
		Says: "A key of fewer than 16 bytes is answered with 400.",
		Run:  func(t *T) { expectStatus(t, http.StatusBadRequest, "Sec-WebSocket-Key: c2hvcnQ=") },
	}, {
		ID: "v2/opening/post", Section: section, Needs: V2, Level: Should, Conns: 1,
		Says: "A POST with the headers of an upgrade is answered with 405.",
		Run: func(t *T) {
			h := t.DialHTTP()
			h.Send("POST" + strings.TrimPrefix(h.Request("", "Content-Length: 0"), "GET"))
			if res, _ := h.Response(); res.StatusCode != http.StatusMethodNotAllowed {
				t.Fatalf("the answer is %s; want 405", res.Status)
			}
		},
	}}
}
