package scripted

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

const subprotocol = "mles-websocket"

// upgrade answers a request. False: it was answered otherwise.
func (s *Server) upgrade(c *Conn) bool {
	c.readWithin(s.Rules.HelloTime)
	if _, err := c.r.Peek(1); err == nil && s.Rules.Impatient {
		if b, _ := c.r.Peek(c.r.Buffered()); !strings.Contains(string(b), "\r\n\r\n") {
			return false
		}
	}
	req, err := http.ReadRequest(c.r)
	if err != nil {
		return false
	}
	remarks := lookAtRequest(req)
	if c.r.Buffered() > 0 {
		remarks = append(remarks, "request with bytes behind")
	}
	v, about := s.Rules.judge(remarks...)
	switch {
	case v == Cut, v == Hang:
		return false
	case v != Ignore:
		text := fmt.Sprintf("this speaks WebSocket with the subprotocol %s: %s\n", subprotocol, about)
		c.out.put([]byte(fmt.Sprintf("HTTP/1.1 %d %s\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			int(v), http.StatusText(int(v)), len(text), text)))
		return false
	}
	sum := sha1.Sum([]byte(req.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	accept := s.Rules.Accept(req, base64.StdEncoding.EncodeToString(sum[:]))
	c.out.put([]byte("HTTP/1.1 101 Switching Protocols\r\n" + strings.Join(accept, "\r\n") + "\r\n\r\n"))
	return true
}

// accept are the header lines of a 101.
func accept(_ *http.Request, sum string) []string {
	return []string{"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: " + sum, "Sec-WebSocket-Protocol: " + subprotocol}
}

func lookAtRequest(req *http.Request) (remarks []Remark) {
	say := func(is bool, r Remark) {
		if is {
			remarks = append(remarks, r)
		}
	}
	offered := tokens(req.Header["Sec-Websocket-Protocol"])
	say(req.Method != http.MethodGet, "method")
	say(!has(tokens(req.Header["Connection"]), "upgrade") || !has(tokens(req.Header["Upgrade"]), "websocket"), "no upgrade")
	say(!contains(offered, subprotocol), "no subprotocol")
	say(!req.ProtoAtLeast(1, 1), "old HTTP")
	say(req.Header.Get("Sec-WebSocket-Version") != "13", "websocket version")
	key, err := base64.StdEncoding.DecodeString(req.Header.Get("Sec-WebSocket-Key"))
	say(err != nil || len(key) != 16, "websocket key")

	say(len(offered) > 1, "subprotocol in a list")
	say(len(req.Header["Sec-Websocket-Protocol"]) > 1, "subprotocol in lines")
	say(!has(offered, subprotocol), "subprotocol not offered")
	say(!slices.ContainsFunc(offered, func(o string) bool { return strings.HasPrefix(o, subprotocol) }), "no subprotocol that begins alike")
	say(req.Header.Get("Cookie") != "", "cookie")
	say(req.URL.Path != "/", "path")
	say(req.URL.RawQuery != "", "query")
	say(req.Header.Get("Origin") != "", "origin")
	say(req.Header.Get("Sec-WebSocket-Extensions") != "", "extensions")
	say(len(tokens(req.Header["Connection"])) > 1, "connection in a list")
	say(req.Header.Get("Upgrade") != "websocket", "upgrade in other case")
	return remarks
}

// tokens are those of comma lists in any number of lines.
func tokens(lines []string) (all []string) {
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			all = append(all, strings.TrimSpace(t))
		}
	}
	return all
}

func has(all []string, want string) bool {
	for _, t := range all {
		if strings.EqualFold(t, want) {
			return true
		}
	}
	return false
}

func contains(all []string, want string) bool {
	for _, t := range all {
		if t == want {
			return true
		}
	}
	return false
}
