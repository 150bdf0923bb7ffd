package conformance

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"mles/conformance/internal/scripted"
)

// furtherFaults are those that somebody thought of who knew the cases, and who
// looked for what they let through.
func furtherFaults() []fault {
	type channel = *scripted.Channel
	type event = *scripted.Event
	type member = *scripted.Member
	holding := func(same func(other, m member) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch channel, m member) member {
				if other := right(ch, m); other != nil {
					return other
				}
				return onMembers(func(other, m member) bool { return other.Dialect == m.Dialect && same(other, m) })(ch, m)
			}
		}
	}
	namedOnV2 := func(change func(s string) string) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			r.Name = func(d scripted.Dialect, s string) string {
				if d == scripted.V2 {
					return change(s)
				}
				return s
			}
		}
	}
	said := func(change func(message []byte) []byte) func(r *scripted.Rules) {
		return recipients(func(_ channel, _ member, e event, right []member) []member {
			b, _ := ReadBody(e.Frame[min(16, len(e.Frame)):])
			if changed := change(e.Message); !bytes.Equal(changed, e.Message) {
				if e.Message = changed; isV1(e) {
					e.Frame = withLength(Cat(e.Frame[:16], Map3(b.UID, b.Channel, string(changed))))
				}
			}
			return right
		})
	}
	return []fault{
		{name: "answers no close frame inside a message", breaks: verdict(scripted.Hang, "close frame inside a message")},
		{name: "reads 32 bits of a WebSocket length", breaks: func(r *scripted.Rules) { r.Length = func(n uint64) uint64 { return n & 0xffffffff } }},
		{name: "reads 31 bits of a WebSocket length", breaks: func(r *scripted.Rules) { r.Length = func(n uint64) uint64 { return n & 0x7fffffff } }},
		{name: "reads 32 bits of a length in a body", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				return right(bytes.ReplaceAll(body, []byte{0x5b, 0, 0, 0, 1}, []byte{0x5b, 0, 0, 0, 0}), n)
			}
		}},
		{name: "reads 32 bits of a count in a body", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				return right(bytes.ReplaceAll(body, []byte{0xbb, 0, 0, 0, 1}, []byte{0xbb, 0, 0, 0, 0}), n)
			}
		}},
		{name: "does not decode escapes in an auth", breaks: refusesHello("auth escaped")},
		{name: "lets two in that come at once", breaks: func(r *scripted.Rules) {
			var mu sync.Mutex
			came := make(map[member]time.Time)
			right := r.Taken
			r.Taken = func(ch channel, m member) member {
				mu.Lock()
				defer mu.Unlock()
				came[m] = time.Now()
				if other := right(ch, m); other != nil && time.Since(came[other]) > 30*time.Millisecond {
					return other
				}
				return nil
			}
		}},
		{name: "a refused second frees the uid", breaks: func(r *scripted.Rules) {
			r.Yields = func(holder, second member) member {
				if holder.Dialect == scripted.V2 {
					holder.UID += "?"
				}
				return second
			}
		}},
		{name: "who leaves frees its CID or uid on all channels", breaks: leaving(func(ch channel, m member, _ error) {
			for _, other := range ch.Server.Channels() {
				for _, o := range other.Members {
					if o.Dialect == m.Dialect && (o.Dialect == scripted.V1 && o.CID == m.CID || o.Dialect == scripted.V2 && o.UID == m.UID) {
						o.CID, o.UID = o.CID+1, o.UID+"?"
					}
				}
			}
		})},
		{name: "compares 16 bits of a CID", breaks: holding(func(other, m member) bool { return m.Dialect == scripted.V1 && uint16(other.CID) == uint16(m.CID) })},
		{name: "compares 31 bits of a CID", breaks: holding(func(other, m member) bool { return m.Dialect == scripted.V1 && other.CID<<1 == m.CID<<1 })},
		{name: "compares uids up to NUL", breaks: holding(func(other, m member) bool {
			a, _, _ := strings.Cut(other.UID, "\x00")
			b, _, _ := strings.Cut(m.UID, "\x00")
			return m.Dialect == scripted.V2 && a == b
		})},
		{name: "compares 255 bytes of uids", breaks: holding(func(other, m member) bool {
			return m.Dialect == scripted.V2 && other.UID[:min(255, len(other.UID))] == m.UID[:min(255, len(m.UID))]
		})},
		{name: "compares uids trimmed", breaks: holding(func(other, m member) bool {
			return m.Dialect == scripted.V2 && strings.TrimSpace(other.UID) == strings.TrimSpace(m.UID)
		})},
		{name: "ends channels of v2 at NUL", breaks: namedOnV2(func(s string) string { name, _, _ := strings.Cut(s, "\x00"); return name })},
		{name: "looks at 1,000 bytes of a channel of v2", breaks: namedOnV2(func(s string) string { return s[:min(1000, len(s))] })},
		{name: "looks at 18 bytes of a channel of v2", breaks: namedOnV2(func(s string) string { return s[:min(18, len(s))] })},
		{name: "lowers the case of channels of v2", breaks: namedOnV2(strings.ToLower)},
		{name: "composes channels of v2 alone", breaks: namedOnV2(func(s string) string { return strings.ReplaceAll(s, "e\u0301", "é") })},
		{name: "trims channels of v2", breaks: namedOnV2(strings.TrimSpace)},
		{name: "takes first frames of up to 64 KiB", breaks: decoding(func(body []byte, m *scripted.Msg) bool { return len(body) < 64<<10 || m.Frames != nil })},
		{name: "no history for who joins with a message", breaks: replaying(func(_ channel, m member, h []event) []event {
			if len(m.First) == 1 && len(m.First[0].Message) > 0 {
				return nil
			}
			return h
		})},
		{name: "no history for who is back", breaks: replaying(func(_ channel, m member, h []event) []event {
			if slices.ContainsFunc(h, func(e event) bool { return e.UID == m.UID && e.From == m.Dialect }) {
				return nil
			}
			return h
		})},
		{name: "looks at UTF-8 in pieces of 4 KiB", breaks: func(r *scripted.Rules) {
			r.TextFits = func(fragments [][]byte) bool {
				for piece := range slices.Chunk(bytes.Join(fragments, nil), 4096) {
					if !utf8.Valid(piece) {
						return false
					}
				}
				return true
			}
		}},
		{name: "carries the mask over from frame to frame", breaks: func(r *scripted.Rules) {
			var mu sync.Mutex
			at := 0
			r.Unmask = func(mask [4]byte, b []byte) {
				mu.Lock()
				defer mu.Unlock()
				if len(b) < 3 || !bytes.HasPrefix(b, []byte{'{' ^ mask[0]}) && !looksKnocking(mask, b) {
					for i := range b {
						b[i] ^= mask[(i+at)%4]
					}
					at += len(b)
					return
				}
				for i := range b {
					b[i] ^= mask[i%4]
				}
			}
		}},
		{name: "ends a message at an empty fragment", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) {
				if at := slices.IndexFunc(fragments, func(f []byte) bool { return len(f) == 0 }); at > 0 {
					fragments = fragments[:at]
				}
				return op, [][]byte{bytes.Join(fragments, nil)}
			}
		}},
		{name: "forgets what a member said when it leaves", breaks: leaving(func(ch channel, m member, _ error) {
			ch.History = slices.DeleteFunc(ch.History, func(e event) bool { return e.UID == m.UID && e.From == m.Dialect })
		})},
		{name: "keeps a member's last message only", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch channel, e event) {
				ch.History = slices.DeleteFunc(ch.History, func(old event) bool {
					return old.UID == e.UID && old.From == e.From && !old.Arrival && !e.Arrival
				})
				right(ch, e)
			}
		}},
		{name: "holds each message until the next", breaks: func(r *scripted.Rules) {
			held := make(map[member][][]byte)
			right := r.Deliver
			r.Deliver = func(to member, frames [][]byte) {
				right(to, held[to])
				held[to] = frames
			}
		}},
		{name: "cuts messages at 65,535 bytes", breaks: said(func(m []byte) []byte { return m[:min(65_535, len(m))] })},
		{name: "cuts messages at 1,000,000 bytes", breaks: said(func(m []byte) []byte { return m[:min(1_000_000, len(m))] })},
		{name: "loses a trailing NUL", breaks: said(func(m []byte) []byte { return bytes.TrimRight(m, "\x00") })},
		{name: "loses a trailing line feed", breaks: said(func(m []byte) []byte { return bytes.TrimSuffix(m, []byte("\n")) })},
		{name: "keeps bits of v1 messages only that are ASCII", breaks: said(func(m []byte) []byte { return bytes.ReplaceAll(m, []byte{0xff}, []byte{0x7f}) })},
		{name: "history without what came in the last 50 ms", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch channel, e event) { ch.Server.Later(50*time.Millisecond, func() { right(ch, e) }) }
		}},
		{name: "the history is that of the channel as it was when the first came", breaks: func(r *scripted.Rules) {
			seen := make(map[channel][]event)
			replaying(func(ch channel, _ member, h []event) []event {
				if old, ok := seen[ch]; ok && len(h) > 3 {
					return old
				}
				if len(h) > 3 {
					seen[ch] = h
				}
				return h
			})(r)
		}},
		{name: "v2 hears v1 through fragments of 16 KiB", breaks: func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch channel, e event, to member, replay bool) [][]byte {
				if to.Dialect != scripted.V2 || e.From != scripted.V1 || len(e.Message) <= 16<<10 {
					return right(ch, e, to, replay)
				}
				return [][]byte{UnmaskedFrame(OpBinary, string(e.Message[:16<<10])), UnmaskedFrame(Fin, string(e.Message[16<<10:]))}
			}
		}},
		{name: "made frames of a second connection have the first's key", keyless: true, breaks: func(r *scripted.Rules) {
			keys := make(map[string]uint64)
			r.Made = func(ch channel, e event) []byte {
				name := ch.Name + "\x00" + e.UID
				if keys[name] == 0 {
					keys[name] = e.Key
				}
				return Frame(uint32(keys[name]), keys[name], Map3(e.UID, ch.Name, string(e.Message)))
			}
		}},
		{name: "an empty later v1 message is stored once for all", breaks: forgetting(func(ch channel, e event) bool {
			return isV1(e) && e.Empty() && slices.ContainsFunc(ch.History, func(old event) bool { return old.Empty() && old.From == e.From && old.UID != e.UID })
		})},
		{name: "says 1008 twice", breaks: func(r *scripted.Rules) { r.LastWord = func(frame []byte) []byte { return Cat(frame, frame) } }},
	}
}
