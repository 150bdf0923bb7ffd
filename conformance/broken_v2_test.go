package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"mles/conformance/internal/scripted"
)

// writing changes the frames that the server writes.
func writing(change func(first byte, payload []byte, right func(byte, []byte) []byte) []byte) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.WSFrame
		r.WSFrame = func(first byte, payload []byte) []byte { return change(first, payload, right) }
	}
}

// messageFaults are about messages of v2: fragments, masks, opcodes.
func messageFaults() []fault {
	onData := func(change func(first byte, payload []byte, right func(byte, []byte) []byte) []byte) func(r *scripted.Rules) {
		return writing(func(first byte, payload []byte, right func(byte, []byte) []byte) []byte {
			if first&0x0f >= OpClose {
				return right(first, payload)
			}
			return change(first, payload, right)
		})
	}
	return []fault{
		{name: "text arrives as binary", breaks: changing(func(_ *scripted.Channel, e *scripted.Event, _ *scripted.Member, replay bool) {
			if isV2(e) && !e.Arrival && !replay {
				e.Op = OpBinary
			}
		})},
		{name: "text arrives as binary from the history", breaks: changing(func(_ *scripted.Channel, e *scripted.Event, _ *scripted.Member, replay bool) {
			if isV2(e) && !e.Arrival && replay {
				e.Op = OpBinary
			}
		})},
		{name: "binary arrives as text where it is UTF-8", breaks: changing(func(_ *scripted.Channel, e *scripted.Event, _ *scripted.Member, _ bool) {
			if isV2(e) && !e.Arrival && utf8.Valid(e.Message) && !bytes.Contains(e.Message, []byte("knock-")) {
				e.Op = OpText
			}
		})},
		{name: "masks what it sends", breaks: onData(func(first byte, payload []byte, _ func(byte, []byte) []byte) []byte {
			return ClientFrame(first, string(payload))
		})},
		{name: "sends messages of 1,000 bytes and more in fragments", breaks: onData(func(first byte, payload []byte, right func(byte, []byte) []byte) []byte {
			if len(payload) < 1000 {
				return right(first, payload)
			}
			return Cat(right(first&^Fin, payload[:500]), right(Fin, payload[500:]))
		})},
		{name: "writes every length in two bytes", breaks: onData(func(first byte, payload []byte, right func(byte, []byte) []byte) []byte {
			if len(payload) > 125 {
				return right(first, payload)
			}
			return Cat([]byte{first, 126, 0, byte(len(payload))}, payload)
		})},
		{name: "writes lengths over 125 in eight bytes", breaks: onData(func(first byte, payload []byte, right func(byte, []byte) []byte) []byte {
			if len(payload) <= 125 || len(payload) > 0xffff {
				return right(first, payload)
			}
			return Cat([]byte{first, 127, 0, 0, 0, 0, 0, 0, byte(len(payload) >> 8), byte(len(payload))}, payload)
		})},
		{name: "sets a reserved bit in messages over 100 bytes", breaks: onData(func(first byte, payload []byte, right func(byte, []byte) []byte) []byte {
			if len(payload) > 100 {
				first |= 0x40
			}
			return right(first, payload)
		})},
		{name: "keeps the mask", breaks: func(r *scripted.Rules) {
			right := r.Unmask
			r.Unmask = func(mask [4]byte, b []byte) {
				if len(b) < 100 && !bytes.HasPrefix(b, []byte{'{' ^ mask[0]}) && !looksKnocking(mask, b) {
					return
				}
				right(mask, b)
			}
		}},
		{name: "uses one mask for all", breaks: func(r *scripted.Rules) {
			right := r.Unmask
			r.Unmask = func(_ [4]byte, b []byte) { right([4]byte{0x37, 0xfa, 0x21, 0x3d}, b) }
		}},
		{name: "begins the mask anew in every 64 KiB", breaks: func(r *scripted.Rules) {
			right := r.Unmask
			r.Unmask = func(mask [4]byte, b []byte) {
				for len(b) > 65_537 {
					right(mask, b[:65_537])
					b = b[65_537:]
				}
				right(mask, b)
			}
		}},
		{name: "joins two fragments as two messages", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) {
				if len(fragments) == 2 && !bytes.HasPrefix(fragments[0], []byte("{")) {
					return op, fragments
				}
				return op, [][]byte{bytes.Join(fragments, nil)}
			}
		}},
		{name: "passes on the last fragment of a message", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) { return op, fragments[len(fragments)-1:] }
		}},
		{name: "joins 1,000 fragments at most", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) {
				return op, [][]byte{bytes.Join(fragments[:min(1000, len(fragments))], nil)}
			}
		}},
		{name: "drops fragments of 100 KB", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) {
				if len(fragments) > 1 && len(fragments[0]) >= 100_000 {
					fragments = fragments[1:]
				}
				return op, [][]byte{bytes.Join(fragments, nil)}
			}
		}},
		{name: "takes the opcode of a message in fragments for binary", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) {
				if len(fragments) > 1 && !bytes.HasPrefix(fragments[0], []byte("{")) {
					op = OpBinary
				}
				return op, [][]byte{bytes.Join(fragments, nil)}
			}
		}},
		{name: "passes on what has come of a message in fragments", breaks: func(r *scripted.Rules) { r.AtOnce = true }},
		{name: "joins fragments of all members into one", breaks: func(r *scripted.Rules) {
			var mu sync.Mutex
			var all [][]byte
			r.Fragment = func(_ *scripted.Conn, last bool, fragments [][]byte) [][]byte {
				mu.Lock()
				defer mu.Unlock()
				if last && len(fragments) == 1 || bytes.HasPrefix(fragments[0], []byte("{")) {
					return fragments
				}
				all = append(all, fragments[len(fragments)-1])
				now := slices.Clone(all)
				if last {
					all = nil
				}
				return now
			}
		}},
		{name: "trims text", breaks: func(r *scripted.Rules) {
			recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				if isV2(e) && e.Op == OpText {
					e.Message = bytes.TrimSpace(e.Message)
				}
				return right
			})(r)
		}},
		{name: "ends text at NUL", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV2(e) && e.Op == OpText {
				e.Message, _, _ = bytes.Cut(e.Message, []byte{0})
			}
			return right
		})},
		{name: "takes byte order marks off", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV2(e) {
				e.Message = bytes.ReplaceAll(e.Message, []byte("\ufeff"), nil)
			}
			return right
		})},
		{name: "puts U+FFFD for U+FFFF", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV2(e) && e.Op == OpText {
				e.Message = bytes.ReplaceAll(e.Message, []byte("\uffff"), []byte("\ufffd"))
			}
			return right
		})},
		{name: "ends binary at NUL", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV2(e) && e.Op == OpBinary {
				e.Message, _, _ = bytes.Cut(e.Message, []byte{0})
			}
			return right
		})},
		{name: "puts CR before LF in binary", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV2(e) && e.Op == OpBinary {
				e.Message = bytes.ReplaceAll(e.Message, []byte{'\n'}, []byte("\r\n"))
			}
			return right
		})},
		{name: "takes auths off text that looks like a hello", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			var o map[string]any
			if isV2(e) && e.Op == OpText && json.Unmarshal(e.Message, &o) == nil {
				delete(o, "auth")
				e.Message, _ = json.Marshal(o)
			}
			return right
		})},
		{name: "drops text that looks like a hello", breaks: losing(func(e *scripted.Event) bool {
			return isV2(e) && e.Op == OpText && json.Valid(e.Message) && bytes.Contains(e.Message, []byte(`"uid"`))
		})},
		{name: "moves who says a second hello", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if n, ok := ReadNotice(string(e.Message)); ok && isV2(e) {
				from.UID = n.UID
				return nil
			}
			return right
		})},
		{name: "does not look whether text is UTF-8", breaks: func(r *scripted.Rules) { r.TextFits = func([][]byte) bool { return true } }},
		{name: "looks at each fragment whether it is UTF-8", breaks: func(r *scripted.Rules) {
			r.TextFits = func(fragments [][]byte) bool {
				return !slices.ContainsFunc(fragments, func(f []byte) bool { return !utf8.Valid(f) })
			}
		}},
		{name: "looks at the first fragment whether it is UTF-8", breaks: func(r *scripted.Rules) {
			r.TextFits = func(fragments [][]byte) bool { return len(fragments) > 1 || utf8.Valid(fragments[0]) }
		}},
		{name: "takes text that ends within a character", breaks: alsoText(func(b []byte) bool {
			for i := 1; i < 4 && i < len(b); i++ {
				if utf8.Valid(b[:len(b)-i]) && utf8.RuneStart(b[len(b)-i]) {
					return true
				}
			}
			return false
		})},
		{name: "takes overlong characters", breaks: alsoText(func(b []byte) bool { return bytes.Contains(b, []byte{0xc0, 0xaf}) })},
		{name: "takes surrogates in UTF-8", breaks: alsoText(func(b []byte) bool { return bytes.Contains(b, []byte{0xed, 0xa0}) })},
		{name: "takes characters beyond U+10FFFF", breaks: alsoText(func(b []byte) bool { return bytes.Contains(b, []byte{0xf4, 0x90}) })},
		{name: "puts U+FFFD for what is not UTF-8", breaks: func(r *scripted.Rules) {
			takes("text not UTF-8")(r)
			recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				if isV2(e) && e.Op == OpText {
					e.Message = bytes.ToValidUTF8(e.Message, []byte("\ufffd"))
				}
				return right
			})(r)
		}},
		{name: "cuts who sends text that is not UTF-8", breaks: verdict(scripted.Cut, "text not UTF-8", "hello not UTF-8")},
		{name: "stores text that is not UTF-8 and passes it on to nobody", breaks: func(r *scripted.Rules) {
			takes("text not UTF-8")(r)
			recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				if isV2(e) && e.Op == OpText && !utf8.Valid(e.Message) {
					from.Conn.Net().Close()
					return nil
				}
				return right
			})(r)
		}},
		{name: "takes messages of 16 MiB and more", breaks: func(r *scripted.Rules) { r.MaxMessage = func(_, _ string) int { return 64 << 20 } }},
		{name: "takes one byte less than fits", breaks: func(r *scripted.Rules) {
			right := r.MaxMessage
			r.MaxMessage = func(uid, channel string) int { return right(uid, channel) - 1 }
		}},
		{name: "takes messages of 512 KiB", breaks: func(r *scripted.Rules) { r.MaxMessage = func(_, _ string) int { return 512 << 10 } }},
		{name: "takes every fragment up to the limit", breaks: func(r *scripted.Rules) { r.Size = func(_, n int) int { return n } }},
		{name: "hangs on a message that is too big", breaks: verdict(scripted.Hang, "message too big", "length over 63 bits")},
		{name: "ends as a whole on a length over 63 bits", breaks: func(r *scripted.Rules) {
			r.Head = func(_ byte, n uint64) {
				if n>>63 == 1 {
					panic(scripted.ErrCrash)
				}
			}
		}},
	}
}

