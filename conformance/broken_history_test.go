package conformance

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mles/conformance/internal/scripted"
)

// historyFaults are about what a joiner is sent.
func historyFaults() []fault {
	type events = []*scripted.Event
	type channel = *scripted.Channel
	type member = *scripted.Member
	return []fault{
		{name: "no history", breaks: replaying(func(channel, member, events) events { return nil })},
		{name: "history reversed", breaks: replaying(func(_ channel, _ member, h events) events { slices.Reverse(h); return h })},
		{name: "one too few in history: the oldest", breaks: replaying(func(_ channel, _ member, h events) events { return h[min(1, len(h)):] })},
		{name: "one too few in history: the newest", breaks: replaying(func(_ channel, _ member, h events) events { return h[:max(0, len(h)-1)] })},
		{name: "history twice", breaks: replaying(func(_ channel, _ member, h events) events { return append(h, h...) })},
		{name: "history to the first joiner only", breaks: replaying(func(ch channel, _ member, h events) events { ch.History = nil; return h })},
		{name: "history without what the joiner sent", breaks: replaying(func(_ channel, m member, h events) events {
			return slices.DeleteFunc(h, func(e *scripted.Event) bool { return e.UID == m.UID })
		})},
		{name: "history without arrivals", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return e.Arrival })},
		{name: "history without empty arrivals", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return e.Empty() })},
		{name: "history without empty messages", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return len(e.Message) == 0 && !e.Arrival && !e.Opaque })},
		{name: "history without what does not decode", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return e.Opaque })},
		{name: "history of text only", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return isV2(e) && e.Op == OpBinary })},
		{name: "history of binary only", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return isV2(e) && e.Op == OpText })},
		{name: "history without large messages", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return len(e.Message) > 16<<10 })},
		{name: "history without what is over 1 MiB", breaks: forgetting(func(_ channel, e *scripted.Event) bool { return len(e.Message) > 1<<20 })},
		{name: "history of 64 KB", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch channel, e *scripted.Event) {
				right(ch, e)
				n := 0
				for _, e := range ch.History {
					n += len(e.Message)
				}
				for n > 64<<10 && len(ch.History) > 1 {
					n -= len(ch.History[0].Message)
					ch.History = ch.History[1:]
				}
			}
		}},
		{name: "history without repetitions", breaks: forgetting(func(ch channel, e *scripted.Event) bool {
			return slices.ContainsFunc(ch.History, func(old *scripted.Event) bool {
				return isV1(e) && bytes.Equal(old.Frame, e.Frame)
			})
		})},
		{name: "history sorted by sender", breaks: replaying(func(_ channel, _ member, h events) events {
			slices.SortStableFunc(h, func(a, b *scripted.Event) int { return strings.Compare(a.UID, b.UID) })
			return h
		})},
		{name: "history of arrivals first", breaks: replaying(func(_ channel, _ member, h events) events {
			slices.SortStableFunc(h, func(a, b *scripted.Event) int {
				switch {
				case a.Arrival == b.Arrival:
					return 0
				case a.Arrival:
					return -1
				}
				return 1
			})
			return h
		})},
		{name: "history shuffled for every second joiner", breaks: func(r *scripted.Rules) {
			n := make(map[channel]int)
			replaying(func(ch channel, _ member, h events) events {
				if n[ch]++; n[ch]%2 == 0 && len(h) > 20 {
					h[10], h[11] = h[11], h[10]
				}
				return h
			})(r)
		}},
		{name: "history of the dialect's own", breaks: replaying(func(_ channel, m member, h events) events {
			return slices.DeleteFunc(h, func(e *scripted.Event) bool { return e.From != m.Dialect })
		})},
		{name: "history of 199", breaks: func(r *scripted.Rules) { r.HistoryLimit = 199 }},
		{name: "history of 201", breaks: func(r *scripted.Rules) { r.HistoryLimit = 201 }},
		{name: "history of 5", breaks: func(r *scripted.Rules) { r.HistoryLimit = 5 }},
		{name: "history without end", breaks: func(r *scripted.Rules) { r.HistoryLimit, r.EmptyLimit = 1e9, 1e9 }},
		{name: "keeps the oldest", breaks: forgetting(func(ch channel, _ *scripted.Event) bool { return len(ch.History) >= 200 })},
		{name: "forgets a quarter when the history is full", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch channel, e *scripted.Event) {
				if len(ch.History) >= 200 {
					ch.History = slices.Clone(ch.History[50:])
				}
				right(ch, e)
			}
		}},
		{name: "forgets every hundredth", breaks: replaying(func(_ channel, _ member, h events) events {
			if len(h) > 100 {
				h = slices.Delete(h, 50, 51)
			}
			return h
		})},
		{name: "lets empty arrivals push out what was said", breaks: func(r *scripted.Rules) { r.EmptyLimit = 1 << 30 }},
		{name: "keeps one empty arrival", breaks: func(r *scripted.Rules) { r.EmptyLimit = 1 }},
		{name: "keeps empty arrivals of the same uid", breaks: func(r *scripted.Rules) {
			r.Store = func(ch channel, e *scripted.Event) {
				ch.History = append(ch.History, e)
				ch.History = ch.History[max(0, len(ch.History)-r.HistoryLimit):]
			}
		}},
		{name: "an arrival takes the place of one in the other dialect", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch channel, e *scripted.Event) {
				if e.Empty() {
					ch.History = slices.DeleteFunc(ch.History, func(old *scripted.Event) bool { return old.Empty() && old.UID == e.UID })
				}
				right(ch, e)
			}
		}},
		{name: "an arrival takes the place of one with a message", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch channel, e *scripted.Event) {
				if e.Arrival {
					ch.History = slices.DeleteFunc(ch.History, func(old *scripted.Event) bool { return old.Arrival && old.UID == e.UID && old.From == e.From })
				}
				right(ch, e)
			}
		}},
		{name: "an arrival stays where the first one of its uid stood", breaks: func(r *scripted.Rules) {
			right := r.Store
			r.Store = func(ch channel, e *scripted.Event) {
				for i, old := range ch.History {
					if e.Empty() && old.Empty() && old.UID == e.UID && old.From == e.From {
						ch.History[i] = e
						return
					}
				}
				right(ch, e)
			}
		}},
		{name: "stores messages one behind", breaks: func(r *scripted.Rules) {
			held := make(map[channel]*scripted.Event)
			right := r.Store
			r.Store = func(ch channel, e *scripted.Event) {
				if old := held[ch]; old != nil {
					right(ch, old)
				}
				held[ch] = e
			}
		}},
		{name: "re-encodes v1 frames in the history of a channel that v2 members are in", breaks: changing(func(ch channel, e *scripted.Event, to member, replay bool) {
			if isV1(e) && replay && slices.ContainsFunc(ch.Members, func(m member) bool { return m.Dialect == scripted.V2 }) {
				e.Frame = withLength(reencoded(e))
			}
		})},
		{name: "v1 frames in the history have the key of the join", breaks: func(r *scripted.Rules) {
			last := make(map[string]*scripted.Event)
			forgetting(func(ch channel, e *scripted.Event) bool {
				if isV1(e) && e.Arrival {
					last[ch.Name] = e
				} else if join := last[ch.Name]; isV1(e) && join != nil {
					stored := *e
					stored.Frame = Cat(e.Frame[:4], join.Frame[4:16], e.Frame[16:])
					ch.History = append(ch.History, &stored)
					return true
				}
				return false
			})(r)
		}},
		{name: "headers in the history are the server's", breaks: changing(func(ch channel, e *scripted.Event, _ member, replay bool) {
			if isV1(e) && replay {
				e.Frame = Cat(e.Frame[:4], make([]byte, 12), e.Frame[16:])
			}
		})},
		{name: "stores what it should not: a refused client's first frame", breaks: func(r *scripted.Rules) {
			// The hook cannot say so of a first frame that is never judged further, so
			// it lets everybody in and says nothing to them.
			right := r.KeyFits
			r.KeyFits = func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
				if !right(s, from, key, uid, channel) {
					s.Lock()
					defer s.Unlock()
					if ch := s.Channels()[channel]; ch != nil {
						r.Store(ch, &scripted.Event{From: scripted.V1, UID: uid, Message: []byte("stored"), Frame: Frame(uint32(key), key, Map3(uid, channel, "stored"))})
					}
					return false
				}
				return true
			}
		}},
		{name: "history after live", breaks: func(r *scripted.Rules) {
			r.Admit = func(ch channel, m member, first []*scripted.Event) {
				h := slices.Clone(ch.History)
				ch.Members = append(ch.Members, m)
				for _, e := range first {
					ch.Server.Publish(ch, m, e)
				}
				ch.Server.Later(200*time.Millisecond, func() {
					for _, e := range h {
						m.Send(r.Encode(ch, e, m, true)...)
					}
				})
			}
		}},
		{name: "a gap between history and live", breaks: func(r *scripted.Rules) {
			r.Admit = func(ch channel, m member, first []*scripted.Event) {
				for _, e := range r.Replay(ch, m) {
					m.Send(r.Encode(ch, e, m, true)...)
				}
				for _, e := range first {
					ch.Server.Publish(ch, m, e)
				}
				ch.Server.Later(100*time.Millisecond, func() { ch.Members = append(ch.Members, m) })
			}
		}},
		{name: "live and history overlap", breaks: func(r *scripted.Rules) {
			r.Admit = func(ch channel, m member, first []*scripted.Event) {
				before := len(ch.History)
				ch.Members = append(ch.Members, m)
				for _, e := range first {
					ch.Server.Publish(ch, m, e)
				}
				ch.Server.Later(300*time.Millisecond, func() {
					for i, e := range ch.History {
						if i != before {
							m.Send(r.Encode(ch, e, m, true)...)
						}
					}
				})
			}
		}},
		{name: "a joiner is sent its own arrival", breaks: func(r *scripted.Rules) {
			r.Admit = func(ch channel, m member, first []*scripted.Event) {
				for _, e := range first {
					ch.Server.Publish(ch, m, e)
				}
				for _, e := range r.Replay(ch, m) {
					m.Send(r.Encode(ch, e, m, true)...)
				}
				ch.Members = append(ch.Members, m)
			}
		}},
	}
}

