package scripted

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dchest/siphash"
)

// A Hello is the first message of a v2 connection.
type Hello struct {
	UID, Channel string
	Auth         string
	HasAuth      bool // and it is not null
}

// readHello reads one, and remarks all that is unusual in it.
func (r *Rules) readHello(text []byte) (h Hello, remarks []Remark) {
	if !utf8.Valid(text) {
		return h, []Remark{"hello not UTF-8"}
	}
	members, remarks := r.members(r.HelloText(text))
	for _, name := range []string{"uid", "channel", "auth"} {
		values := members[name]
		if len(values) > 1 {
			remarks = append(remarks, about(name, "twice"))
		}
		if len(values) == 0 {
			if name != "auth" {
				remarks = append(remarks, about(name, "missing"))
			}
			continue
		}
		raw := values[len(values)-1]
		text, what := textOf(raw)
		switch {
		case name == "auth" && string(raw) == "null":
			remarks = append(remarks, "auth null")
			continue
		case what != "":
			remarks = append(remarks, about(name, what))
		case name != "auth" && text == "":
			remarks = append(remarks, about(name, "empty"))
		case name != "auth" && len(text) > r.MaxName:
			remarks = append(remarks, about(name, "long"))
		}
		if !isASCII(text) {
			remarks = append(remarks, about(name, "not ASCII"))
		}
		if bytes.Contains(raw, []byte(`\`)) {
			remarks = append(remarks, about(name, "escaped"))
		}
		switch name {
		case "uid":
			h.UID = text
		case "channel":
			h.Channel = text
		case "auth":
			h.Auth, h.HasAuth = text, true
		}
	}
	return h, remarks
}

func about(name, what string) Remark {
	if name == "auth" {
		return Remark("auth " + what)
	}
	return Remark("hello " + name + " " + what)
}

// members reads an object: each member's values, by name, as they stand there.
func (r *Rules) members(text []byte) (members map[string][]json.RawMessage, remarks []Remark) {
	d := json.NewDecoder(bytes.NewReader(text))
	members = make(map[string][]json.RawMessage)
	open, err := d.Token()
	switch {
	case err != nil:
		return members, []Remark{"hello not JSON"}
	case open == json.Delim('['):
		return members, []Remark{"hello array"}
	case open != json.Delim('{'):
		return members, []Remark{"hello not JSON"}
	}
	for d.More() {
		start := d.InputOffset()
		name, err := d.Token()
		if err != nil {
			return members, append(remarks, "hello not JSON")
		}
		if raw := text[start:d.InputOffset()]; halfSurrogate(raw) {
			remarks = append(remarks, "member name surrogate")
		} else if bytes.Contains(raw, []byte(`\`)) {
			remarks = append(remarks, "member name escaped")
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return members, append(remarks, "hello not JSON")
		}
		n := r.MemberName(name.(string))
		if !slices.Contains([]string{"uid", "channel", "auth"}, n) {
			remarks = append(remarks, "member unknown")
			if len(members[n]) > 0 {
				remarks = append(remarks, "member unknown twice")
			}
			if halfSurrogate(value) {
				remarks = append(remarks, "member unknown surrogate")
			}
			if bytes.Count(value, []byte("[")) > 100 {
				remarks = append(remarks, "member unknown deep")
			}
			if bytes.ContainsAny(value, "eE") && value[0] >= '0' && value[0] <= '9' {
				remarks = append(remarks, "member unknown number")
			}
		}
		members[n] = append(members[n], value)
	}
	if _, err := d.Token(); err != nil {
		return members, append(remarks, "hello not JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		remarks = append(remarks, "hello followed")
	}
	if len(text) > 0 && (text[0] != '{' || text[len(text)-1] != '}' || bytes.ContainsAny(text, "\t\r\n") || bytes.Contains(text, []byte(`": `))) {
		remarks = append(remarks, "hello with white space")
	}
	return members, remarks
}

// textOf returns the text that a value is, or what is wrong with it.
func textOf(raw json.RawMessage) (text, wrong string) {
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", "not text"
	}
	if halfSurrogate(raw) {
		return text, "surrogate"
	}
	return text, ""
}

var escape = regexp.MustCompile(`\\u[0-9a-fA-F]{4}|\\.`)

// halfSurrogate says whether escapes hold one half of a pair without the other.
func halfSurrogate(raw []byte) bool {
	end, high := -1, false // of an escape that was a first half
	for _, at := range escape.FindAllIndex(raw, -1) {
		code := uint64(0)
		if at[1]-at[0] == 6 {
			code, _ = strconv.ParseUint(string(raw[at[0]+2:at[1]]), 16, 16)
		}
		low := code >= 0xdc00 && code < 0xe000
		if high != (low && at[0] == end) || low && !high {
			return true
		}
		high, end = code >= 0xd800 && code < 0xdc00, at[1]
	}
	return high
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c >= 0x80 }) < 0
}

// auth is the hash over the bytes of the three.
func auth(uid, channel, key string) uint64 { return siphash.Hash(0, 0, []byte(uid+channel+key)) }

// readAuth reads hex digits, in either case, with any number of zeros before them
// and at most one plus before these.
func readAuth(s string) (uint64, bool) {
	s, _ = strings.CutPrefix(s, "+")
	if strings.ContainsAny(s, "_+-") || s == "" {
		return 0, false
	}
	a, err := strconv.ParseUint(s, 16, 64)
	return a, err == nil
}

func authFits(s *Server, h Hello) bool {
	if !h.HasAuth {
		return s.Key == ""
	}
	a, ok := s.Rules.ReadAuth(h.Auth)
	return ok && a == s.Rules.Auth(h.UID, h.Channel, s.Key)
}

// jsonText writes s as JSON does.
func jsonText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b.Write([]byte{'\\', c})
		case c < 0x20:
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
