package conformance

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"mles/conformance/internal/scripted"
)

func isWS(e *scripted.Event) bool   { return e.From == scripted.V1WS }
func onWS(m *scripted.Member) bool  { return m.Dialect == scripted.V1WS }
func knocks(e *scripted.Event) bool { return bytes.Contains(e.Message, []byte("knock-")) }
func isFirst(e *scripted.Event, from *scripted.Member) bool {
	return len(from.First) > 0 && e == from.First[0]
}

// toWS changes what v1 WebSocket members get of an event.
func toWS(change func(ch *scripted.Channel, e *scripted.Event, replay bool, right [][]byte) [][]byte) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Encode
		r.Encode = func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool) [][]byte {
			frames := right(ch, e, to, replay)
			if !onWS(to) {
				return frames
			}
			return change(ch, e, replay, frames)
		}
	}
}

// ofWS changes what members of a dialect get of v1 WebSocket members.
func ofWS(d scripted.Dialect, change func(ch *scripted.Channel, e *scripted.Event, replay bool, right [][]byte) [][]byte) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Encode
		r.Encode = func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool) [][]byte {
			frames := right(ch, e, to, replay)
			if to.Dialect != d || !isWS(e) {
				return frames
			}
			return change(ch, e, replay, frames)
		}
	}
}

// bodyAs changes the bodies that v1 WebSocket members get.
func bodyAs(change func(ch *scripted.Channel, e *scripted.Event, right []byte) []byte) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Body
		r.Body = func(ch *scripted.Channel, e *scripted.Event) []byte { return change(ch, e, right(ch, e)) }
	}
}

// madeAs changes the frames that v1 members over TCP get of v1 WebSocket members.
func madeAs(change func(ch *scripted.Channel, e *scripted.Event, right []byte) []byte) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Made
		r.Made = func(ch *scripted.Channel, e *scripted.Event) []byte {
			if frame := right(ch, e); isWS(e) {
				return change(ch, e, frame)
			}
			return right(ch, e)
		}
	}
}

// seats are all members of a connection.
func seats(s *scripted.Server, c *scripted.Conn) (all []*scripted.Member) {
	for _, ch := range s.Channels() {
		for _, m := range ch.Members {
			if m.Conn == c {
				all = append(all, m)
			}
		}
	}
	return all
}

// admitting also does something before a v1 WebSocket joins a channel.
func admitting(also func(ch *scripted.Channel, m *scripted.Member)) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Admit
		r.Admit = func(ch *scripted.Channel, m *scripted.Member, first []*scripted.Event) {
			if onWS(m) {
				also(ch, m)
			}
			right(ch, m, first)
		}
	}
}

// channelledWS gets v1 WebSockets into another channel than they said.
func channelledWS(change func(name string) string) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		r.Name = func(d scripted.Dialect, name string) string {
			if d == scripted.V1WS {
				return change(name)
			}
			return name
		}
	}
}

// v1wsFaults are about v1 over WebSocket.
func v1wsFaults() []fault {
	return slices.Concat(v1wsBodyFaults(), v1wsForwardFaults(), v1wsChannelFaults(), v1wsHistoryFaults(), v1wsBetweenFaults(), v1wsEndFaults(), v1wsTimeFaults())
}

