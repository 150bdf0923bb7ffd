package console

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

// WebSocketPath is where the chat page opens its WebSocket: chat/ws from where the page is.
const WebSocketPath = "/chat/ws"

// protocolHeader is where a browser's WebSocket offers subprotocols, the one header that a page can choose.
const protocolHeader = "Sec-Websocket-Protocol"

// tokenProtocol begins the subprotocol that carries the admin listener's token, in unpadded URL-safe base64. It is
// never answered with.
const tokenProtocol = "mles-admin-token."

// SameHost has h answer requests only that a page of the same host makes, as Origin tells, which browsers always send for
// WebSockets: a page of any site may open one to localhost. Others get 403, and what asks for no WebSocket gets 426.
func SameHost(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			noWebSocket(w)
			return
		}
		origin, err := url.Parse(r.Header.Get("Origin"))
		if err != nil || origin.Host == "" || !strings.EqualFold(origin.Host, r.Host) {
			http.Error(w, "only the chat page of this address may connect here", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// TokenInProtocol lets a page send the admin listener's token with a request for a WebSocket, for which it can set no
// header: as the subprotocol mles-admin-token.BASE64URL, beside the one that it wants. h sees it as Authorization.
func TokenInProtocol(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == WebSocketPath && r.Header.Get("Authorization") == "" {
			if token := offeredToken(r.Header.Values(protocolHeader)); token != "" {
				r = r.Clone(r.Context())
				r.Header.Set("Authorization", "Bearer "+token)
			}
		}
		h.ServeHTTP(w, r)
	})
}

// offeredToken is the token among subprotocols; "": there is none.
func offeredToken(offers []string) string {
	for _, protocol := range strings.Split(strings.Join(offers, ","), ",") {
		text, is := strings.CutPrefix(strings.TrimSpace(protocol), tokenProtocol)
		if !is {
			continue
		}
		if token, err := base64.RawURLEncoding.DecodeString(text); err == nil {
			return string(token)
		}
	}
	return ""
}

// noWebSocket answers a request for a page where there is none.
func noWebSocket(w http.ResponseWriter) {
	w.Header().Set("Upgrade", "websocket")
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "this is where the chat page opens its WebSocket", http.StatusUpgradeRequired)
}
