package console

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// A Site is the chat page in front of a web site; see [mles/bridge.Config]. While it is not shown, all is the web site's.
type Site struct {
	chat  http.Handler
	next  Upgrader
	shown atomic.Bool
}

// An Upgrader is a web site, which may answer some requests for a WebSocket itself; see [mles/bridge.Upgrader].
type Upgrader interface {
	http.Handler
	Upgrades(r *http.Request) bool
}

// NewSite puts the chat page, not shown yet, in front of next.
func NewSite(next Upgrader) *Site { return &Site{chat: Chat(), next: next} }

// Show says whether the chat page is there from now on.
func (s *Site) Show(shown bool) { s.shown.Store(shown) }

// ServeHTTP implements [http.Handler].
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.isChat(r) {
		s.chat.ServeHTTP(w, r)
		return
	}
	s.next.ServeHTTP(w, r)
}

// Upgrades reports whether a request for a WebSocket is the web site's: never the chat page's, which the gateway answers.
func (s *Site) Upgrades(r *http.Request) bool { return !s.isChat(r) && s.next.Upgrades(r) }

func (s *Site) isChat(r *http.Request) bool {
	return s.shown.Load() && (r.URL.Path == "/chat" || strings.HasPrefix(r.URL.Path, "/chat/"))
}