// v1wsBodyFaults are about bodies, how they are read and what they become.
func v1wsBodyFaults() []fault {
	canonical := func(body []byte, m scripted.Msg) bool {
		return bytes.Equal(body, Map3(m.UID, m.Channel, string(m.Message)))
	}
	return []fault{
		{name: "sends v1 WebSockets the header, too", breaks: bodyAs(func(_ *scripted.Channel, e *scripted.Event, right []byte) []byte {
			return Frame(e.CID, e.Key, right)
		})},
		{name: "sends v1 WebSockets bodies as text", breaks: toWS(func(_ *scripted.Channel, _ *scripted.Event, _ bool, right [][]byte) [][]byte {
			for i := range right {
				right[i] = Cat([]byte{Fin | OpText}, right[i][1:])
			}
			return right
		})},
		{name: "sends v1 WebSockets messages without bodies", breaks: bodyAs(func(_ *scripted.Channel, e *scripted.Event, right []byte) []byte {
			if knocks(e) || len(e.Message) == 0 {
				return right
			}
			return e.Message
		})},
		{name: "sends v1 WebSockets bodies of 1,000 bytes and more in fragments", breaks: toWS(func(ch *scripted.Channel, e *scripted.Event, _ bool, right [][]byte) [][]byte {
			if b := ch.Server.Rules.Body(ch, e); len(right) > 0 && len(b) >= 1000 {
				return [][]byte{UnmaskedFrame(OpBinary, string(b[:500])), UnmaskedFrame(Fin|OpContinuation, string(b[500:]))}
			}
			return right
		})},
		{name: "writes v1 WebSocket bodies anew", breaks: bodyAs(func(_ *scripted.Channel, _ *scripted.Event, right []byte) []byte {
			if b, ok := ReadBody(right); ok {
				return Map3(b.UID, b.Channel, b.Message)
			}
			return right
		})},
		{name: "writes v1 WebSocket bodies anew in the history", breaks: toWS(func(ch *scripted.Channel, e *scripted.Event, replay bool, right [][]byte) [][]byte {
			if b, ok := ReadBody(ch.Server.Rules.Body(ch, e)); ok && replay && len(right) > 0 {
				return [][]byte{UnmaskedFrame(Fin|OpBinary, string(Map3(b.UID, b.Channel, b.Message)))}
			}
			return right
		})},
		{name: "takes canonical bodies only", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				if m.Frames == nil && !canonical(body, m) {
					remarks = append(remarks, "cut")
				}
				return m, remarks
			}
		}},
		{name: "takes of a v1 WebSocket body what can be read", breaks: takes("v1ws body undecodable")},
		{name: "passes over v1 WebSocket bodies that do not decode", breaks: verdict(scripted.Hang, "v1ws body undecodable")},
		{name: "takes v1 WebSocket bodies that do not decode for empty", breaks: verdict(scripted.Blank, "v1ws body undecodable")},
		{name: "takes a body behind a header", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				if len(body) > 16 && body[0] == 'M' {
					body = body[16:]
				}
				return right(body, n)
			}
		}},
		{name: "joins v1 WebSockets by a ResyncMsg", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				if len(m.Frames) == 1 && len(m.Frames[0]) > 16 {
					return right(m.Frames[0][16:], n)
				}
				return m, remarks
			}
		}},
		{name: "takes text on a v1 WebSocket for a body", breaks: takes("v1ws text")},
		{name: "passes over text on a v1 WebSocket", breaks: func(r *scripted.Rules) {
			takes("v1ws text")(r)
			verdict(scripted.Hang, "v1ws body undecodable")(r)
			r.TextFits = func([][]byte) bool { return true }
		}},
		{name: "takes the last fragment for the body", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) { return op, fragments[len(fragments)-1:] }
		}},
		{name: "takes one mask for all bodies", breaks: func(r *scripted.Rules) {
			right := r.Unmask
			r.Unmask = func(_ [4]byte, b []byte) { right([4]byte{0x37, 0xfa, 0x21, 0x3d}, b) }
		}},
		{name: "ends v1 WebSocket messages at NUL", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if b, ok := ReadBody(e.Body); isWS(e) && ok {
				m, _, _ := strings.Cut(b.Message, "\x00")
				e.Body = Map3(b.UID, b.Channel, m)
			}
			return right
		})},
		{name: "opens v1 frames in messages", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isWS(e) && len(e.Message) > 16 && e.Message[0] == 'M' {
				e.Body = e.Message[16:]
			}
			return right
		})},
		{name: "writes lengths of v1 WebSocket frames in eight bytes", breaks: toWS(func(ch *scripted.Channel, e *scripted.Event, _ bool, right [][]byte) [][]byte {
			b := ch.Server.Rules.Body(ch, e)
			if len(right) == 0 || len(b) < 126 {
				return right
			}
			return [][]byte{Cat([]byte{Fin | OpBinary, 127, 0, 0, 0, 0, byte(len(b) >> 24), byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b)}
		})},
		{name: "takes v1 WebSocket names of any length", breaks: takes("v1ws name too long")},
		{name: "takes later uids of any length", breaks: takes("v1ws long uid")},
		{name: "takes v1 WebSocket names of 1,023 bytes", breaks: func(r *scripted.Rules) { r.MaxName = 1023 }},
		{name: "refuses empty uids on v1 WebSockets", breaks: refusingNames(func(name string) bool { return name == "" })},
		{name: "refuses names outside of ASCII on v1 WebSockets", breaks: refusingNames(func(name string) bool {
			return strings.ContainsFunc(name, func(c rune) bool { return c > 127 })
		})},
		{name: "refuses names with controls on v1 WebSockets", breaks: refusingNames(func(name string) bool { return strings.ContainsAny(name, "\x00\x01\n") })},
		{name: "takes first bodies of 8 KiB", breaks: func(r *scripted.Rules) { r.MaxFirst = 8192 }},
		{name: "takes first bodies of any size", breaks: func(r *scripted.Rules) { r.MaxFirst = 1 << 30 }},
		{name: "takes v1 WebSocket bodies of one byte less than there may be", breaks: func(r *scripted.Rules) { r.MaxBody = 0xfffffe }},
		{name: "takes v1 WebSocket bodies of 32 MiB", breaks: func(r *scripted.Rules) { r.MaxBody = 32 << 20 }},
		{name: "takes every fragment of a v1 WebSocket body up to the limit", breaks: func(r *scripted.Rules) { r.Size = func(_, n int) int { return n } }},
	}
}

