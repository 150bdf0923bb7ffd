package admin

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Why a request may come from a page of somebody else's.
var errForeignHost = errors.New("ask for localhost or an IP address, not for another name")

// local keeps pages in a browser away from a listener on loopback. A page of another site can have the browser call
// localhost, but not as what is addressed by localhost or by an IP address once its own name is made to point there
// (DNS rebinding): requests to any other host are foreign. So are those that a page of another origin sends to change
// something. The error says which.
func local(origin *http.CrossOriginProtection, r *http.Request) error {
	if !localName(r.Host) {
		return errForeignHost
	}
	return origin.Check(r)
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
