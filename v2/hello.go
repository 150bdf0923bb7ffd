package v2

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Subprotocol is the value of Sec-WebSocket-Protocol, in the request and in
// the answer (spec.md, "Opening").
const Subprotocol = "mles-websocket"

// Bounds (spec.md, "Limits"), in bytes.
const (
	MaxHello   = 8192     // the text of a hello
	MaxName    = 1024     // a uid or a channel, after JSON decoding
	MaxMessage = 0xffffff // a message, all its fragments together
)

// maxNotice bounds what ParseNotice looks at: two names of MaxName bytes, each
// byte of them as a six-byte escape, and the members around them, fit easily.
const maxNotice = 16 << 10

// Hello is the first frame of a v2 connection: who joins which channel
// (spec.md, "Hello").
type Hello struct {
	UID     string // who; 1 … MaxName bytes of UTF-8
	Channel string // where; 1 … MaxName bytes of UTF-8
	Auth    string // the auth member as written, see ParseAuth; "" unless HasAuth
	HasAuth bool   // whether there was an auth member that is text; null counts as absent
}

// ParseHello reads the payload of a connection's first text frame.
//
// It is strict, because a hello is where identities are decided: names of
// members match byte for byte (after JSON decoding), each of uid, channel and
// auth may stand once, nothing but white space may follow the object. Other
// members are ignored, whatever they hold and however often they stand.
//
// Errors: ErrTooBig (over MaxHello bytes), ErrUTF8, or a *HelloError, which is
// ErrHello to errors.Is. CloseFor gives the close code for each.
//
// The value of auth is not interpreted: that takes ParseAuth.
func ParseHello(frame []byte) (Hello, error) {
	if len(frame) > MaxHello {
		return Hello{}, ErrTooBig
	}
	h, err := parseMembers(frame)
	if err != nil {
		return Hello{}, err
	}
	if err := checkName("uid", h.UID); err != nil {
		return Hello{}, err
	}
	if err := checkName("channel", h.Channel); err != nil {
		return Hello{}, err
	}
	return h, nil
}

// checkName holds the rules that a hello has and a notice has not: v1 lets
// names be empty, and its joins become notices.
func checkName(member, name string) error {
	switch {
	case name == "":
		return &HelloError{member, "is empty"}
	case len(name) > MaxName:
		return &HelloError{member, fmt.Sprintf("is longer than %d bytes", MaxName)}
	}
	return nil
}

// parseMembers reads the object; it leaves length and emptiness of the names
// to its callers.
func parseMembers(text []byte) (Hello, error) {
	if !utf8.Valid(text) {
		return Hello{}, ErrUTF8
	}
	// Validity of the whole comes first: it finds bytes after the object and
	// errors inside of members that are then skipped.
	if !json.Valid(text) {
		return Hello{}, &HelloError{"", "is not one JSON object"}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return Hello{}, &HelloError{"", "is not a JSON object"}
	}
	var h Hello
	var seen members
	for dec.More() {
		if err := seen.next(text, dec, &h); err != nil {
			return Hello{}, err
		}
	}
	if !seen.uid {
		return Hello{}, &HelloError{"uid", "is missing"}
	}
	if !seen.channel {
		return Hello{}, &HelloError{"channel", "is missing"}
	}
	return h, nil
}

// members records which of the three have stood already.
type members struct{ uid, channel, auth bool }

// next consumes one member from dec, whose text is known to be valid JSON.
func (s *members) next(text []byte, dec *json.Decoder, h *Hello) error {
	before := dec.InputOffset()
	name, err := dec.Token()
	if err != nil {
		return &HelloError{"", "is not a JSON object"}
	}
	// The bytes since the last token: a comma, white space, the quoted name.
	if loneSurrogate(text[before:dec.InputOffset()]) {
		return &HelloError{"", "has half a surrogate pair in a member's name"}
	}
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return &HelloError{"", "is not a JSON object"}
	}
	switch name {
	case "uid":
		return textMember("uid", &s.uid, raw, &h.UID)
	case "channel":
		return textMember("channel", &s.channel, raw, &h.Channel)
	case "auth":
		if string(raw) == "null" && !s.auth {
			s.auth = true
			return nil
		}
		h.HasAuth = true
		return textMember("auth", &s.auth, raw, &h.Auth)
	}
	return nil
}

// textMember stores the value of a member that must be text and stand once.
func textMember(member string, seen *bool, raw json.RawMessage, to *string) error {
	if *seen {
		return &HelloError{member, "stands twice"}
	}
	*seen = true
	if raw[0] != '"' {
		return &HelloError{member, "is not text"}
	}
	if loneSurrogate(raw) {
		return &HelloError{member, "has half a surrogate pair"}
	}
	if err := json.Unmarshal(raw, to); err != nil {
		return &HelloError{member, "is not text"}
	}
	return nil
}

// Append appends h as a hello's text to dst:
// {"uid":"…","channel":"…","auth":"…"}, without auth unless h.HasAuth. Only
// what JSON demands is escaped; invalid UTF-8 becomes U+FFFD.
func (h Hello) Append(dst []byte) []byte {
	dst = appendNames(dst, h.UID, h.Channel)
	if h.HasAuth {
		dst = append(dst, `,"auth":`...)
		dst = appendQuoted(dst, h.Auth)
	}
	return append(dst, '}')
}

// AppendNotice appends the text of a join notice to dst:
// {"uid":"…","channel":"…"} (spec.md, "Join notices"). A notice never has an
// auth: whoever reads it could join as its owner.
func AppendNotice(dst []byte, uid, channel string) []byte {
	return append(appendNames(dst, uid, channel), '}')
}

// ParseNotice tells whether text, the payload of a text frame from a server, is
// a join notice, and of whom. Other servers' notices may carry more members,
// auth among them; these are dropped. Names may be empty: v1 allows that.
func ParseNotice(text []byte) (uid, channel string, ok bool) {
	if len(text) > maxNotice {
		return "", "", false
	}
	h, err := parseMembers(text)
	if err != nil || len(h.UID) > MaxName || len(h.Channel) > MaxName {
		return "", "", false
	}
	return h.UID, h.Channel, true
}

// appendNames appends the object without its closing brace.
func appendNames(dst []byte, uid, channel string) []byte {
	dst = append(dst, `{"uid":`...)
	dst = appendQuoted(dst, uid)
	dst = append(dst, `,"channel":`...)
	return appendQuoted(dst, channel)
}