// v1wsForwardFaults are about who gets a body, and in what order.
func v1wsForwardFaults() []fault {
	type channel = *scripted.Channel
	type event = *scripted.Event
	type member = *scripted.Member
	return []fault{
		{name: "sends bodies back to v1 WebSockets", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) {
				right = append(right, from)
			}
			return right
		})},
		{name: "sends a v1 WebSocket its own join", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && isFirst(e, from) {
				right = append(right, from)
			}
			return right
		})},
		{name: "loses joins of v1 WebSockets", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && isFirst(e, from) {
				return nil
			}
			return right
		})},
		{name: "loses the message of a v1 WebSocket's join", breaks: recipients(func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && isFirst(e, from) {
				e.Message, e.Body = nil, Map3(from.UID, ch.Name, "")
			}
			return right
		})},
		{name: "sends a v1 WebSocket's join twice", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && isFirst(e, from) {
				right = append(right, right...)
			}
			return right
		})},
		{name: "drops later v1 WebSocket bodies without message", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && e.Empty() && !isFirst(e, from) {
				return nil
			}
			return right
		})},
		{name: "drops v1 WebSocket bodies under another uid", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && e.UID != from.UID {
				return nil
			}
			return right
		})},
		{name: "puts the v1 WebSocket's uid into its bodies", breaks: recipients(func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && e.UID != from.UID {
				e.UID, e.Body = from.UID, Map3(from.UID, ch.Name, string(e.Message))
			}
			return right
		})},
		{name: "takes a v1 WebSocket's empty body for a new join", breaks: recipients(func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if onWS(from) && e.Empty() && !isFirst(e, from) {
				for _, old := range ch.History {
					from.Send(ch.Server.Rules.Encode(ch, old, from, true)...)
				}
			}
			return right
		})},
		{name: "refuses a second v1 WebSocket of the same uid", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				for _, other := range ch.Members {
					if onWS(m) && onWS(other) && other.UID == m.UID {
						return other
					}
				}
				return right(ch, m)
			}
			r.Lives = func(*scripted.Member) bool { return true }
		}},
		{name: "has v1 WebSockets compete for CIDs with v1 over TCP", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				for _, other := range ch.Members {
					if other != m && other.Dialect != m.Dialect && (onWS(m) || onWS(other)) && other.CID == m.CID {
						return other
					}
				}
				return right(ch, m)
			}
			r.Lives = func(*scripted.Member) bool { return true }
		}},
		{name: "swaps two of a v1 WebSocket's bodies", breaks: func(r *scripted.Rules) {
			n := make(map[member]int)
			held := make(map[member][][]byte)
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if n[to]++; onWS(to) && n[to] == 30 {
					held[to] = frames
					return
				}
				right(to, slices.Concat(frames, held[to]))
				delete(held, to)
			}
		}},
		{name: "loses one v1 WebSocket body of fifty", breaks: func(r *scripted.Rules) {
			n := make(map[member]int)
			recipients(func(_ channel, from member, e event, right []member) []member {
				if n[from]++; isWS(e) && n[from]%50 == 0 {
					return nil
				}
				return right
			})(r)
		}},
		{name: "has v1 WebSockets hear those who came after them", breaks: recipients(func(ch channel, from member, _ event, right []member) []member {
			at := slices.Index(ch.Members, from)
			return slices.DeleteFunc(right, func(to member) bool { return onWS(to) && slices.Index(ch.Members, to) > at })
		})},
		{name: "passes on what has come of a body in fragments", breaks: func(r *scripted.Rules) { r.AtOnce = true }},
		{name: "answers v1 WebSocket bodies by an empty one", breaks: func(r *scripted.Rules) {
			recipients(func(ch channel, from member, e event, right []member) []member {
				if isWS(e) && !knocks(e) {
					from.Send(UnmaskedFrame(Fin|OpBinary, string(Map3("server", ch.Name, ""))))
				}
				return right
			})(r)
		}},
		{name: "greets v1 WebSockets", breaks: func(r *scripted.Rules) {
			r.Greeting = func() [][]byte { return [][]byte{UnmaskedFrame(Fin|OpBinary, string(Map3("server", "", "welcome")))} }
		}},
	}
}

