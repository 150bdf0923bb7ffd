package web

import (
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Redirect returns the handler of a listener without TLS that sends browsers to the one with it, at port: to the same
// host, which is one of domains if there are any, path and query. Other hosts get 421, methods other than GET and HEAD
// 405, since what they carry has been sent in the open already.
func Redirect(domains []string, port int) http.Handler {
	served := make([]string, len(domains))
	for i, domain := range domains {
		served[i] = hostOf(domain)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, http.StatusMethodNotAllowed)
			return
		case !slices.Contains(served, host) && (len(served) > 0 || !validHost(host) && net.ParseIP(host) == nil),
			!strings.HasPrefix(r.URL.Path, "/"):
			refuse(w, http.StatusMisdirectedRequest)
			return
		}
		if port != 443 {
			host = net.JoinHostPort(host, strconv.Itoa(port))
		} else if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		target := *r.URL
		target.Scheme, target.Host, target.User = "https", host, nil
		w.Header().Set("Location", target.String())
		refuse(w, http.StatusMovedPermanently)
	})
}
