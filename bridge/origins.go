package bridge

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

// Values of [Config.Origins] besides origins themselves.
const (
	// OriginsAny lets every page open a WebSocket.
	OriginsAny = "*"
	// OriginsSame lets pages of the host do so that the request asks for, at any port.
	// On a loopback listener all names of this machine are one host.
	OriginsSame = "same"
	// OriginsAuto is OriginsSame for who comes from this machine to a loopback listener,
	// and OriginsAny for all others: a page of any site in a browser on this machine could
	// reach such a listener, and nobody else. Who comes by a proxy on this machine, as the
	// request's header says, is not from it.
	OriginsAuto = "auto"
	// OriginsNull lets those do so whose origin is hidden, such as sandboxed frames, which
	// any page can make, and files in some browsers.
	OriginsNull = "null"
)

// origins says which pages may open WebSockets. A request without the header Origin is
// no page's.
type origins struct {
	any, same, auto, null bool
	patterns              []originPattern
}

// An originPattern is an origin, or several of one scheme.
type originPattern struct {
	scheme string
	host   string // "" as in file://; "*": any
	below  bool   // the names below host
	port   string // "": the scheme's; "*": any
}

var originForm = regexp.MustCompile(`^([a-z][a-z0-9+.-]*)://([^/?#@:*[\]]*|\*|\*\.[^/?#@:*[\]]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}|\*))?$`)

// CheckOrigin says what is wrong with a value of [Config.Origins]. That is one of the words
// above, or an origin as browsers write it: https://chat.example.org, http://localhost:3000,
// capacitor://localhost, file://. A * stands for any host, or port, and *. before a
// name for the names below it: https://*.example.org.
func CheckOrigin(value string) error {
	_, err := parseOrigin(value)
	return err
}

func parseOrigin(value string) (originPattern, error) {
	switch value {
	case OriginsAny, OriginsSame, OriginsAuto, OriginsNull:
		return originPattern{}, nil
	case "":
		return originPattern{}, errors.New("an empty origin is no page's; * is any")
	}
	m := originForm.FindStringSubmatch(strings.ToLower(value))
	switch {
	case m == nil && strings.HasSuffix(value, "/") && originForm.MatchString(strings.ToLower(strings.TrimSuffix(value, "/"))):
		return originPattern{}, fmt.Errorf("%q: an origin has no / at its end", value)
	case m == nil:
		return originPattern{}, fmt.Errorf("%q is no origin: want *, same, auto, null or such as https://chat.example.org, https://*.example.org", value)
	case strings.ContainsFunc(m[2], func(r rune) bool { return r > 0x7f }):
		return originPattern{}, fmt.Errorf("%q: browsers write such a name in ASCII, as xn--…", value)
	case m[1] == "ws" || m[1] == "wss":
		return originPattern{}, fmt.Errorf("%q: the origin of a page is https:// or http://, whatever it connects to", value)
	}
	p := originPattern{scheme: m[1], host: strings.Trim(m[2], "[]"), port: portOf(m[1], m[3])}
	if name, ok := strings.CutPrefix(p.host, "*."); ok {
		p.host, p.below = name, true
	}
	return p, nil
}

// portOf is the port of an origin, "" where it is the scheme's own.
func portOf(scheme, port string) string {
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		return ""
	}
	return port
}

// originsOf are those that a complete configuration lets in.
func originsOf(conf Config) (o origins) {
	for _, value := range conf.Origins {
		switch value {
		case OriginsAny:
			o.any = true
		case OriginsSame:
			o.same = true
		case OriginsAuto:
			o.auto = true
		case OriginsNull:
			o.null = true
		default:
			p, _ := parseOrigin(value) // which has been checked
			o.patterns = append(o.patterns, p)
		}
	}
	o.any = o.any || len(conf.Origins) == 0
	return o
}

// admit says whether a page may open the WebSocket that r asks for, on a loopback listener or another.
func (o *origins) admit(r *http.Request, loopback bool) bool {
	said := r.Header.Values("Origin")
	if o.any || len(said) == 0 || len(said) == 1 && said[0] == "" {
		return true
	}
	direct := loopback && isLoopback(r.RemoteAddr) && !isForwarded(r)
	if o.auto && !direct {
		return true
	}
	if len(said) > 1 {
		return false
	}
	if said[0] == "null" {
		return o.null
	}
	origin, err := url.Parse(strings.ToLower(said[0]))
	if err != nil || origin.Scheme == "" || origin.Opaque != "" || strings.Trim(origin.Path, "/") != "" || origin.RawQuery != "" || origin.User != nil {
		return false
	}
	if (o.same || o.auto) && isSameHost(origin, r, direct) {
		return true
	}
	for _, p := range o.patterns {
		if p.fits(origin) {
			return true
		}
	}
	return false
}

func (p originPattern) fits(origin *url.URL) bool {
	host := origin.Hostname()
	switch {
	case p.scheme != origin.Scheme:
		return false
	case p.port != "*" && p.port != portOf(origin.Scheme, origin.Port()):
		return false
	case p.below:
		return len(host) > len(p.host)+1 && strings.HasSuffix(host, "."+p.host)
	}
	return p.host == "*" && host != "" || p.host == host
}

// isSameHost says whether a page is of the host that its request asks for. Who asks this
// machine directly, without TLS, may have been led to a name that somebody has made point here
// (DNS rebinding): there only names count that are nobody else's.
func isSameHost(origin *url.URL, r *http.Request, direct bool) bool {
	host := origin.Hostname()
	if direct && isOwnName(host) {
		return true
	}
	if direct && r.TLS == nil && origin.Scheme != "https" {
		return false
	}
	asked, err := url.Parse("//" + strings.ToLower(r.Host))
	return err == nil && host != "" && asked.Hostname() == host
}

// isOwnName says whether a host's name is this machine's wherever it is looked up.
func isOwnName(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// isLoopback says whether an address, with its port, is this machine's own.
func isLoopback(address string) bool {
	addr, err := netip.ParseAddrPort(address)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// isForwarded says whether a request has come by a proxy, which a page cannot make it seem.
func isForwarded(r *http.Request) bool {
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Forwarded", "Via"} {
		if r.Header[name] != nil {
			return true
		}
	}
	return false
}

// isOnLoopback says whether r has come in by a listener that only this machine can reach.
func isOnLoopback(r *http.Request) bool {
	if s := socketOf(r); s != nil && s.via != nil {
		return isLoopback(s.via.Addr().String())
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr) // another program's server
	return ok && isLoopback(local.String())
}

// reasonOrigin is a page that may not open a WebSocket.
const reasonOrigin = "origin not allowed"

// admitsOrigin answers a request for a WebSocket of a page that may not ask for it.
func (g *Gateway) admitsOrigin(w http.ResponseWriter, r *http.Request) bool {
	p := g.policy.Load()
	if p.origins.admit(r, isOnLoopback(r)) {
		return true
	}
	g.counters.refused(reasonOrigin)
	origin := strings.Join(r.Header.Values("Origin"), ", ")
	g.log.Warn("refused", "client", r.RemoteAddr, "reason", reasonOrigin, "flag", "--origins",
		"origin", origin[:min(len(origin), loggedOrigin)], "host", r.Host[:min(len(r.Host), loggedOrigin)])
	w.Header().Set("Connection", "close")
	http.Error(w, "pages of this origin may not connect here: the gateway's --origins says which may", http.StatusForbidden)
	return false
}

// loggedOrigin is how much of an origin the log shows, in bytes.
const loggedOrigin = 200