// v1wsChannelFaults are about connections in several channels.
func v1wsChannelFaults() []fault {
	type channel = *scripted.Channel
	type event = *scripted.Event
	type member = *scripted.Member
	isolated := func(name string, change func(name string) string) fault {
		return fault{name: name, breaks: channelledWS(change)}
	}
	return []fault{
		{name: "takes all bodies of a v1 WebSocket for its first channel's", breaks: func(r *scripted.Rules) {
			r.PlaceOf = func(latest *scripted.Member, _ scripted.Msg) *scripted.Member { return latest }
		}},
		{name: "leaves a channel when it joins the next", breaks: admitting(func(ch *scripted.Channel, m *scripted.Member) {
			for _, seat := range seats(ch.Server, m.Conn) {
				if seat.Channel != ch {
					seat.Channel.Members = slices.DeleteFunc(seat.Channel.Members, func(o *scripted.Member) bool { return o == seat })
				}
			}
		})},
		{name: "leaves a second channel at once", breaks: func(r *scripted.Rules) {
			right := r.Admit
			r.Admit = func(ch *scripted.Channel, m *scripted.Member, first []*scripted.Event) {
				again := onWS(m) && len(seats(ch.Server, m.Conn)) > 0
				right(ch, m, first)
				if again {
					ch.Members = slices.DeleteFunc(ch.Members, func(o *scripted.Member) bool { return o == m })
				}
			}
		}},
		{name: "mixes the channels of a connection", breaks: recipients(func(ch channel, from member, e event, right []member) []member {
			if !isWS(e) {
				return right
			}
			for _, seat := range seats(ch.Server, from.Conn) {
				if seat.Channel == ch {
					continue
				}
				for _, to := range seat.Channel.Members {
					if to.Conn != from.Conn {
						right = append(right, to)
					}
				}
			}
			return right
		})},
		{name: "gives a connection what comes once for each of its channels", breaks: func(r *scripted.Rules) {
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				for range max(1, min(2, len(seats(to.Channel.Server, to.Conn)))) {
					right(to, frames)
				}
			}
		}},
		{name: "replays the history of all channels at each join", breaks: replaying(func(ch channel, to member, history []event) []event {
			if onWS(to) {
				for _, seat := range seats(ch.Server, to.Conn) {
					history = append(history, seat.Channel.History...)
				}
			}
			return history
		})},
		{name: "replays the history of the first channel only", breaks: replaying(func(ch channel, to member, history []event) []event {
			if onWS(to) && len(seats(ch.Server, to.Conn)) > 0 {
				return nil
			}
			return history
		})},
		{name: "has one uid for all channels of a connection", breaks: recipients(func(ch channel, from member, e event, right []member) []member {
			if all := seats(ch.Server, from.Conn); isWS(e) && !knocks(e) && len(all) > 1 {
				uid := all[0].UID
				for _, seat := range all {
					uid = min(uid, seat.UID)
				}
				e.UID, e.Body = uid, Map3(uid, ch.Name, string(e.Message))
			}
			return right
		})},
		{name: "allows one channel", breaks: func(r *scripted.Rules) { r.MaxChannels = 1 }},
		{name: "allows 63 channels", breaks: func(r *scripted.Rules) { r.MaxChannels = 63 }},
		{name: "allows any number of channels", breaks: func(r *scripted.Rules) { r.MaxChannels = 1 << 20 }},
		{name: "passes over the 65th channel", breaks: takes("v1ws too many channels")},
		{name: "cuts at the 65th channel", breaks: verdict(scripted.Cut, "v1ws too many channels")},
		isolated("takes two that differ in case for one v1 WebSocket channel", strings.ToLower),
		isolated("takes digits off v1 WebSocket channels", func(name string) string { return strings.TrimSuffix(name, "2") }),
		isolated("composes the names of v1 WebSocket channels", func(name string) string { return strings.ReplaceAll(name, "e\u0301", "\u00e9") }),
		{name: "has no nameless channel on v1 WebSockets", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch *scripted.Channel, e *scripted.Event) {
				if ch.Name != "" {
					right(ch, e)
				}
			}
		}},
	}
}

