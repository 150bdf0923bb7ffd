package conformance

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mles/conformance/internal/scripted"
)

// openingFaults are about the request for an upgrade.
func openingFaults() []fault {
	accepting := func(change func(req *http.Request, lines []string) []string) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Accept
			r.Accept = func(req *http.Request, sum string) []string { return change(req, right(req, sum)) }
		}
	}
	faults := []fault{
		{name: "forgets the request's subprotocol in the answer", breaks: accepting(func(_ *http.Request, lines []string) []string { return lines[:3] })},
		{name: "names the subprotocol twice", breaks: accepting(func(_ *http.Request, lines []string) []string { return append(lines, lines[3]) })},
		{name: "answers with the whole list of subprotocols", breaks: accepting(func(req *http.Request, lines []string) []string {
			lines[3] = "Sec-WebSocket-Protocol: " + strings.Join(req.Header["Sec-Websocket-Protocol"], ", ")
			return lines
		})},
		{name: "answers with the first subprotocol", breaks: accepting(func(req *http.Request, lines []string) []string {
			first, _, _ := strings.Cut(req.Header.Get("Sec-WebSocket-Protocol"), ",")
			lines[3] = "Sec-WebSocket-Protocol: " + first
			return lines
		})},
		{name: "a wrong Sec-WebSocket-Accept", breaks: accepting(func(_ *http.Request, lines []string) []string {
			lines[2] = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo"
			return lines
		})},
		{name: "accepts an extension", breaks: accepting(func(req *http.Request, lines []string) []string {
			if req.Header.Get("Sec-WebSocket-Extensions") != "" {
				lines = append(lines, "Sec-WebSocket-Extensions: permessage-deflate")
			}
			return lines
		})},
		{name: "takes a subprotocol in any case", breaks: func(r *scripted.Rules) {
			r.Verdicts["no subprotocol"], r.Verdicts["subprotocol not offered"] = scripted.Ignore, 400
		}},
		{name: "takes a subprotocol that begins alike", breaks: func(r *scripted.Rules) {
			r.Verdicts["no subprotocol"], r.Verdicts["no subprotocol that begins alike"] = scripted.Ignore, 400
		}},
		{name: "takes a request without subprotocol", breaks: takes("no subprotocol")},
		{name: "answers 403 where the subprotocol is missing", breaks: verdict(403, "no subprotocol")},
		{name: "cuts a request that is not for an upgrade", breaks: verdict(scripted.Cut, "no upgrade")},
		{name: "hangs on a request that is not for an upgrade", breaks: verdict(scripted.Hang, "no upgrade")},
		{name: "answers 400 to a POST", breaks: verdict(400, "method")},
		{name: "answers 426 to another version", breaks: verdict(426, "websocket version")},
		{name: "answers 403 to a bad key", breaks: verdict(403, "websocket key")},
	}
	for _, about := range []scripted.Remark{"subprotocol in a list", "subprotocol in lines", "path", "query", "origin", "extensions", "connection in a list", "cookie", "upgrade in other case"} {
		faults = append(faults, fault{name: "refuses a request: " + string(about), breaks: verdict(400, about)})
	}
	for _, about := range []scripted.Remark{"method", "no upgrade", "websocket version", "websocket key"} {
		faults = append(faults, fault{name: "takes a request: " + string(about), breaks: takes(about)})
	}
	return faults
}

// rewriting changes a hello before it is read.
func rewriting(change func(text string) string) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		r.HelloText = func(b []byte) []byte { return []byte(change(string(b))) }
	}
}

