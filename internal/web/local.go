package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// OnlyLocal keeps pages in a browser away from a handler on loopback. A page of another site can have the browser call
// localhost, but not as what is addressed by localhost or by an IP address once its own name is made to point there
// (DNS rebinding): requests to any other host are refused with 403. So are those that a page of another origin sends to
// change something.
func OnlyLocal(h http.Handler) http.Handler {
	h = http.NewCrossOriginProtection().Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !localName(r.Host) {
			http.Error(w, "ask for localhost or an IP address, not for another name", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// localName says whether a request's Host is none that somebody else's DNS could answer for.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