// v1wsHistoryFaults are about what is stored and replayed.
func v1wsHistoryFaults() []fault {
	type channel = *scripted.Channel
	type event = *scripted.Event
	type member = *scripted.Member
	history := func(change func(ch channel, to member, history []event) []event) func(r *scripted.Rules) {
		return replaying(func(ch channel, to member, history []event) []event {
			if !onWS(to) {
				return history
			}
			return change(ch, to, history)
		})
	}
	return []fault{
		{name: "reverses the history for v1 WebSockets", breaks: history(func(_ channel, _ member, h []event) []event { slices.Reverse(h); return h })},
		{name: "replays one too few to v1 WebSockets", breaks: history(func(_ channel, _ member, h []event) []event { return h[min(1, len(h)):] })},
		{name: "replays the last twice to v1 WebSockets", breaks: history(func(_ channel, _ member, h []event) []event {
			return append(h, h[max(0, len(h)-1):]...)
		})},
		{name: "keeps back from v1 WebSockets what they said themselves", breaks: history(func(_ channel, to member, h []event) []event {
			return slices.DeleteFunc(h, func(e event) bool { return e.UID == to.UID })
		})},
		{name: "keeps back from v1 WebSockets what came in other dialects", breaks: history(func(_ channel, _ member, h []event) []event {
			return slices.DeleteFunc(h, func(e event) bool { return !isWS(e) })
		})},
		{name: "replays to v1 WebSockets what came as v1 first", breaks: history(func(_ channel, _ member, h []event) []event {
			slices.SortStableFunc(h, func(a, b event) int { return int(a.From) - int(b.From) })
			return h
		})},
		{name: "replays 100 to v1 WebSockets", breaks: history(func(_ channel, _ member, h []event) []event { return h[max(0, len(h)-100):] })},
		{name: "replays with a gap to v1 WebSockets", breaks: history(func(_ channel, _ member, h []event) []event {
			if len(h) > 20 {
				h = slices.Delete(h, 10, 11)
			}
			return h
		})},
		{name: "forgets joins of v1 WebSockets", breaks: forgetting(func(_ channel, e event) bool { return isWS(e) && e.Empty() })},
		{name: "forgets joins of v1 WebSockets with a message", breaks: forgetting(func(_ channel, e event) bool {
			return isWS(e) && e.Arrival && len(e.Message) > 0
		})},
		{name: "stores joins of v1 WebSockets with a message twice", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch *scripted.Channel, e *scripted.Event) {
				if right(ch, e); isWS(e) && e.Arrival && len(e.Message) > 0 {
					right(ch, e)
				}
			}
		}},
		{name: "forgets bodies of v1 WebSockets", breaks: forgetting(func(_ channel, e event) bool { return isWS(e) })},
		{name: "forgets v1 WebSocket bodies in other forms", breaks: forgetting(func(ch channel, e event) bool {
			return isWS(e) && !bytes.Equal(e.Body, Map3(e.UID, ch.Name, string(e.Message)))
		})},
		{name: "replaces no empty bodies of v1 WebSockets", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch *scripted.Channel, e *scripted.Event) {
				if uid := e.UID; isWS(e) && e.Empty() {
					e.UID += string(rune(len(ch.History))) // none is of this uid
					right(ch, e)
					e.UID = uid
					return
				}
				right(ch, e)
			}
		}},
		{name: "lets empty bodies of v1 WebSockets fill the history", breaks: func(r *scripted.Rules) { r.EmptyLimit = 200 }},
		{name: "sends v1 WebSockets what is new before the history", breaks: func(r *scripted.Rules) {
			held := make(map[member][]event)
			history(func(_ channel, to member, h []event) []event { held[to] = h; return nil })(r)
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				right(to, frames)
				for _, e := range held[to] {
					right(to, r.Encode(to.Channel, e, to, true))
				}
				delete(held, to)
			}
		}},
	}
}