// helloFaults are about what is a hello.
func helloFaults() []fault {
	faults := []fault{
		{name: "compares names of members without case", breaks: func(r *scripted.Rules) { r.MemberName = strings.ToLower }},
		{name: "takes the first of several members", breaks: func(r *scripted.Rules) {
			takes("hello uid twice", "hello channel twice")(r)
		}},
		{name: "takes the first that looks like a member, however deep", breaks: rewriting(func(s string) string {
			var members []string
			for _, name := range []string{"uid", "channel", "auth"} {
				if m := regexp.MustCompile(`"` + name + `":"[^"]*"`).FindString(s); m != "" {
					members = append(members, m)
				}
			}
			return "{" + strings.Join(members, ",") + "}"
		})},
		{name: "takes what stands before the last brace", breaks: rewriting(func(s string) string {
			at := strings.IndexByte(s, '}')
			return s[:at+1]
		})},
		{name: "closes the object itself", breaks: rewriting(func(s string) string {
			if strings.HasPrefix(s, "{") && !strings.HasSuffix(strings.TrimSpace(s), "}") {
				return s + "}"
			}
			return s
		})},
		{name: "takes a comma after the last member", breaks: rewriting(func(s string) string { return strings.ReplaceAll(s, ",}", "}") })},
		{name: "takes single quotes", breaks: rewriting(func(s string) string { return strings.ReplaceAll(s, "'", `"`) })},
		{name: "takes comments", breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`/\*.*?\*/|//[^\n]*\n?`).ReplaceAllString(s, "")
		})},
		{name: "takes raw control characters", breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`"[^"]*\n[^"]*"`).ReplaceAllStringFunc(s, func(text string) string { return strings.ReplaceAll(text, "\n", `\n`) })
		})},
		{name: "takes a byte order mark", breaks: rewriting(func(s string) string { return strings.TrimPrefix(s, "\ufeff") })},
		{name: "takes escapes that JSON does not have", breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`\\x([0-9a-f]{2})`).ReplaceAllString(s, `\u00$1`)
		})},
		{name: "takes numbers with leading zeros", breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`:0+([0-9])`).ReplaceAllString(s, `:$1`)
		})},
		{name: "takes a number for text", keyless: true, breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`"(uid|channel)":([0-9]+)`).ReplaceAllString(s, `"$1":"$2"`)
		})},
		{name: "takes what is in an array for text", breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`"(uid|channel)":\["([^"]*)"\]`).ReplaceAllString(s, `"$1":"$2"`)
		})},
		{name: "takes null for text", keyless: true, breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`"(uid|channel)":null`).ReplaceAllString(s, `"$1":"null"`)
		})},
		{name: "takes an array in place of the object", breaks: rewriting(func(s string) string {
			if m := regexp.MustCompile(`^\["([^"]*)","([^"]*)"(?:,(?:"([^"]*)"|null))?\]$`).FindStringSubmatch(s); m != nil {
				return HelloText(m[1], m[2], m[3])
			}
			return s
		})},
		{name: "takes an array of three", breaks: rewriting(func(s string) string {
			if m := regexp.MustCompile(`^\["([^"]*)","([^"]*)",(?:"([^"]*)"|null)\]$`).FindStringSubmatch(s); m != nil {
				return HelloText(m[1], m[2], m[3])
			}
			return s
		})},
		{name: "lets anything in that is no JSON, as nobody", breaks: func(r *scripted.Rules) {
			takes("hello not JSON", "hello array", "hello uid missing", "hello channel missing")(r)
			r.AuthFits = func(*scripted.Server, scripted.Hello) bool { return true }
		}},
		{name: "does not understand escapes in names of members", breaks: refusesHello("member name escaped")},
		{name: "does not understand escapes in names", breaks: refusesHello("hello uid escaped", "hello channel escaped")},
		{name: "ends a uid at NUL", breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`"uid":"([^"]*?)\\u0000[^"]*"`).ReplaceAllString(s, `"uid":"$1"`)
		})},
		{name: "trims a channel's name", breaks: func(r *scripted.Rules) {
			r.Name = func(_ scripted.Dialect, s string) string { return strings.TrimSpace(s) }
		}},
		{name: "refuses white space around a hello", breaks: refusesHello("hello with white space")},
		{name: "refuses unknown members", breaks: refusesHello("member unknown")},
		{name: "refuses unknown members that stand twice", breaks: refusesHello("member unknown twice")},
		{name: "refuses deep unknown members", breaks: refusesHello("member unknown deep")},
		{name: "refuses large numbers in unknown members", breaks: refusesHello("member unknown number")},
		{name: "refuses half surrogates in unknown members", breaks: refusesHello("member unknown surrogate")},
		{name: "refuses what is not ASCII in v2", breaks: refusesHello("hello uid not ASCII", "hello channel not ASCII")},
		{name: "wants uid to be the first member", breaks: func(r *scripted.Rules) {
			r.HelloText = func(b []byte) []byte {
				if !bytes.HasPrefix(bytes.TrimSpace(b), []byte(`{"uid"`)) && bytes.HasPrefix(b, []byte(`{"`)) && !bytes.HasPrefix(b, []byte(`{"\`)) {
					return nil
				}
				return b
			}
		}},
		{name: "takes hellos of 1,024 bytes", breaks: func(r *scripted.Rules) { r.MaxHello = 1024 }},
		{name: "takes hellos of 8,191 bytes", breaks: func(r *scripted.Rules) { r.MaxHello = 8191 }},
		{name: "takes hellos of 8,193 bytes", breaks: func(r *scripted.Rules) { r.MaxHello = 8193 }},
		{name: "takes a hello's first fragment for it", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) { return op, fragments }
		}},
		{name: "hangs on a refused hello", breaks: verdict(scripted.Hang, append(helloRemarks(), "auth wrong", "hello binary", "hello not UTF-8", "hello too big")...)},
		{name: "cuts refused hellos", breaks: verdict(scripted.Cut, append(helloRemarks(), "auth wrong", "hello binary", "hello not UTF-8", "hello too big", "uid taken")...)},
		{name: "closes refused hellos without code", breaks: verdict(1005, append(helloRemarks(), "auth wrong", "hello binary", "uid taken")...)},
		{name: "closes refused hellos with 1002", breaks: verdict(1002, append(helloRemarks(), "hello binary")...)},
		{name: "takes whoever came before a refusal", breaks: func(r *scripted.Rules) {
			r.AuthFits = wrappingAuth(r.AuthFits, func(s *scripted.Server, h scripted.Hello, fits bool) bool {
				s.Lock()
				defer s.Unlock()
				if ch := s.Channels()[h.Channel]; ch != nil && !fits {
					r.Store(ch, &scripted.Event{From: scripted.V2, UID: h.UID, Arrival: true})
				}
				return fits
			})
		}},
		{name: "tells of whoever is refused", breaks: func(r *scripted.Rules) {
			r.AuthFits = wrappingAuth(r.AuthFits, func(s *scripted.Server, h scripted.Hello, fits bool) bool {
				s.Lock()
				defer s.Unlock()
				if ch := s.Channels()[h.Channel]; ch != nil && !fits {
					for _, m := range ch.Members {
						m.Send(r.Encode(ch, &scripted.Event{From: scripted.V2, UID: h.UID, Arrival: true}, m, true)...)
					}
				}
				return fits
			})
		}},
		{name: "keeps the uid of whoever is refused", breaks: func(r *scripted.Rules) {
			var refused []string
			r.AuthFits = wrappingAuth(r.AuthFits, func(s *scripted.Server, h scripted.Hello, fits bool) bool {
				s.Lock()
				defer s.Unlock()
				name := h.UID + "\x00" + h.Channel
				if !fits {
					refused = append(refused, name)
				}
				return fits && !slices.Contains(refused, name)
			})
		}},
	}
	for _, about := range append(helloRemarks(), "hello binary", "hello not UTF-8") {
		// Where there is a key, the auth would have to be that of what is missing.
		switch about {
		case "hello channel not text", "hello array", "auth not text", "auth surrogate":
			continue // what is taken for nothing does not fit; see the servers that read it
		}
		keyless := strings.HasSuffix(string(about), "missing") || strings.HasSuffix(string(about), "not text")
		faults = append(faults, fault{name: fmt.Sprintf("takes a %s", about), breaks: takes(about), keyless: keyless})
	}
	return faults
}

// helloRemarks are those that refuse a hello, but for what is no JSON.
func helloRemarks() []scripted.Remark {
	all := []scripted.Remark{"hello not JSON", "hello array", "hello followed", "member name surrogate", "auth twice", "auth not text", "auth surrogate"}
	for _, name := range []scripted.Remark{"uid", "channel"} {
		for _, what := range []scripted.Remark{"missing", "twice", "not text", "empty", "long", "surrogate"} {
			all = append(all, "hello "+name+" "+what)
		}
	}
	return all
}

func refusesHello(remarks ...scripted.Remark) func(r *scripted.Rules) {
	return verdict(1008, remarks...)
}

func wrappingAuth(right func(*scripted.Server, scripted.Hello) bool, wrap func(s *scripted.Server, h scripted.Hello, fits bool) bool) func(*scripted.Server, scripted.Hello) bool {
	return func(s *scripted.Server, h scripted.Hello) bool { return wrap(s, h, right(s, h)) }
}

// authFaults are about the auth of a hello.
func authFaults() []fault {
	alsoReads := func(also func(digits string) (string, bool)) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.ReadAuth
			r.ReadAuth = func(s string) (uint64, bool) {
				if a, ok := right(s); ok {
					return a, true
				}
				if digits, ok := also(s); ok {
					return right(digits)
				}
				return 0, false
			}
		}
	}
	notReading := func(refused func(s string) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.ReadAuth
			r.ReadAuth = func(s string) (uint64, bool) {
				a, ok := right(s)
				return a, ok && !refused(s)
			}
		}
	}
	fitting := func(fits func(s *scripted.Server, h scripted.Hello, a uint64) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.AuthFits
			r.AuthFits = func(s *scripted.Server, h scripted.Hello) bool {
				a, ok := r.ReadAuth(h.Auth)
				return right(s, h) || h.HasAuth && ok && fits(s, h, a)
			}
		}
	}
	faults := []fault{
		{name: "accepts any auth", breaks: func(r *scripted.Rules) { r.AuthFits = func(*scripted.Server, scripted.Hello) bool { return true } }},
		{name: "accepts any auth, but wants one", breaks: func(r *scripted.Rules) {
			r.AuthFits = func(_ *scripted.Server, h scripted.Hello) bool { return h.HasAuth }
		}},
		{name: "wants no auth where there is a key", breaks: func(r *scripted.Rules) {
			right := r.AuthFits
			r.AuthFits = func(s *scripted.Server, h scripted.Hello) bool { return !h.HasAuth || right(s, h) }
		}},
		{name: "an auth of null needs no key", breaks: rewriting(func(s string) string {
			if m := regexp.MustCompile(`"uid":"([^"]*)","channel":"([^"]*)","auth":null`).FindStringSubmatch(s); m != nil {
				return strings.Replace(s, "null", `"`+AuthOf(m[1], m[2], "swordfish")+`"`, 1)
			}
			return s
		})},
		{name: "takes the auth without the key", breaks: fitting(func(s *scripted.Server, h scripted.Hello, a uint64) bool {
			return a == s.Rules.Auth(h.UID, h.Channel, "")
		})},
		{name: "compares the low 63 bits of an auth", breaks: fitting(func(s *scripted.Server, h scripted.Hello, a uint64) bool {
			return a<<1 == s.Rules.Auth(h.UID, h.Channel, s.Key)<<1
		})},
		{name: "compares the high 63 bits of an auth", breaks: fitting(func(s *scripted.Server, h scripted.Hello, a uint64) bool {
			return a>>1 == s.Rules.Auth(h.UID, h.Channel, s.Key)>>1
		})},
		{name: "takes the auth of any member", breaks: fitting(func(s *scripted.Server, h scripted.Hello, a uint64) bool {
			for _, uid := range []string{"alice", "bob", "carol", "dave", "mallory", h.UID + "2"} {
				if a == s.Rules.Auth(uid, h.Channel, s.Key) {
					return true
				}
			}
			return false
		})},
		{name: "takes the auth of any channel", breaks: func(r *scripted.Rules) {
			var seen []string
			fitting(func(s *scripted.Server, h scripted.Hello, a uint64) bool { return true })(r)
			_ = seen
		}},
		{name: "hashes v2 as v1 does, with separators", breaks: func(r *scripted.Rules) {
			r.Auth = func(uid, channel, key string) uint64 { return KeyOf(uid, channel, key) }
		}},
		{name: "hashes the key first in v2", breaks: func(r *scripted.Rules) {
			r.Auth = func(uid, channel, key string) uint64 { return SipHash([]byte(key + uid + channel)) }
		}},
		{name: "hashes the channel first in v2", breaks: func(r *scripted.Rules) {
			r.Auth = func(uid, channel, key string) uint64 { return SipHash([]byte(channel + uid + key)) }
		}},
		{name: "hashes names as ASCII in v2", breaks: func(r *scripted.Rules) {
			right := r.Auth
			r.Auth = func(uid, channel, key string) uint64 {
				return right(strconv.QuoteToASCII(uid)[1:len(strconv.QuoteToASCII(uid))-1], strings.Trim(strconv.QuoteToASCII(channel), `"`), key)
			}
		}},
		{name: "auth in lower case only", breaks: notReading(func(s string) bool { return strings.ToLower(s) != s })},
		{name: "auth of 16 digits only", breaks: notReading(func(s string) bool { return len(strings.TrimPrefix(s, "+")) != 16 })},
		{name: "auth of 16 digits at most", breaks: notReading(func(s string) bool { return len(strings.TrimPrefix(s, "+")) > 16 })},
		{name: "auth without plus only", breaks: notReading(func(s string) bool { return strings.HasPrefix(s, "+") })},
		{name: "takes 0x before an auth", breaks: alsoReads(func(s string) (string, bool) { return strings.CutPrefix(s, "0x") })},
		{name: "takes white space around an auth", breaks: alsoReads(func(s string) (string, bool) { return strings.TrimSpace(s), true })},
		{name: "takes underscores in an auth", breaks: alsoReads(func(s string) (string, bool) { return strings.ReplaceAll(s, "_", ""), true })},
		{name: "takes the last 16 digits of an auth", breaks: alsoReads(func(s string) (string, bool) { return s[max(0, len(s)-16):], true })},
		{name: "takes an empty auth for none", breaks: func(r *scripted.Rules) {
			right := r.AuthFits
			r.AuthFits = func(s *scripted.Server, h scripted.Hello) bool {
				return h.HasAuth && h.Auth == "" || right(s, h)
			}
		}},
		{name: "takes an auth that is a number", breaks: rewriting(func(s string) string {
			return regexp.MustCompile(`"auth":([0-9]+)`).ReplaceAllStringFunc(s, func(m string) string {
				n, _ := strconv.ParseUint(m[len(`"auth":`):], 10, 64)
				return fmt.Sprintf(`"auth":"%x"`, n)
			})
		})},
		{name: "refuses an auth where none is needed", keyless: true, breaks: func(r *scripted.Rules) {
			r.AuthFits = func(_ *scripted.Server, h scripted.Hello) bool { return !h.HasAuth }
		}},
		{name: "does not look at an auth where none is needed", keyless: true, breaks: func(r *scripted.Rules) {
			r.AuthFits = func(*scripted.Server, scripted.Hello) bool { return true }
		}},
		{name: "wants an auth where none is needed", keyless: true, breaks: func(r *scripted.Rules) {
			right := r.AuthFits
			r.AuthFits = func(s *scripted.Server, h scripted.Hello) bool { return h.HasAuth && right(s, h) }
		}},
		{name: "refuses an auth of null", keyless: true, breaks: refusesHello("auth null")},
	}
	return faults
}