func looksKnocking(mask [4]byte, b []byte) bool {
	clear := bytes.Clone(b)
	for i := range clear {
		clear[i] ^= mask[i%4]
	}
	return bytes.Contains(clear, []byte("knock-"))
}

func alsoText(also func(b []byte) bool) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.TextFits
		r.TextFits = func(fragments [][]byte) bool { return right(fragments) || also(bytes.Join(fragments, nil)) }
	}
}

// controlFaults are about frames that RFC 6455 forbids, pings, pongs and close frames.
func controlFaults() []fault {
	onClose := func(change func(payload []byte) []byte) func(r *scripted.Rules) {
		return func(r *scripted.Rules) { r.CloseReply = change }
	}
	passing := func(op byte, event byte) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			r.Control = func(got byte, payload []byte) *scripted.Event {
				if got != op {
					return nil
				}
				return &scripted.Event{Op: event, Message: payload}
			}
		}
	}
	all := []scripted.Remark{
		"frame not masked", "reserved bit", "reserved opcode", "stray continuation", "message inside message",
		"control in fragments", "control over 125", "close code forbidden", "close code cut", "close reason not UTF-8",
	}
	faults := []fault{
		{name: "closes without code", breaks: func(r *scripted.Rules) {
			for about, v := range r.Verdicts {
				if v > 1000 {
					r.Verdicts[about] = 1005
				}
			}
		}},
		{name: "cuts without close frame", breaks: func(r *scripted.Rules) {
			for about, v := range r.Verdicts {
				if v > 1000 {
					r.Verdicts[about] = scripted.Cut
				}
			}
		}},
		{name: "closes with 1000 whatever it was", breaks: func(r *scripted.Rules) {
			for about, v := range r.Verdicts {
				if v > 1000 {
					r.Verdicts[about] = 1000
				}
			}
		}},
		{name: "closes with 1002 where 1008, 1007 or 1009 is right", breaks: func(r *scripted.Rules) {
			for about, v := range r.Verdicts {
				if v > 1000 {
					r.Verdicts[about] = 1002
				}
			}
		}},
		{name: "closes with 1008 where 1002 is right", breaks: verdict(1008, all...)},
		{name: "sends something after its close frame", breaks: func(r *scripted.Rules) {
			r.LastWord = func(frame []byte) []byte { return Cat(frame, UnmaskedFrame(Fin|OpBinary, "wait")) }
		}},
		{name: "leaves the reason out", breaks: func(r *scripted.Rules) {
			r.LastWord = func(frame []byte) []byte { return UnmaskedFrame(Fin|OpClose, string(frame[2:min(4, len(frame))])) }
		}},
		{name: "gives the same reason for everything", breaks: func(r *scripted.Rules) {
			r.LastWord = func(frame []byte) []byte {
				return UnmaskedFrame(Fin|OpClose, string(frame[2:min(4, len(frame))])+"refused")
			}
		}},
		{name: "leaves connections open after its close frame", breaks: func(r *scripted.Rules) { r.Lingers = true }},
		{name: "answers no close frame", breaks: onClose(func([]byte) []byte { return nil })},
		{name: "hangs after a close frame", breaks: func(r *scripted.Rules) { r.Verdicts["close frame"] = scripted.Hang }},
		{name: "answers every close frame with 1000", breaks: onClose(func([]byte) []byte { return []byte(ClosePayload(1000, "")) })},
		{name: "answers every close frame with 1001", breaks: onClose(func([]byte) []byte { return []byte(ClosePayload(1001, "")) })},
		{name: "answers close frames without code", breaks: onClose(func([]byte) []byte { return []byte{} })},
		{name: "answers an empty close frame with 1005", breaks: onClose(func(p []byte) []byte {
			if len(p) == 0 {
				return []byte(ClosePayload(1005, ""))
			}
			return p[:2]
		})},
		{name: "goes on after a close frame", breaks: func(r *scripted.Rules) { r.GoesOn = true }},
		{name: "forwards close frames", breaks: func(r *scripted.Rules) {
			leaving(func(ch *scripted.Channel, m *scripted.Member, cause error) {
				if m.Dialect == scripted.V2 && cause != nil && strings.Contains(cause.Error(), "closed:") {
					for _, to := range ch.Members {
						if to.Dialect == scripted.V2 {
							to.Send(UnmaskedFrame(Fin|OpClose, ClosePayload(1000, "")))
						}
					}
				}
			})(r)
		}},
		{name: "answers no ping", breaks: func(r *scripted.Rules) { r.Pong = func(byte, []byte) []byte { return nil } }},
		{name: "answers pings without payload", breaks: func(r *scripted.Rules) {
			right := r.Pong
			r.Pong = func(op byte, p []byte) []byte { return right(op, p)[:0] }
		}},
		{name: "answers no ping without payload", breaks: func(r *scripted.Rules) {
			right := r.Pong
			r.Pong = func(op byte, p []byte) []byte {
				if len(p) == 0 {
					return nil
				}
				return right(op, p)
			}
		}},
		{name: "answers pings with 100 bytes at most", breaks: func(r *scripted.Rules) {
			right := r.Pong
			r.Pong = func(op byte, p []byte) []byte { return right(op, p[:min(100, len(p))]) }
		}},
		{name: "answers pongs", breaks: func(r *scripted.Rules) { r.Pong = func(_ byte, p []byte) []byte { return p } }},
		{name: "forwards pings", breaks: passing(OpPing, OpPing)},
		{name: "forwards pings as messages", breaks: passing(OpPing, OpBinary)},
		{name: "forwards pongs", breaks: passing(OpPong, OpPong)},
		{name: "stores pings", breaks: func(r *scripted.Rules) {
			passing(OpPing, OpPing)(r)
			losing(func(e *scripted.Event) bool { return isV2(e) && e.Op == OpPing })(r)
		}},
		{name: "stores pongs", breaks: func(r *scripted.Rules) {
			passing(OpPong, OpPong)(r)
			losing(func(e *scripted.Event) bool { return isV2(e) && e.Op == OpPong })(r)
		}},
		{name: "refuses a ping inside a message", breaks: verdict(1002, "ping inside a message")},
		{name: "takes a ping before the hello for one", breaks: verdict(1008, "ping before the hello")},
		{name: "takes a pong before the hello for one", breaks: verdict(1008, "pong before the hello")},
		{name: "answers pings late: after the message they came in", breaks: func(r *scripted.Rules) { r.PongsLate = true }},
		{name: "greets", breaks: func(r *scripted.Rules) {
			r.Greeting = func() [][]byte { return [][]byte{UnmaskedFrame(Fin|OpText, "welcome")} }
		}},
	}
	for _, about := range all {
		faults = append(faults, fault{name: fmt.Sprintf("takes a %s", about), breaks: takes(about)})
	}
	return faults
}