// v1wsBetweenFaults are about what v1 WebSockets and other dialects get of each other.
func v1wsBetweenFaults() []fault {
	type channel = *scripted.Channel
	type event = *scripted.Event
	opaque := func(shown func(ch channel, e event) bool) func(r *scripted.Rules) {
		return toWS(func(ch channel, e event, _ bool, right [][]byte) [][]byte {
			if e.From == scripted.V1 && len(right) == 0 && shown(ch, e) {
				return [][]byte{UnmaskedFrame(Fin|OpBinary, string(e.Frame[16:]))}
			}
			return right
		})
	}
	hidden := func(hide func(e event, replay bool) bool) func(r *scripted.Rules) {
		return toWS(func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			if hide(e, replay) {
				return nil
			}
			return right
		})
	}
	return []fault{
		{name: "sends v1 WebSockets what names another channel", breaks: opaque(func(_ channel, e event) bool { return !e.Opaque })},
		{name: "sends v1 WebSockets what does not decode", breaks: opaque(func(_ channel, e event) bool { return e.Opaque })},
		{name: "puts the channel into what names another", breaks: toWS(func(ch channel, e event, _ bool, right [][]byte) [][]byte {
			if e.From == scripted.V1 && len(right) == 0 && !e.Opaque {
				return [][]byte{UnmaskedFrame(Fin|OpBinary, string(Map3(e.UID, ch.Name, string(e.Message))))}
			}
			return right
		})},
		{name: "hides v1 members over TCP from v1 WebSockets", breaks: hidden(func(e event, replay bool) bool { return e.From == scripted.V1 && !replay && !knocks(e) })},
		{name: "hides v2 members from v1 WebSockets", breaks: hidden(func(e event, replay bool) bool { return e.From == scripted.V2 && !replay && !knocks(e) })},
		{name: "hides v2 joins from v1 WebSockets", breaks: hidden(func(e event, _ bool) bool { return e.From == scripted.V2 && e.Arrival })},
		{name: "hides empty v2 messages from v1 WebSockets", breaks: hidden(func(e event, _ bool) bool {
			return e.From == scripted.V2 && !e.Arrival && len(e.Message) == 0
		})},
		{name: "hides v2 text from v1 WebSockets", breaks: hidden(func(e event, _ bool) bool { return e.From == scripted.V2 && !e.Arrival && e.Op == OpText })},
		{name: "sends v1 WebSockets v2 payloads without bodies", breaks: toWS(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.From == scripted.V2 && !e.Arrival && !knocks(e) {
				return [][]byte{UnmaskedFrame(Fin|e.Op, string(e.Message))}
			}
			return right
		})},
		{name: "sends v1 WebSockets join notices for v2 joins", breaks: toWS(func(ch channel, e event, _ bool, right [][]byte) [][]byte {
			if e.From == scripted.V2 && e.Arrival {
				return [][]byte{UnmaskedFrame(Fin|OpText, HelloText(e.UID, ch.Name, ""))}
			}
			return right
		})},
		{name: "tells v2 nothing of v1 WebSocket joins", breaks: ofWS(scripted.V2, func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			if e.Arrival && replay && len(right) > 0 {
				return right[1:]
			}
			return right
		})},
		{name: "tells v2 of joins by messages without bytes", breaks: ofWS(scripted.V2, func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Empty() {
				return [][]byte{UnmaskedFrame(Fin|OpBinary, "")}
			}
			return right
		})},
		{name: "sends v2 whole bodies", breaks: ofWS(scripted.V2, func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if len(e.Message) > 0 && !knocks(e) {
				return append(right[:len(right)-1:len(right)-1], UnmaskedFrame(Fin|OpBinary, string(e.Body)))
			}
			return right
		})},
		{name: "sends v2 text for v1 WebSocket messages", breaks: ofWS(scripted.V2, func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if len(e.Message) > 0 && !knocks(e) {
				return append(right[:len(right)-1:len(right)-1], UnmaskedFrame(Fin|OpText, string(e.Message)))
			}
			return right
		})},
		{name: "sends v2 text where a v1 WebSocket message is JSON", breaks: ofWS(scripted.V2, func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if bytes.HasPrefix(e.Message, []byte("{")) {
				return [][]byte{UnmaskedFrame(Fin|OpText, string(e.Message))}
			}
			return right
		})},
		{name: "hides v1 WebSockets from v2", breaks: ofWS(scripted.V2, func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if knocks(e) {
				return right
			}
			return nil
		})},
		{name: "sends v1 over TCP bodies of v1 WebSockets written anew", breaks: madeAs(func(ch channel, e event, _ []byte) []byte {
			return Frame(e.CID, e.Key, Map3(e.UID, ch.Name, string(e.Message)))
		})},
		{name: "sends v1 over TCP the messages of v1 WebSockets without bodies", breaks: madeAs(func(_ channel, e event, right []byte) []byte {
			if knocks(e) || len(e.Message) == 0 {
				return right
			}
			return Frame(e.CID, e.Key, e.Message)
		})},
		{name: "hides v1 WebSockets from v1 over TCP", breaks: ofWS(scripted.V1, func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if knocks(e) {
				return right
			}
			return nil
		})},
		{name: "hides joins of v1 WebSockets from v1 over TCP", breaks: ofWS(scripted.V1, func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Empty() {
				return nil
			}
			return right
		})},
		{name: "makes v1 WebSocket headers without key", breaks: madeAs(func(_ channel, e event, right []byte) []byte { return Frame(e.CID, 0, right[16:]) })},
		{name: "makes v1 WebSocket headers with the high half for CID", breaks: madeAs(func(_ channel, e event, right []byte) []byte {
			return Frame(uint32(e.Key>>32), e.Key, right[16:])
		})},
		{name: "makes v1 WebSocket headers of a new key for each frame", breaks: madeAs(func(_ channel, _ event, right []byte) []byte {
			key := rand.Uint64()
			return Frame(uint32(key), key, right[16:])
		})},
		{name: "makes v1 WebSocket headers without the shared key", breaks: madeAs(func(ch channel, e event, right []byte) []byte {
			key := KeyOf("", e.UID, ch.Name)
			return Frame(uint32(key), key, right[16:])
		})},
		{name: "makes v1 WebSocket headers over addresses in eight groups", keyless: true, breaks: func(r *scripted.Rules) {
			right := r.Spellings
			madeAs(func(_ channel, e event, frame []byte) []byte { return frame })(r)
			r.Spellings = func(a netip.AddrPort) []string { all := right(a); slices.Reverse(all); return all }
		}},
		{name: "reads two bytes of a made frame's length", breaks: madeAs(func(_ channel, e event, right []byte) []byte {
			n := len(right) - 16
			return HeaderAndBody(n&0xffff, e.CID, e.Key, right[16:][:max(1, n&0xffff)])
		})},
		{name: "sends v1 WebSockets the first frame of a ResyncMsg only", breaks: func(r *scripted.Rules) {
			right := r.Recipients
			r.Recipients = func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event) []*scripted.Member {
				all := right(ch, from, e)
				if slices.Index(from.First, e) > 0 {
					all = slices.DeleteFunc(all, onWS)
				}
				return all
			}
		}},
		{name: "delays what goes between v1 WebSockets and others", breaks: func(r *scripted.Rules) {
			n := 0
			right := r.Recipients
			r.Recipients = func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event) []*scripted.Member {
				n++
				var now []*scripted.Member
				for _, to := range right(ch, from, e) {
					if onWS(to) != isWS(e) && n%4 == 0 && !knocks(e) {
						ch.Server.Later(3*time.Millisecond, func() { r.Deliver(to, r.Encode(ch, e, to, false)) })
						continue
					}
					now = append(now, to)
				}
				return now
			}
		}},
	}
}