// resyncFaults are about what a peer sends when it comes back.
func resyncFaults() []fault {
	type events = []*scripted.Event
	admitting := func(change func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events))) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Admit
			r.Admit = func(ch *scripted.Channel, m *scripted.Member, first events) { change(ch, m, first, right) }
		}
	}
	others := func(refused func(f []byte, m *scripted.Member) bool) func(r *scripted.Rules) {
		return admitting(func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events)) {
			right(ch, m, slices.DeleteFunc(first, func(e *scripted.Event) bool { return e != first[0] && refused(e.Frame, m) }))
		})
	}
	faults := []fault{
		{name: "hangs on an empty ResyncMsg", breaks: verdict(scripted.Hang, "resync empty")},
		{name: "takes no ResyncMsg", breaks: decoding(func(_ []byte, m *scripted.Msg) bool { return m.Frames == nil })},
		{name: "joins by the last frame of a ResyncMsg", breaks: func(r *scripted.Rules) {
			r.JoinBy = func(_ scripted.Frame, contained []scripted.Frame) scripted.Frame { return contained[len(contained)-1] }
		}},
		{name: "wants the outer header of a ResyncMsg to fit", breaks: func(r *scripted.Rules) {
			r.JoinBy = func(outer scripted.Frame, contained []scripted.Frame) scripted.Frame {
				contained[0].Key = outer.Key
				return contained[0]
			}
		}},
		{name: "takes the CID of a ResyncMsg's outer header", breaks: func(r *scripted.Rules) {
			r.JoinBy = func(outer scripted.Frame, contained []scripted.Frame) scripted.Frame {
				contained[0].CID = outer.CID
				return contained[0]
			}
		}},
		{name: "forwards a ResyncMsg's first frame only", breaks: admitting(func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events)) {
			right(ch, m, first[:1])
		})},
		{name: "forwards all but the first frame of a ResyncMsg", breaks: admitting(func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events)) {
			right(ch, m, first[min(1, len(first)-1):])
		})},
		{name: "forwards a ResyncMsg backwards", breaks: admitting(func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events)) {
			slices.Reverse(first)
			right(ch, m, first)
		})},
		{name: "forwards 100 frames of a ResyncMsg", breaks: admitting(func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events)) {
			right(ch, m, first[:min(100, len(first))])
		})},
		{name: "forwards 40,000 frames of a ResyncMsg", breaks: admitting(func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events)) {
			right(ch, m, first[:min(40_000, len(first))])
		})},
		{name: "forwards nothing of a ResyncMsg of one frame", breaks: decoding(func(_ []byte, m *scripted.Msg) bool { return len(m.Frames) != 1 })},
		{name: "sends a ResyncMsg's frames back", breaks: admitting(func(ch *scripted.Channel, m *scripted.Member, first events, right func(*scripted.Channel, *scripted.Member, events)) {
			right(ch, m, first)
			if len(first) > 1 {
				for _, e := range first {
					m.Send(e.Frame)
				}
			}
		})},
		{name: "holds the keys of all frames in a ResyncMsg against them", breaks: others(func(f []byte, m *scripted.Member) bool {
			return !bytes.Equal(f[8:16], Frame(0, m.Key, nil)[8:16])
		})},
		{name: "leaves out of a ResyncMsg what does not decode", breaks: others(func(f []byte, m *scripted.Member) bool {
			_, ok := ReadBody(f[16:])
			return !ok
		})},
		{name: "leaves out of a ResyncMsg what names another channel", breaks: others(func(f []byte, m *scripted.Member) bool {
			b, ok := ReadBody(f[16:])
			return ok && b.Channel != m.Channel.Name
		})},
		{name: "stores all of a ResyncMsg always", breaks: func(r *scripted.Rules) {
			r.Restore = func(ch *scripted.Channel, all events) {
				for _, e := range all {
					r.Store(ch, e)
				}
			}
		}},
		{name: "stores the first of a ResyncMsg only", breaks: func(r *scripted.Rules) {
			r.Restore = func(ch *scripted.Channel, all events) { r.Store(ch, all[0]) }
		}},
		{name: "stores nothing of a ResyncMsg", breaks: func(r *scripted.Rules) { r.Restore = func(*scripted.Channel, events) {} }},
		{name: "stores a ResyncMsg in a channel without history only", breaks: func(r *scripted.Rules) {
			right := r.Restore
			r.Restore = func(ch *scripted.Channel, all events) {
				if len(ch.History) > 0 {
					all = all[:1]
				}
				right(ch, all)
			}
		}},
		{name: "stores a ResyncMsg behind empty arrivals", breaks: func(r *scripted.Rules) {
			right := r.Restore
			r.Restore = func(ch *scripted.Channel, all events) {
				if slices.ContainsFunc(ch.History, func(e *scripted.Event) bool { return !e.Empty() }) {
					right(ch, all)
					return
				}
				for _, e := range all {
					r.Store(ch, e)
				}
			}
		}},
		{name: "a ResyncMsg replaces the history", breaks: func(r *scripted.Rules) {
			r.Restore = func(ch *scripted.Channel, all events) {
				ch.History = nil
				for _, e := range all {
					r.Store(ch, e)
				}
			}
		}},
		{name: "who joins by a ResyncMsg gets no history", breaks: replaying(func(_ *scripted.Channel, m *scripted.Member, h []*scripted.Event) []*scripted.Event {
			if len(m.First) > 1 {
				return nil
			}
			return h
		})},
		{name: "takes a later ResyncMsg apart", breaks: func(r *scripted.Rules) {
			right := r.Recipients
			r.Recipients = func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event) []*scripted.Member {
				if frames, ok := readResync(e.Frame[min(16, len(e.Frame)):]); ok && isV1(e) {
					for _, to := range right(ch, from, e) {
						to.Send(frames...)
					}
					return nil
				}
				return right(ch, from, e)
			}
		}},
		{name: "drops a later ResyncMsg", breaks: losing(func(e *scripted.Event) bool {
			_, ok := readResync(e.Frame[min(16, len(e.Frame)):])
			return ok && isV1(e)
		})},
		{name: "does not store a later ResyncMsg", breaks: forgetting(func(_ *scripted.Channel, e *scripted.Event) bool {
			_, ok := readResync(e.Frame[min(16, len(e.Frame)):])
			return ok && isV1(e)
		})},
		{name: "takes an empty ResyncMsg beside a message for a ResyncMsg", breaks: refusingBodies("\x6eresync_message\x80")},
		{name: "takes a bad ResyncMsg beside a message for a ResyncMsg", breaks: refusingBodies("\x6eresync_message\x05")},
		{name: "takes a ResyncMsg beside a message for the message", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				if b, ok := ReadBody(body); ok {
					return scripted.Msg{UID: b.UID, Channel: b.Channel, Message: []byte(b.Message)}, nil
				}
				return right(body, n)
			}
		}},
		{name: "ends as a whole on a short frame in a ResyncMsg", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				for _, f := range m.Frames {
					if len(f) < 16 {
						panic(scripted.ErrCrash)
					}
				}
				return m, remarks
			}
		}},
		{name: "joins by a ResyncMsg in a ResyncMsg", breaks: func(r *scripted.Rules) {
			r.JoinBy = func(_ scripted.Frame, contained []scripted.Frame) scripted.Frame {
				if frames, ok := readResync(contained[0].Body()); ok {
					f := frames[0]
					return scripted.Frame{Header: r.Header(f), Raw: f}
				}
				return contained[0]
			}
		}},
	}
	for _, about := range []scripted.Remark{
		"resync undecodable", "resync frame short", "resync frame cut", "resync frame long", "resync frame not M",
	} {
		faults = append(faults, fault{name: "takes a " + string(about), breaks: takes(about)})
	}
	for _, about := range []scripted.Remark{
		"resync tagged", "resync indefinite", "resync array", "resync further", "resync list indefinite", "resync list tagged",
		"resync entry indefinite", "resync entry tagged", "resync entry array", "resync frame chunks", "resync frame tagged", "resync frame array", "resync index",
	} {
		faults = append(faults, fault{name: "refuses a ResyncMsg: " + string(about), breaks: refuses(about)})
	}
	return faults
}

// refusingBodies refuses first frames whose bodies hold some bytes.
func refusingBodies(bad string) func(r *scripted.Rules) {
	return decoding(func(body []byte, _ *scripted.Msg) bool { return !bytes.Contains(body, []byte(bad)) })
}
