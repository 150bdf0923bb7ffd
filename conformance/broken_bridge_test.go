package conformance

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"mles/conformance/internal/scripted"
)

// bridgeFaults are about what one dialect gets of the other.
func bridgeFaults() []fault {
	type channel = *scripted.Channel
	type event = *scripted.Event
	type member = *scripted.Member
	// toV2 and toV1 change what a member gets of the other dialect.
	encoding := func(to, from scripted.Dialect, change func(ch channel, e event, replay bool, right [][]byte) [][]byte) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch channel, e event, m member, replay bool) [][]byte {
				frames := right(ch, e, m, replay)
				if m.Dialect != to || e.From != from {
					return frames
				}
				return change(ch, e, replay, frames)
			}
		}
	}
	toV2 := func(change func(ch channel, e event, replay bool, right [][]byte) [][]byte) func(r *scripted.Rules) {
		return encoding(scripted.V2, scripted.V1, change)
	}
	toV1 := func(change func(ch channel, e event, replay bool, right [][]byte) [][]byte) func(r *scripted.Rules) {
		return encoding(scripted.V1, scripted.V2, change)
	}
	knocks := func(e event) bool { return bytes.Contains(e.Message, []byte("knock-")) }
	binary := func(b []byte) []byte { return UnmaskedFrame(Fin|OpBinary, string(b)) }
	made := func(change func(ch channel, e event) (cid uint32, key uint64, body []byte)) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			r.Made = func(ch channel, e event) []byte {
				cid, key, body := change(ch, e)
				return Frame(cid, key, body)
			}
		}
	}
	across := func(delay func(ch channel, e event) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Recipients
			r.Recipients = func(ch channel, from member, e event) []member {
				all := right(ch, from, e)
				if !delay(ch, e) {
					return all
				}
				var now []member
				for _, to := range all {
					if to.Dialect == e.From {
						now = append(now, to)
						continue
					}
					ch.Server.Later(150*time.Millisecond, func() { r.Deliver(to, r.Encode(ch, e, to, false)) })
				}
				return now
			}
		}
	}
	live := func(which func(e event) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch channel, e event, to member, replay bool) [][]byte {
				frames := right(ch, e, to, replay)
				if e.Arrival && !e.Opaque && to.Dialect == scripted.V2 && !replay && which(e) {
					frames = append([][]byte{r.WSFrame(Fin|OpText, r.Notice(ch, e))}, frames...)
				}
				return frames
			}
		}
	}
	return []fault{
		// v1 to v2
		{name: "v1 messages are nothing on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if !e.Arrival && !knocks(e) {
				return nil
			}
			return right
		})},
		{name: "v1 messages are text on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if !e.Arrival && !e.Opaque {
				return [][]byte{UnmaskedFrame(Fin|OpText, string(e.Message))}
			}
			return right
		})},
		{name: "v1 messages that read like a notice are text on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if _, ok := ReadNotice(string(e.Message)); ok {
				return [][]byte{UnmaskedFrame(Fin|OpText, string(e.Message))}
			}
			return right
		})},
		{name: "v1 messages are frames on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if !e.Arrival && !e.Opaque {
				return [][]byte{binary(e.Frame)}
			}
			return right
		})},
		{name: "v1 messages are bodies on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if !e.Arrival && !e.Opaque {
				return [][]byte{binary(e.Frame[16:])}
			}
			return right
		})},
		{name: "v1 messages end at NUL on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if !e.Arrival && !e.Opaque {
				before, _, _ := bytes.Cut(e.Message, []byte{0})
				return [][]byte{binary(before)}
			}
			return right
		})},
		{name: "v1 messages not canonical are nothing on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if !bytes.HasPrefix(e.Frame[16:], []byte("\xa3\x63uid")) || bytes.Contains(e.Frame, []byte("\x67message\x5a\x00\x00")) || bytes.Contains(e.Frame, []byte("\x67message\x5f")) || bytes.Contains(e.Frame, []byte("\x67message\x62")) || bytes.Contains(e.Frame, []byte("\x67message\x82")) {
				return nil
			}
			return right
		})},
		{name: "v1 messages of 10 MiB and more are nothing on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if len(e.Message) > 10<<20 {
				return nil
			}
			return right
		})},
		{name: "what does not decode is a message on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Opaque {
				return [][]byte{binary(e.Frame[16:])}
			}
			return right
		})},
		{name: "what does not decode is an empty message on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Opaque {
				return [][]byte{binary(nil)}
			}
			return right
		})},
		{name: "what does not decode is an arrival on v2", breaks: toV2(func(ch channel, e event, replay bool, right [][]byte) [][]byte {
			if e.Opaque && replay {
				return [][]byte{UnmaskedFrame(Fin|OpText, HelloText("", ch.Name, ""))}
			}
			return right
		})},
		{name: "who sends what does not decode is nobody on v2 from then on", breaks: func(r *scripted.Rules) {
			bad := make(map[string]bool)
			toV2(func(ch channel, e event, _ bool, right [][]byte) [][]byte {
				if bad[ch.Name] = bad[ch.Name] || e.Opaque; bad[ch.Name] {
					return nil
				}
				return right
			})(r)
		}},
		{name: "a long uid in a later frame is a message on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if len(e.UID) > 1024 {
				return [][]byte{binary(e.Message)}
			}
			return right
		})},
		{name: "a later ResyncMsg is messages on v2", breaks: toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if frames, ok := readResync(e.Frame[16:]); ok {
				for _, f := range frames {
					b, _ := ReadBody(f[16:])
					right = append(right, binary([]byte(b.Message)))
				}
			}
			return right
		})},
		{name: "a v1 join with a message is no message on v2", breaks: toV2(func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			if e.Arrival && len(e.Message) > 0 && !knocks(e) {
				return right[:len(right)-1]
			}
			return right
		})},
		{name: "a v1 join with a message is no notice on v2", breaks: toV2(func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			if e.Arrival && len(e.Message) > 0 {
				return right[len(right)-1:]
			}
			return right
		})},
		{name: "a v1 join with a message: message before notice", breaks: toV2(func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			slices.Reverse(right)
			return right
		})},
		{name: "a v1 join is an empty message on v2, too", breaks: toV2(func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			if e.Empty() {
				return append(right, binary(nil))
			}
			return right
		})},
		{name: "a v1 join with a message is a notice live", breaks: live(func(e event) bool { return isV1(e) && len(e.Message) > 0 })},
		{name: "v1 joins are notices live, v2 joins not", breaks: live(isV1)},
		{name: "v2 joins are notices live, v1 joins not", breaks: live(isV2)},
		{name: "notices live, also to who arrives", breaks: func(r *scripted.Rules) {
			live(func(event) bool { return true })(r)
			right := r.Admit
			r.Admit = func(ch channel, m member, first []event) {
				right(ch, m, first)
				if m.Dialect == scripted.V2 {
					m.Send(r.WSFrame(Fin|OpText, r.Notice(ch, first[0])))
				}
			}
		}},
		{name: "a later empty v1 message is an empty message on v2", breaks: func(r *scripted.Rules) {
			r.Recipients = laterEmpty(r.Recipients, func(e event, from member) { e.Arrival, e.Op = false, OpBinary })
			toV2(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
				if isV1(e) && !e.Arrival && !e.Opaque && len(e.Message) == 0 {
					return [][]byte{binary(nil)}
				}
				return right
			})(r)
		}},
		{name: "a later empty v1 message is nothing on v2", breaks: func(r *scripted.Rules) {
			r.Recipients = laterEmpty(r.Recipients, func(e event, from member) { e.Arrival = false })
		}},
		{name: "a later empty v1 message is a notice of its sender", breaks: func(r *scripted.Rules) {
			r.Recipients = laterEmpty(r.Recipients, func(e event, from member) { e.UID = from.UID })
		}},
		{name: "a notice names the channel of the frame", breaks: func(r *scripted.Rules) {
			right := r.Notice
			r.Notice = func(ch channel, e event) []byte {
				if b, ok := ReadBody(e.Frame[min(16, len(e.Frame)):]); ok {
					return []byte(HelloText(e.UID, b.Channel, ""))
				}
				return right(ch, e)
			}
		}},
		{name: "notices of v1 members with their CID", breaks: func(r *scripted.Rules) {
			right := r.Notice
			r.Notice = func(ch channel, e event) []byte {
				if isV1(e) {
					return fmt.Appendf(nil, `{"uid":%s,"channel":%s,"cid":%d}`, quote(e.UID), quote(ch.Name), e.Frame[4])
				}
				return right(ch, e)
			}
		}},
		{name: "no notice of who has an empty uid", breaks: toV2(func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			if e.Empty() && e.UID == "" {
				return nil
			}
			return right
		})},
		{name: "notices with names cut at 255 bytes", breaks: func(r *scripted.Rules) {
			right := r.Notice
			r.Notice = func(ch channel, e event) []byte {
				cut := *e
				cut.UID = cut.UID[:min(255, len(cut.UID))]
				return right(ch, &cut)
			}
		}},
		{name: "a message of another uid is not for v2", breaks: func(r *scripted.Rules) {
			right := r.Recipients
			r.Recipients = func(ch channel, from member, e event) []member {
				return slices.DeleteFunc(right(ch, from, e), func(to member) bool { return isV1(e) && to.Dialect == scripted.V2 && e.UID != from.UID })
			}
		}},
		{name: "a message for another channel is not for v2", breaks: toV2(func(ch channel, e event, _ bool, right [][]byte) [][]byte {
			if b, ok := ReadBody(e.Frame[16:]); ok && b.Channel != ch.Name {
				return nil
			}
			return right
		})},
		{name: "a message under another header is not for v2", breaks: func(r *scripted.Rules) {
			right := r.Recipients
			r.Recipients = func(ch channel, from member, e event) []member {
				return slices.DeleteFunc(right(ch, from, e), func(to member) bool {
					return isV1(e) && to.Dialect == scripted.V2 && !bytes.Equal(e.Frame[8:16], Frame(0, from.Key, nil)[8:16])
				})
			}
		}},
		// v2 to v1
		{name: "v2 joins are nothing on v1", breaks: toV1(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Arrival {
				return nil
			}
			return right
		})},
		{name: "v2 joins are nothing on v1 from the history", breaks: toV1(func(_ channel, e event, replay bool, right [][]byte) [][]byte {
			if e.Arrival && replay {
				return nil
			}
			return right
		})},
		{name: "v2 joins are notices on v1", breaks: toV1(func(ch channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Arrival {
				return [][]byte{Frame(e.CID, e.Key, Map3(e.UID, ch.Name, HelloText(e.UID, ch.Name, "")))}
			}
			return right
		})},
		{name: "v2 text is nothing on v1", breaks: toV1(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Op == OpText {
				return nil
			}
			return right
		})},
		{name: "v2 binary is nothing on v1", breaks: toV1(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if e.Op == OpBinary && !knocks(e) {
				return nil
			}
			return right
		})},
		{name: "empty v2 messages are nothing on v1", breaks: toV1(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if !e.Arrival && len(e.Message) == 0 {
				return nil
			}
			return right
		})},
		{name: "a v2 payload that is a v1 frame goes to v1 as it is", breaks: toV1(func(_ channel, e event, _ bool, right [][]byte) [][]byte {
			if bytes.HasPrefix(e.Message, []byte("M\x00")) {
				return [][]byte{e.Message}
			}
			return right
		})},
		{name: "a v2 hello sent again is a join on v1", breaks: toV1(func(ch channel, e event, _ bool, right [][]byte) [][]byte {
			if _, ok := ReadNotice(string(e.Message)); ok && !e.Arrival {
				return [][]byte{Frame(e.CID, e.Key, Map3(e.UID, ch.Name, ""))}
			}
			return right
		})},
		{name: "v2 text is text in a made frame", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			body := Map3(e.UID, ch.Name, string(e.Message))
			if e.Op == OpText {
				body = Cat(body[:len(body)-len(Bytes(string(e.Message)))], Text(string(e.Message)))
			}
			return e.CID, e.Key, body
		})},
		{name: "wrong channel in made frames", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return e.CID, e.Key, Map3(e.UID, "", string(e.Message))
		})},
		{name: "wrong uid in made frames", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return e.CID, e.Key, Map3("v2", ch.Name, string(e.Message))
		})},
		{name: "made bodies are arrays", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return e.CID, e.Key, Cat([]byte{0x83}, Text(e.UID), Text(ch.Name), Bytes(string(e.Message)))
		})},
		{name: "made bodies with their names sorted", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return e.CID, e.Key, Cat([]byte{0xa3}, []byte("\x67channel"), Text(ch.Name), []byte("\x67message"), Bytes(string(e.Message)), []byte("\x63uid"), Text(e.UID))
		})},
		{name: "made bodies of indefinite length", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return e.CID, e.Key, Cat([]byte{0xbf}, Map3(e.UID, ch.Name, string(e.Message))[1:], []byte{0xff})
		})},
		{name: "made bodies with lengths in four bytes", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			n := len(e.Message)
			return e.CID, e.Key, Cat(Map3(e.UID, ch.Name, "")[:len(Map3(e.UID, ch.Name, ""))-1], []byte{0x5a, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, e.Message)
		})},
		{name: "made bodies with lengths of 24 to 255 in two bytes", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			body, n := Map3(e.UID, ch.Name, string(e.Message)), len(e.Message)
			if n >= 24 && n < 256 {
				body = Cat(Map3(e.UID, ch.Name, "")[:len(Map3(e.UID, ch.Name, ""))-1], []byte{0x59, 0, byte(n)}, e.Message)
			}
			return e.CID, e.Key, body
		})},
		{name: "no key in made headers", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return 0, 0, Map3(e.UID, ch.Name, string(e.Message))
		})},
		{name: "no CID in made headers", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return 0, e.Key, Map3(e.UID, ch.Name, string(e.Message))
		})},
		{name: "the high half of the key is the CID in made headers", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return uint32(e.Key >> 32), e.Key, Map3(e.UID, ch.Name, string(e.Message))
		})},
		{name: "the auth for the key in made headers", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			key := SipHash([]byte(e.UID + ch.Name + ch.Server.Key))
			return uint32(key), key, Map3(e.UID, ch.Name, string(e.Message))
		})},
		{name: "the same key in all made headers of a channel", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			key := KeyOf(ch.Server.Key, "gateway", ch.Name)
			return uint32(key), key, Map3(e.UID, ch.Name, string(e.Message))
		})},
		{name: "a sequence number in the key of made headers", breaks: func(r *scripted.Rules) {
			n := uint64(0)
			made(func(ch channel, e event) (uint32, uint64, []byte) {
				n++
				return e.CID, e.Key + n, Map3(e.UID, ch.Name, string(e.Message))
			})(r)
		}},
		{name: "another key in made headers from the history", breaks: toV1(func(ch channel, e event, replay bool, right [][]byte) [][]byte {
			if replay {
				return [][]byte{Frame(uint32(e.Key)+1, e.Key+1, right[0][16:])}
			}
			return right
		})},
		{name: "the address in groups in made headers", keyless: true, breaks: func(r *scripted.Rules) {
			right := r.Spellings
			r.Spellings = func(a netip.AddrPort) []string { s := right(a); slices.Reverse(s); return s }
		}},
		{name: "the address without port in made headers", keyless: true, breaks: func(r *scripted.Rules) {
			right := r.Spellings
			r.Spellings = func(a netip.AddrPort) []string {
				s := right(a)
				host, _, _ := strings.Cut(s[0], ":")
				return append([]string{host}, s...)
			}
		}},
		{name: "escapes of a hello stand in made frames", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			uid := []byte(fmt.Sprintf("%+q", e.UID))
			return e.CID, e.Key, Map3(string(uid[1:len(uid)-1]), ch.Name, string(e.Message))
		})},
		{name: "names in made frames are cut at 255 bytes", breaks: made(func(ch channel, e event) (uint32, uint64, []byte) {
			return e.CID, e.Key, Map3(e.UID[:min(255, len(e.UID))], ch.Name, string(e.Message))
		})},
		{name: "names do not count for the size of a v2 message", breaks: func(r *scripted.Rules) {
			right := r.MaxMessage
			r.MaxMessage = func(_, _ string) int { return right("alice", "conf-0123456789abx") }
		}},
		// both
		{name: "composes channels of v2", breaks: func(r *scripted.Rules) {
			r.Name = func(d scripted.Dialect, s string) string {
				if d == scripted.V2 {
					s = strings.ReplaceAll(s, "e\u0301", "é")
				}
				return s
			}
		}},
		{name: "a channel is another one in each dialect", breaks: func(r *scripted.Rules) {
			r.Name = func(d scripted.Dialect, s string) string {
				if d == scripted.V2 {
					s = "v2 " + s
				}
				return s
			}
			r.Made = func(ch channel, e event) []byte {
				return Frame(e.CID, e.Key, Map3(e.UID, ch.Name[3:], string(e.Message)))
			}
			r.Notice = func(ch channel, e event) []byte {
				return []byte(HelloText(e.UID, strings.TrimPrefix(ch.Name, "v2 "), ""))
			}
		}},
		{name: "late across dialects", breaks: across(func(channel, event) bool { return true })},
		{name: "long messages late across dialects", breaks: across(func(_ channel, e event) bool { return len(e.Message) > 100_000 })},
		{name: "v1 messages late on v2", breaks: across(func(_ channel, e event) bool { return isV1(e) })},
		{name: "one in fifty is lost across dialects", breaks: func(r *scripted.Rules) {
			n := make(map[channel]int)
			recipients(func(ch channel, from member, e event, right []member) []member {
				if n[ch]++; n[ch]%50 != 0 {
					return right
				}
				return slices.DeleteFunc(right, func(m member) bool { return m.Dialect != from.Dialect })
			})(r)
		}},
		{name: "sends to one other of each dialect", breaks: recipients(func(_ channel, _ member, _ event, right []member) []member {
			var one []member
			for _, m := range right {
				if !slices.ContainsFunc(one, func(o member) bool { return o.Dialect == m.Dialect }) {
					one = append(one, m)
				}
			}
			return one
		})},
		{name: "sends back to the sender in the other dialect's way: to all of its uid", breaks: recipients(func(_ channel, from member, _ event, right []member) []member {
			return slices.DeleteFunc(right, func(m member) bool { return m.UID == from.UID })
		})},
		{name: "a limit for each dialect", breaks: func(r *scripted.Rules) {
			r.HistoryLimit, r.EmptyLimit = 400, 200
			right := r.Replay
			r.Replay = func(ch channel, to member) []event {
				all := slices.Clone(right(ch, to))
				for _, d := range []scripted.Dialect{scripted.V1, scripted.V2} {
					n := 0
					for i := len(all) - 1; i >= 0; i-- {
						if all[i].From == d {
							if n++; n > 200 {
								all = slices.Delete(all, i, i+1)
							}
						}
					}
				}
				return all
			}
		}},
		{name: "history of one dialect behind the other", breaks: replaying(func(_ channel, to member, h []event) []event {
			slices.SortStableFunc(h, func(a, b event) int { return int(a.From - b.From) })
			return h
		})},
		{name: "history of one dialect behind the other for v1 only", breaks: replaying(func(_ channel, to member, h []event) []event {
			if to.Dialect == scripted.V1 {
				slices.SortStableFunc(h, func(a, b event) int { return int(a.From - b.From) })
			}
			return h
		})},
		{name: "an empty v2 message is an arrival", breaks: recipients(func(_ channel, _ member, e event, right []member) []member {
			if isV2(e) && len(e.Message) == 0 {
				e.Arrival = true
			}
			return right
		})},
		{name: "a ResyncMsg looks for messages of v1 only in the history", breaks: func(r *scripted.Rules) {
			right := r.Restore
			r.Restore = func(ch channel, all []event) {
				if slices.ContainsFunc(ch.History, func(e event) bool { return isV1(e) && !e.Empty() }) {
					right(ch, all)
					return
				}
				old := ch.History
				ch.History = nil
				for _, e := range append(slices.Clone(all), old...) {
					r.Store(ch, e)
				}
			}
		}},
		{name: "a ResyncMsg looks for joins of v1 only in the history", breaks: func(r *scripted.Rules) {
			right := r.Restore
			r.Restore = func(ch channel, all []event) {
				if slices.ContainsFunc(ch.History, isV2) {
					all = all[:1]
				}
				right(ch, all)
			}
		}},
		{name: "a ResyncMsg is its first frame on v2", breaks: func(r *scripted.Rules) {
			right := r.Encode
			r.Encode = func(ch channel, e event, to member, replay bool) [][]byte {
				for _, m := range ch.Members {
					if to.Dialect == scripted.V2 && !replay && len(m.First) > 1 && slices.Index(m.First, e) > 0 {
						return nil
					}
				}
				return right(ch, e, to, replay)
			}
		}},
	}
}

// laterEmpty changes empty v1 messages that are not first frames.
func laterEmpty(right func(*scripted.Channel, *scripted.Member, *scripted.Event) []*scripted.Member, change func(e *scripted.Event, from *scripted.Member)) func(*scripted.Channel, *scripted.Member, *scripted.Event) []*scripted.Member {
	return func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event) []*scripted.Member {
		if isV1(e) && e.Empty() && !slices.Contains(from.First, e) {
			change(e, from)
		}
		return right(ch, from, e)
	}
}