// v1wsEndFaults are about WebSocket itself, and the ends of connections.
func v1wsEndFaults() []fault {
	framing := []scripted.Remark{
		"frame not masked", "reserved bit", "reserved opcode", "stray continuation", "message inside message",
		"control in fragments", "control over 125", "close code forbidden", "close code cut", "close reason not UTF-8",
	}
	passing := func(op byte) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			r.Control = func(got byte, payload []byte) *scripted.Event {
				if got != op {
					return nil
				}
				return &scripted.Event{Op: OpBinary, Message: payload}
			}
		}
	}
	asks := []scripted.Remark{"no subprotocol", "subprotocol not offered"}
	return []fault{
		{name: "opens v1 WebSockets without subprotocol", breaks: takes(asks...)},
		{name: "opens no v1 WebSocket that offers a list", breaks: verdict(400, "subprotocol in a list")},
		{name: "opens no v1 WebSocket of a page", breaks: verdict(403, "origin")},
		{name: "wants mles-websocket alone or behind a space", breaks: func(r *scripted.Rules) {
			right := r.Accept
			r.Accept = func(req *http.Request, sum string) []string {
				lines := right(req, sum)
				if strings.Contains(req.Header.Get("Sec-WebSocket-Protocol"), ",mles") {
					return lines[:3]
				}
				return lines
			}
		}},
		{name: "names no subprotocol to v1 WebSockets", breaks: func(r *scripted.Rules) {
			right := r.Accept
			r.Accept = func(req *http.Request, sum string) []string { return right(req, sum)[:3] }
		}},
		{name: "takes on v1 WebSockets what RFC 6455 forbids", breaks: takes(framing...)},
		{name: "cuts v1 WebSockets without a close frame", breaks: func(r *scripted.Rules) {
			for about, v := range r.Verdicts {
				if v > 1000 {
					r.Verdicts[about] = scripted.Cut
				}
			}
		}},
		{name: "closes v1 WebSockets without code", breaks: func(r *scripted.Rules) {
			for about, v := range r.Verdicts {
				if v > 1000 {
					r.Verdicts[about] = 1005
				}
			}
		}},
		{name: "closes v1 WebSockets with the same reason always", breaks: func(r *scripted.Rules) {
			r.LastWord = func(frame []byte) []byte {
				return UnmaskedFrame(Fin|OpClose, string(frame[2:min(4, len(frame))])+"refused")
			}
		}},
		{name: "answers close frames of v1 WebSockets with 1000", breaks: func(r *scripted.Rules) {
			r.CloseReply = func([]byte) []byte { return []byte(ClosePayload(1000, "")) }
		}},
		{name: "goes on after a v1 WebSocket's close frame", breaks: func(r *scripted.Rules) { r.GoesOn = true }},
		{name: "forgets the good bodies before a bad frame", breaks: func(r *scripted.Rules) {
			right := r.FrameRead
			r.FrameRead = func(c *scripted.Conn) error {
				if b, _ := c.Reader().Peek(c.Reader().Buffered()); bytes.Contains(b, ClientFrame(Fin|3, "bad")) || bytes.Contains(b, ClientFrame(Fin|OpBinary, "\xff")) {
					return io.ErrUnexpectedEOF
				}
				return right(c)
			}
		}},
		{name: "answers pings of v1 WebSockets with 100 bytes at most", breaks: func(r *scripted.Rules) {
			right := r.Pong
			r.Pong = func(op byte, p []byte) []byte { return right(op, p[:min(100, len(p))]) }
		}},
		{name: "answers pongs of v1 WebSockets", breaks: func(r *scripted.Rules) { r.Pong = func(_ byte, p []byte) []byte { return p } }},
		{name: "answers pings of v1 WebSockets behind the body they came in", breaks: func(r *scripted.Rules) { r.PongsLate = true }},
		{name: "takes the payload of a ping for a body", breaks: passing(OpPing)},
		{name: "takes the payload of a pong for a body", breaks: passing(OpPong)},
		{name: "stores pings of v1 WebSockets", breaks: func(r *scripted.Rules) {
			passing(OpPing)(r)
			losing(func(e *scripted.Event) bool { return isV2(e) && !e.Arrival })(r)
		}},
		{name: "forgets what came of a v1 WebSocket with its end", breaks: func(r *scripted.Rules) {
			right := r.FrameRead
			r.FrameRead = func(c *scripted.Conn) error {
				if err := unlessGone(c); err != nil {
					return err
				}
				return right(c)
			}
		}},
		{name: "passes on what has come of a torn body", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, _ error) {
			if onWS(m) {
				ch.Server.Publish(ch, m, &scripted.Event{From: scripted.V1WS, UID: m.UID, Message: []byte("torn"), Body: Map3(m.UID, ch.Name, "torn")})
			}
		})},
		{name: "stores that v1 WebSockets leave", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, _ error) {
			if onWS(m) {
				ch.Server.Rules.Store(ch, &scripted.Event{From: scripted.V1WS, UID: m.UID, Message: []byte("bye"), Body: Map3(m.UID, ch.Name, "bye")})
			}
		})},
		{name: "tells that v1 WebSockets leave", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, _ error) {
			if onWS(m) {
				e := &scripted.Event{From: scripted.V1WS, UID: m.UID, Arrival: true, Body: Map3(m.UID, ch.Name, "")}
				for _, to := range ch.Server.Rules.Recipients(ch, m, e) {
					ch.Server.Rules.Deliver(to, ch.Server.Rules.Encode(ch, e, to, false))
				}
			}
		})},
		{name: "closes the channel when a v1 WebSocket is lost", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, cause error) {
			if cause == nil || !strings.Contains(cause.Error(), "verdict") && onWS(m) {
				for _, other := range ch.Members {
					other.Conn.Net().Close()
				}
			}
		})},
		{name: "ends as a whole when six have gone before their first body", breaks: func(r *scripted.Rules) {
			var mu sync.Mutex
			left := 5 // a run's own first look among them
			r.Ended = func(_ *scripted.Conn, joined bool) {
				mu.Lock()
				defer mu.Unlock()
				if !joined {
					left--
				}
				if left < 0 {
					panic(scripted.ErrCrash)
				}
			}
		}},
	}
}