// noticeFaults are about join notices.
func noticeFaults() []fault {
	noting := func(change func(ch *scripted.Channel, e *scripted.Event, right []byte) []byte) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Notice
			r.Notice = func(ch *scripted.Channel, e *scripted.Event) []byte { return change(ch, e, right(ch, e)) }
		}
	}
	live := func(notice func(r *scripted.Rules, ch *scripted.Channel, e *scripted.Event) []byte) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool) [][]byte {
				frames := right(ch, e, to, replay)
				if e.Arrival && !e.Opaque && to.Dialect == scripted.V2 && !replay {
					frames = append([][]byte{r.WSFrame(Fin|OpText, notice(r, ch, e))}, frames...)
				}
				return frames
			}
		}
	}
	auth := func(ch *scripted.Channel, e *scripted.Event) []byte {
		return []byte(HelloText(e.UID, ch.Name, AuthOf(e.UID, ch.Name, ch.Server.Key)))
	}
	return []fault{
		{name: "forwards auth", breaks: live(func(_ *scripted.Rules, ch *scripted.Channel, e *scripted.Event) []byte { return auth(ch, e) })},
		{name: "stores auth", breaks: noting(func(ch *scripted.Channel, e *scripted.Event, _ []byte) []byte { return auth(ch, e) })},
		{name: "notices with an empty auth", breaks: noting(func(_ *scripted.Channel, _ *scripted.Event, right []byte) []byte {
			return []byte(strings.TrimSuffix(string(right), "}") + `,"auth":""}`)
		})},
		{name: "notices with a further member", breaks: noting(func(_ *scripted.Channel, _ *scripted.Event, right []byte) []byte {
			return []byte(strings.TrimSuffix(string(right), "}") + `,"at":0}`)
		})},
		{name: "notices with white space", breaks: noting(func(_ *scripted.Channel, _ *scripted.Event, right []byte) []byte {
			return []byte(strings.ReplaceAll(string(right), `,"`, `, "`))
		})},
		{name: "notices of the wrong channel", breaks: noting(func(ch *scripted.Channel, e *scripted.Event, _ []byte) []byte {
			return []byte(HelloText(e.UID, ch.Name+"2", ""))
		})},
		{name: "notices of the wrong uid", breaks: noting(func(ch *scripted.Channel, e *scripted.Event, _ []byte) []byte {
			return []byte(HelloText("x"+e.UID, ch.Name, ""))
		})},
		{name: "notices that quote nothing", breaks: noting(func(ch *scripted.Channel, e *scripted.Event, _ []byte) []byte {
			return []byte(`{"uid":"` + e.UID + `","channel":"` + ch.Name + `"}`)
		})},
		{name: "notices as binary", breaks: func(r *scripted.Rules) {
			writing(func(first byte, payload []byte, right func(byte, []byte) []byte) []byte {
				if bytes.HasPrefix(payload, []byte(`{"uid":`)) && first == Fin|OpText {
					first = Fin | OpBinary
				}
				return right(first, payload)
			})(r)
		}},
		{name: "notices twice", breaks: func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool) [][]byte {
				frames := right(ch, e, to, replay)
				if e.Arrival && !e.Opaque && to.Dialect == scripted.V2 && replay {
					frames = append(frames[:1:1], frames...)
				}
				return frames
			}
		}},
		{name: "no notices in the history", breaks: func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool) [][]byte {
				return right(ch, e, to, replay && to.Dialect != scripted.V2)
			}
		}},
	}
}
