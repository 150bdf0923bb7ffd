package bridge

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"mles/v1"
)

// An address is where an upstream is.
type address struct {
	scheme string // v1, v1s, ws or wss
	host   string // with a port
	path   string // of ws and wss
}

// ports are those of the schemes unless a URL has one.
var ports = map[string]string{"v1": v1.DefaultPort, "v1s": v1.DefaultPort, "ws": "80", "wss": "443"}

// ParseUpstream checks the URL of an upstream: v1://HOST[:PORT], v1s:// for v1 over
// TLS, ws:// or wss://HOST[:PORT][/PATH] for v2. The error says what is wrong.
func ParseUpstream(text string) error {
	_, err := parseAddress(text)
	return err
}

func parseAddress(text string) (address, error) {
	bad := func(why string) (address, error) { return address{}, fmt.Errorf("%q: %s", text, why) }
	scheme, _, ok := strings.Cut(text, "://")
	if !ok {
		return bad("no scheme; want v1://HOST, v1s://HOST, ws://HOST or wss://HOST")
	}
	u, err := url.Parse(text)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return bad(err.Error())
	}
	port, known := ports[u.Scheme]
	switch {
	case !known:
		return bad(fmt.Sprintf("scheme %q; want v1, v1s, ws or wss", scheme))
	case u.Hostname() == "":
		return bad("no host")
	case u.User != nil:
		text = u.Redacted()
		return bad("a user in the URL; keys come from --upstream-key-file")
	case u.RawQuery != "" || u.Fragment != "":
		return bad("a query or fragment means nothing here")
	case strings.HasPrefix(u.Scheme, "v1") && u.Path != "" && u.Path != "/":
		return bad("v1 has no paths")
	}
	if p := u.Port(); p != "" {
		if n, err := net.LookupPort("tcp", p); err != nil || n == 0 {
			return bad("port " + p + " is none")
		}
		port = p
	} else if strings.HasSuffix(u.Host, ":") {
		return bad("no port after the colon")
	}
	return address{scheme: u.Scheme, host: net.JoinHostPort(u.Hostname(), port), path: u.Path}, nil
}

// check says what does not fit in u by itself.
func (u Upstream) check() error {
	if _, err := parseAddress(u.URL); err != nil {
		return err
	}
	if len(u.UID) > v1.MaxName {
		return fmt.Errorf("%s: uid of %d bytes, the most is %d", u.URL, len(u.UID), v1.MaxName)
	}
	for _, name := range u.Hold {
		if len(name) > v1.MaxName {
			return fmt.Errorf("%s: channel %.20q… to be held has %d bytes, the most is %d", u.URL, name, len(name), v1.MaxName)
		}
	}
	return nil
}

// newTransport makes the transport to an upstream.
func (g *Gateway) newTransport(conf Upstream) (transport, error) {
	if err := conf.check(); err != nil {
		return nil, err
	}
	at, _ := parseAddress(conf.URL)
	switch at.scheme {
	case "v1", "v1s":
		return newV1Transport(g, conf, at), nil
	}
	return newV2Transport(g, conf, at), nil
}