// v1wsTimeFaults are about what takes its time, and what a server cannot bear.
func v1wsTimeFaults() []fault {
	return []fault{
		{name: "pings v1 WebSockets every 24 s", slow: true, breaks: func(r *scripted.Rules) { r.PingEveryWS = 24 * time.Second }},
		{name: "never gives up a v1 WebSocket", slow: true, breaks: func(r *scripted.Rules) { r.PingMisses = 1 << 30 }},
		{name: "waits for first bodies for ever", slow: true, breaks: func(r *scripted.Rules) { r.HelloTime = time.Hour }},
		{name: "waits for bodies for ever", slow: true, breaks: func(r *scripted.Rules) { r.StallTime = time.Hour }},
		{name: "has memory for ten first bodies of 15 MiB", breaks: func(r *scripted.Rules) {
			announced := make(chan struct{}, 10)
			r.Head = func(_ byte, n uint64) {
				if n > 10<<20 && n < 1<<40 {
					select {
					case announced <- struct{}{}:
					default:
						panic(scripted.ErrCrash)
					}
				}
			}
		}},
		{name: "ends as a whole on 1,000 members", breaks: func(r *scripted.Rules) {
			n := 0
			admitting(func(*scripted.Channel, *scripted.Member) {
				if n++; n > 1000 {
					panic(scripted.ErrCrash)
				}
			})(r)
		}},
		{name: "ends as a whole on a body of deep nesting", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				if len(body) == 8000 && slices.Contains(remarks, "nesting") {
					panic(scripted.ErrCrash)
				}
				return m, remarks
			}
		}},
		{name: "holds up a channel for a v1 WebSocket that does not read", breaks: func(r *scripted.Rules) {
			stuck := make(map[*scripted.Channel]bool)
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if onWS(to) && to.Queued() > 8<<20 {
					stuck[to.Channel] = true
				}
				if !stuck[to.Channel] {
					right(to, frames)
				}
			}
		}},
	}
}
