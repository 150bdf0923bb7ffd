package conformance

import (
	"errors"
	"net/http"
	"os"
	"time"
)

// opensV1WS shows that a request with these headers is upgraded, and that its
// sender can then join.
func opensV1WS(t *T, headers ...string) {
	opensV1WSBy(t, func(*HTTPConn) []string { return headers })
}

// opensV1WSBy does so with headers that depend on the connection.
func opensV1WSBy(t *T, headers func(h *HTTPConn) []string) {
	room := t.Room()
	room.V1WS("alice")
	h := t.DialV1WSHTTP()
	h.Send(h.Request("", headers(h)...))
	bob := h.ExpectV1WSUpgrade()
	bob.Listen()
	room.Meet(bob.Join("bob", room.Channel, ""))
	room.Quiet()
}

// notOpenedV1WS shows that a request with these headers is not answered by an
// upgrade: otherwise, or by the end of the connection.
func notOpenedV1WS(t *T, headers ...string) {
	h := t.DialV1WSHTTP()
	h.Send(h.Request("", headers...))
	h.nc.SetReadDeadline(time.Now().Add(t.remaining()))
	res, err := http.ReadResponse(h.r, nil)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		t.Fatalf("%s got nothing within %v; want an answer, or the end of the connection", h.name.String(), t.Patience())
	case err != nil:
		t.Logf("%s: %v", h.name.String(), err)
	case res.StatusCode == http.StatusSwitchingProtocols:
		t.Fatalf("the answer is %s; want any other", res.Status)
	}
}

func v1wsOpeningCases() []Case {
	const section = "v1/spec.md#websocket"
	return []Case{{
		ID: "v1ws/opening/subprotocol-alone", Section: section, Needs: V1WS,
		Says: "A request that offers mles-websocket alone is upgraded and answered with this subprotocol, and its sender can join.",
		Run:  func(t *T) { opensV1WS(t, "Sec-WebSocket-Protocol: mles-websocket") },
	}, {
		ID: "v1ws/opening/subprotocol-in-list", Section: section, Needs: V1WS,
		Says: "A list of subprotocols with mles-websocket in it is answered with mles-websocket.",
		Run:  func(t *T) { opensV1WS(t, "Sec-WebSocket-Protocol: chat, mles-websocket, superchat") },
	}, {
		ID: "v1ws/opening/subprotocol-in-dense-list", Section: section, Needs: V1WS,
		Says: "So is a list that has no spaces in it.",
		Run:  func(t *T) { opensV1WS(t, "Sec-WebSocket-Protocol: chat,mles-websocket") },
	}, {
		ID: "v1ws/opening/origin", Section: section, Needs: V1WS,
		Says: "A page of another site is upgraded, as browsers tell it; on a loopback address, one of this machine.",
		Run:  func(t *T) { opensV1WSBy(t, func(h *HTTPConn) []string { return []string{h.page()} }) },
	}, {
		ID: "v1ws/opening/no-subprotocol", Section: section, Needs: V1WS, Conns: 1,
		Says: "A request that offers no subprotocol is not upgraded.",
		Run:  func(t *T) { notOpenedV1WS(t, "Sec-WebSocket-Protocol:") },
	}, {
		ID: "v1ws/opening/other-subprotocol", Section: section, Needs: V1WS, Conns: 1,
		Says: "A request that offers only other subprotocols is not upgraded, also if one begins alike.",
		Run:  func(t *T) { notOpenedV1WS(t, "Sec-WebSocket-Protocol: chat, mles-websocket2") },
	}, {
		ID: "v1ws/opening/silent", Section: section, Needs: V1WS,
		Says: "The server says nothing before a client has: what comes first is the answer to its ping.",
		Run: func(t *T) {
			c := t.DialV1WS()
			c.SendPing("are you there?")
			c.ExpectFrame(Fin|OpPong, "are you there?")
		},
	}}
}
