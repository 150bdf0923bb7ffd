package conformance

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode/utf8"

	"mles/conformance/internal/scripted"
)

// Hooks that most faults below change, as functions from the right one to theirs.

func recipients(change func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Recipients
		r.Recipients = func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event) []*scripted.Member {
			return change(ch, from, e, right(ch, from, e))
		}
	}
}

// losing gives some events to nobody live, but stores them.
func losing(lost func(e *scripted.Event) bool) func(r *scripted.Rules) {
	return recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
		if lost(e) {
			return nil
		}
		return right
	})
}

// forgetting stores all but some.
func forgetting(forgotten func(ch *scripted.Channel, e *scripted.Event) bool) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Store
		r.Store = func(ch *scripted.Channel, e *scripted.Event) {
			if !forgotten(ch, e) {
				right(ch, e)
			}
		}
	}
}

func replaying(change func(ch *scripted.Channel, to *scripted.Member, history []*scripted.Event) []*scripted.Event) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Replay
		r.Replay = func(ch *scripted.Channel, to *scripted.Member) []*scripted.Event {
			return change(ch, to, slices.Clone(right(ch, to)))
		}
	}
}

// changing changes a copy of an event when it is written down for a member.
func changing(change func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool)) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Encode
		r.Encode = func(ch *scripted.Channel, e *scripted.Event, to *scripted.Member, replay bool) [][]byte {
			changed := *e
			change(ch, &changed, to, replay)
			return right(ch, &changed, to, replay)
		}
	}
}

// leaving also does something when a member has left.
func leaving(also func(ch *scripted.Channel, m *scripted.Member, cause error)) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		right := r.Leave
		r.Leave = func(ch *scripted.Channel, m *scripted.Member, cause error) {
			right(ch, m, cause)
			also(ch, m, cause)
		}
	}
}

// channelled gets members into another channel than they said.
func channelled(change func(name string) string) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		r.Name = func(_ scripted.Dialect, name string) string { return change(name) }
	}
}

// refusingNames refuses v1 members by their names.
func refusingNames(refused func(name string) bool) func(r *scripted.Rules) {
	return decoding(func(_ []byte, m *scripted.Msg) bool { return !refused(m.UID) && !refused(m.Channel) })
}

func isArrival(e *scripted.Event) bool { return e.Arrival }
func isV1(e *scripted.Event) bool      { return e.From == scripted.V1 }
func isV2(e *scripted.Event) bool      { return e.From == scripted.V2 }

// reencoded is a v1 frame with its body written anew.
func reencoded(e *scripted.Event) []byte {
	b, ok := ReadBody(e.Frame[16:])
	if !ok {
		return e.Frame
	}
	return Cat([]byte{'M', 0, 0, 0}, e.Frame[4:16], Map3(b.UID, b.Channel, b.Message))
}

// withLength puts the right length into a frame's header.
func withLength(frame []byte) []byte {
	n := len(frame) - 16
	copy(frame[1:], []byte{byte(n >> 16), byte(n >> 8), byte(n)})
	return frame
}

// forwardFaults are about who gets what is sent, and in what order.
func forwardFaults() []fault {
	return []fault{
		{name: "sends back to the sender", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
			return append(right, from)
		})},
		{name: "sends a join back to the joiner", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if e.Arrival {
				return append(right, from)
			}
			return right
		})},
		{name: "sends large messages back to the sender", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if len(e.Message) > 1000 {
				return append(right, from)
			}
			return right
		})},
		{name: "sends everything twice", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
			return append(right, right...)
		})},
		{name: "sends joins twice", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if e.Arrival {
				return append(right, right...)
			}
			return right
		})},
		{name: "sends to one other", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
			return right[:min(1, len(right))]
		})},
		{name: "drops what was sent before, by anybody", breaks: func(r *scripted.Rules) {
			said := make(map[*scripted.Channel]map[string]bool)
			recipients(func(ch *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				if said[ch] == nil {
					said[ch] = make(map[string]bool)
				}
				again := said[ch][string(e.Message)]
				if said[ch][string(e.Message)] = true; again && len(e.Message) > 0 {
					return nil
				}
				return right
			})(r)
		}},
		{name: "drops a frame that is like the one before", breaks: func(r *scripted.Rules) {
			last := make(map[*scripted.Member]string)
			recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				again := last[from] == string(e.Frame)+string(e.Message)
				if last[from] = string(e.Frame) + string(e.Message); again {
					return nil
				}
				return right
			})(r)
		}},
		{name: "sends to sixteen others", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
			return right[:min(16, len(right))]
		})},
		{name: "sends to four others", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
			return right[:min(4, len(right))]
		})},
		{name: "sends to those who joined before the sender", breaks: recipients(func(ch *scripted.Channel, from *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
			at := slices.Index(ch.Members, from)
			return right[:max(0, min(at, len(right)))]
		})},
		{name: "loses the join", breaks: losing(isArrival)},
		{name: "loses joins without message", breaks: losing((*scripted.Event).Empty)},
		{name: "loses joins with a message", breaks: losing(func(e *scripted.Event) bool { return e.Arrival && len(e.Message) > 0 })},
		{name: "drops empty messages", breaks: losing(func(e *scripted.Event) bool { return e.From == scripted.V2 && !e.Arrival && len(e.Message) == 0 })},
		{name: "drops later v1 frames without message", breaks: func(r *scripted.Rules) {
			recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				if e.Empty() && e.From == scripted.V1 && e != from.First[0] {
					return nil
				}
				return right
			})(r)
		}},
		{name: "drops what does not decode", breaks: losing(func(e *scripted.Event) bool { return e.Opaque })},
		{name: "closes on a later frame that does not decode", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if e.Opaque {
				from.Conn.Net().Close()
			}
			return right
		})},
		{name: "drops messages of 64 KiB and more", breaks: losing(func(e *scripted.Event) bool { return len(e.Message) >= 1<<16 })},
		{name: "drops messages of 10 MiB and more", breaks: losing(func(e *scripted.Event) bool { return len(e.Message) >= 10<<20 })},
		{name: "loses one message of a hundred", breaks: func(r *scripted.Rules) {
			n := make(map[*scripted.Member]int)
			recipients(func(_ *scripted.Channel, from *scripted.Member, _ *scripted.Event, right []*scripted.Member) []*scripted.Member {
				if n[from]++; n[from]%100 == 0 {
					return nil
				}
				return right
			})(r)
		}},
		{name: "re-encodes bodies", breaks: changing(func(_ *scripted.Channel, e *scripted.Event, _ *scripted.Member, _ bool) {
			if isV1(e) {
				e.Frame = withLength(reencoded(e))
			}
		})},
		{name: "re-encodes bodies in the history", breaks: changing(func(_ *scripted.Channel, e *scripted.Event, _ *scripted.Member, replay bool) {
			if isV1(e) && replay {
				e.Frame = withLength(reencoded(e))
			}
		})},
		{name: "makes headers of its own for v1 frames", breaks: func(r *scripted.Rules) {
			recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				if isV1(e) {
					e.Frame = Frame(uint32(from.Key), from.Key, e.Frame[16:])
				}
				return right
			})(r)
		}},
		{name: "puts the sender's CID into its frames", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV1(e) {
				e.Frame = Cat(e.Frame[:4], Frame(from.CID, 0, nil)[4:8], e.Frame[8:])
			}
			return right
		})},
		{name: "puts the sender's uid into its frames", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if b, ok := ReadBody(e.Frame[min(16, len(e.Frame)):]); ok && isV1(e) && b.UID != from.UID {
				e.Frame = withLength(Cat(e.Frame[:16], Map3(from.UID, b.Channel, b.Message)))
			}
			return right
		})},
		{name: "holds the key of later frames against them", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV1(e) && !bytes.Equal(e.Frame[8:16], Frame(0, from.Key, nil)[8:]) {
				return nil
			}
			return right
		})},
		{name: "does not send to whose CID a frame has", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			return slices.DeleteFunc(right, func(m *scripted.Member) bool {
				return isV1(e) && bytes.Equal(e.Frame[4:8], Frame(m.CID, 0, nil)[4:8])
			})
		})},
		{name: "does not send to whose uid a frame has", breaks: recipients(func(_ *scripted.Channel, _ *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			return slices.DeleteFunc(right, func(m *scripted.Member) bool { return m.UID == e.UID })
		})},
		{name: "drops later frames with a long uid", breaks: losing(func(e *scripted.Event) bool { return len(e.UID) > 1024 })},
		{name: "sends to the channel that a later frame names", breaks: recipients(func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			b, ok := ReadBody(e.Frame[min(16, len(e.Frame)):])
			other := ch.Server.Channels()[b.Channel]
			if !isV1(e) || !ok || b.Channel == ch.Name || other == nil {
				return right
			}
			return other.Members
		})},
		{name: "also sends to the channel that a later frame names", breaks: recipients(func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			b, ok := ReadBody(e.Frame[min(16, len(e.Frame)):])
			other := ch.Server.Channels()[b.Channel]
			if !isV1(e) || !ok || b.Channel == ch.Name || other == nil {
				return right
			}
			return append(right, other.Members...)
		})},
		{name: "sends to every channel", breaks: recipients(func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			for _, other := range ch.Server.Channels() {
				if other != ch {
					right = append(right, other.Members...)
				}
			}
			return right
		})},
		{name: "swaps neighbours", breaks: func(r *scripted.Rules) {
			held := make(map[*scripted.Member][][]byte)
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if held[to] == nil && !bytes.Contains(bytes.Join(frames, nil), []byte("knock-")) {
					held[to] = frames
					return
				}
				right(to, append(frames, held[to]...))
				held[to] = nil
			}
		}},
		{name: "lets short messages overtake long ones", breaks: func(r *scripted.Rules) {
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if len(bytes.Join(frames, nil)) < 1<<16 {
					right(to, frames)
					return
				}
				to.Channel.Server.Later(20*time.Millisecond, func() { right(to, frames) })
			}
		}},
		{name: "swaps two senders", breaks: func(r *scripted.Rules) {
			recipients(func(ch *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
				for _, m := range ch.Members {
					if m != from && m.Dialect == from.Dialect {
						e.UID, e.Key, e.CID = m.UID, m.Key, m.CID
						if b, ok := ReadBody(e.Frame[min(16, len(e.Frame)):]); ok && isV1(e) && len(e.Message) > 0 {
							e.Frame = Frame(m.CID, m.Key, Map3(m.UID, b.Channel, b.Message))
						}
					}
				}
				return right
			})(r)
		}},
		{name: "drops what a member does not read at once", breaks: func(r *scripted.Rules) {
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if to.Queued() < 256<<10 {
					right(to, frames)
				}
			}
		}},
		{name: "closes who does not read at once", breaks: func(r *scripted.Rules) {
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if right(to, frames); to.Queued() > 256<<10 {
					to.Conn.Net().Close()
				}
			}
		}},
		{name: "writes with the lock held", breaks: func(r *scripted.Rules) {
			r.Deliver = func(to *scripted.Member, frames [][]byte) { to.SendNow(frames...) }
		}},
	}
}

// joinFaults are about who gets in, and about leaving.
func joinFaults() []fault {
	return []fault{
		{name: "ignores CID duplicates", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				if m.Dialect == scripted.V1 {
					return nil
				}
				return right(ch, m)
			}
		}},
		{name: "CID taken from key not from header", breaks: func(r *scripted.Rules) {
			r.Taken = onMembers(func(other, m *scripted.Member) bool {
				return other.Dialect == m.Dialect && (m.Dialect == scripted.V1 && uint32(other.Key) == uint32(m.Key) || m.Dialect == scripted.V2 && other.UID == m.UID)
			})
		}},
		{name: "one member for a uid in v1", breaks: func(r *scripted.Rules) {
			r.Taken = onMembers(func(other, m *scripted.Member) bool { return other.Dialect == m.Dialect && other.UID == m.UID })
		}},
		{name: "one member for a uid whatever it speaks", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				if other := onMembers(func(other, m *scripted.Member) bool { return other.Dialect != m.Dialect && other.UID == m.UID })(ch, m); other != nil {
					return other
				}
				return right(ch, m)
			}
		}},
		{name: "one member for a CID whatever it speaks", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				if other := onMembers(func(other, m *scripted.Member) bool { return other.Dialect != m.Dialect && other.CID == m.CID })(ch, m); other != nil {
					return other
				}
				return right(ch, m)
			}
		}},
		{name: "ignores uid duplicates", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				if m.Dialect == scripted.V2 {
					return nil
				}
				return right(ch, m)
			}
		}},
		{name: "compares uids without case", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				if other := onMembers(func(other, m *scripted.Member) bool {
					return m.Dialect == scripted.V2 && other.Dialect == scripted.V2 && strings.EqualFold(other.UID, m.UID)
				})(ch, m); other != nil {
					return other
				}
				return right(ch, m)
			}
		}},
		{name: "one member for a CID or uid on all channels", breaks: func(r *scripted.Rules) {
			right := r.Taken
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				for _, other := range ch.Server.Channels() {
					if holder := right(other, m); holder != nil {
						return holder
					}
				}
				return nil
			}
			r.Lives = func(*scripted.Member) bool { return true }
		}},
		{name: "closes the first when a second comes", breaks: func(r *scripted.Rules) {
			r.Yields = func(holder, _ *scripted.Member) *scripted.Member { return holder }
		}},
		{name: "closes both when a second comes", breaks: func(r *scripted.Rules) {
			r.Yields = func(holder, second *scripted.Member) *scripted.Member {
				holder.Conn.Net().Close()
				return second
			}
		}},
		{name: "a refused second frees the CID", breaks: func(r *scripted.Rules) {
			r.Yields = func(holder, second *scripted.Member) *scripted.Member {
				holder.CID++
				return second
			}
		}},
		{name: "a wrong key takes the CID", breaks: func(r *scripted.Rules) {
			var last atomic.Uint32
			var mu sync.Mutex
			taken := make(map[uint32]bool)
			header, fits, holder := r.Header, r.KeyFits, r.Taken
			r.Header = func(h []byte) scripted.Header {
				head := header(h)
				last.Store(head.CID)
				return head
			}
			r.KeyFits = func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
				ok := fits(s, from, key, uid, channel)
				mu.Lock()
				defer mu.Unlock()
				if !ok {
					taken[last.Load()] = true
				}
				return ok
			}
			r.Taken = func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
				mu.Lock()
				defer mu.Unlock()
				if m.Dialect == scripted.V1 && taken[m.CID] && len(ch.Members) > 0 {
					return ch.Members[0]
				}
				return holder(ch, m)
			}
		}},
		{name: "whoever joins another channel leaves the first", breaks: func(r *scripted.Rules) {
			right := r.Admit
			r.Admit = func(ch *scripted.Channel, m *scripted.Member, first []*scripted.Event) {
				for _, other := range ch.Server.Channels() {
					if other != ch {
						other.Members = slices.DeleteFunc(other.Members, func(o *scripted.Member) bool { return o.UID == m.UID && o.Dialect == m.Dialect })
					}
				}
				right(ch, m, first)
			}
		}},
		{name: "takes a pong only for an answer", breaks: func(r *scripted.Rules) {
			r.Hears = func(op byte) bool { return op == OpPong }
		}},
		{name: "asks the holder before it looks at the auth", breaks: beforeAuth(func(s *scripted.Server, holder *scripted.Member) {
			if !s.Rules.Lives(holder) {
				holder.Conn.Net().Close()
			}
		})},
		{name: "closes the holder before it looks at the auth", breaks: beforeAuth(func(_ *scripted.Server, holder *scripted.Member) {
			holder.Conn.Net().Close()
		})},
		{name: "takes every holder for dead", breaks: func(r *scripted.Rules) { r.Lives = func(*scripted.Member) bool { return false } }},
		{name: "takes every holder for alive", breaks: func(r *scripted.Rules) { r.Lives = func(*scripted.Member) bool { return true } }},
		{name: "stores the join of who is refused", breaks: func(r *scripted.Rules) {
			r.Yields = func(_, second *scripted.Member) *scripted.Member {
				r.Store(second.Channel, second.First[0])
				return second
			}
		}},
		{name: "sends the join of who is refused", breaks: func(r *scripted.Rules) {
			r.Yields = func(holder, second *scripted.Member) *scripted.Member {
				for _, to := range second.Channel.Members {
					to.Send(r.Encode(second.Channel, second.First[0], to, false)...)
				}
				return second
			}
		}},
		{name: "the CID of a later frame counts", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if isV1(e) {
				from.CID = uint32(e.Frame[4])<<24 | uint32(e.Frame[5])<<16 | uint32(e.Frame[6])<<8 | uint32(e.Frame[7])
			}
			return right
		})},
		{name: "never frees a CID or uid", breaks: func(r *scripted.Rules) { r.Leave = stays(func(error) bool { return true }) }},
		{name: "frees a CID or uid by an orderly end only", breaks: func(r *scripted.Rules) {
			r.Leave = stays(func(cause error) bool {
				var ended net.Error
				return cause != nil && cause != io.EOF && (errors.As(cause, &ended) || errors.Is(cause, syscall.ECONNRESET))
			})
		}},
		{name: "frees a uid by a close frame only", breaks: func(r *scripted.Rules) {
			r.Leave = stays(func(cause error) bool { return cause == io.EOF })
		}},
		{name: "tells when a member leaves", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, _ error) {
			ch.Server.Publish(ch, m, gone(ch, m))
		})},
		{name: "tells those present when a member leaves", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, _ error) {
			for _, to := range ch.Members {
				to.Send(ch.Server.Rules.Encode(ch, gone(ch, m), to, true)...)
			}
		})},
		{name: "stores when a member leaves", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, _ error) {
			ch.Server.Rules.Store(ch, gone(ch, m))
		})},
		{name: "closes all of a channel when a member's connection breaks", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, cause error) {
			if cause != io.EOF {
				for _, other := range ch.Members {
					other.Conn.Net().Close()
				}
			}
		})},
		{name: "does not close when a client ends its sending side", breaks: func(r *scripted.Rules) { r.Lingers = true }},
		{name: "answers a join", breaks: func(r *scripted.Rules) {
			right := r.Admit
			r.Admit = func(ch *scripted.Channel, m *scripted.Member, first []*scripted.Event) {
				right(ch, m, first)
				m.Send(r.Encode(ch, first[0], m, true)...)
			}
		}},
		{name: "forgets a channel when the last has left", breaks: leaving(func(ch *scripted.Channel, m *scripted.Member, _ error) {
			if len(ch.Members) == 0 {
				ch.History = nil
			}
		})},
	}
}

// onMembers looks for a member that fits.
func onMembers(fits func(other, m *scripted.Member) bool) func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
	return func(ch *scripted.Channel, m *scripted.Member) *scripted.Member {
		for _, other := range ch.Members {
			if fits(other, m) {
				return other
			}
		}
		return nil
	}
}

// stays leaves a ghost of who left by such a cause, which holds its place.
func stays(ghost func(cause error) bool) func(ch *scripted.Channel, m *scripted.Member, cause error) {
	return func(ch *scripted.Channel, m *scripted.Member, cause error) {
		if !ghost(cause) {
			ch.Members = slices.DeleteFunc(ch.Members, func(other *scripted.Member) bool { return other == m })
		}
	}
}

// gone is an event that says that a member has left.
func gone(ch *scripted.Channel, m *scripted.Member) *scripted.Event {
	return &scripted.Event{From: m.Dialect, UID: m.UID, Message: []byte("gone"), Op: OpText, Key: m.Key, CID: m.CID, Frame: Frame(m.CID, m.Key, Map3(m.UID, ch.Name, "gone"))}
}

// nameFaults are about what is one name.
func nameFaults() []fault {
	return []fault{
		{name: "has one channel for all", breaks: channelled(func(string) string { return "" })},
		{name: "lowers the case of channels", breaks: channelled(strings.ToLower)},
		{name: "trims channels", breaks: channelled(strings.TrimSpace)},
		{name: "ends channels at NUL", breaks: channelled(func(s string) string { name, _, _ := strings.Cut(s, "\x00"); return name })},
		{name: "composes channels", breaks: channelled(func(s string) string { return strings.ReplaceAll(s, "e\u0301", "é") })},
		{name: "looks at 18 bytes of a channel", breaks: channelled(func(s string) string { return s[:min(18, len(s))] })},
		{name: "looks at 1,000 bytes of a channel", breaks: channelled(func(s string) string { return s[:min(1000, len(s))] })},
		{name: "takes ASCII names only", breaks: refusingNames(func(s string) bool { return strings.IndexFunc(s, func(c rune) bool { return c > 0x7f }) >= 0 })},
		{name: "refuses control characters in names", breaks: refusingNames(func(s string) bool { return strings.ContainsFunc(s, func(c rune) bool { return c < ' ' }) })},
		{name: "refuses NUL in names", breaks: refusingNames(func(s string) bool { return strings.Contains(s, "\x00") })},
		{name: "refuses quotes in names", breaks: refusingNames(func(s string) bool { return strings.ContainsAny(s, `"\`) })},
		{name: "refuses an empty uid", breaks: decoding(func(_ []byte, m *scripted.Msg) bool { return m.Frames != nil || m.UID != "" })},
		{name: "refuses an empty channel", breaks: decoding(func(_ []byte, m *scripted.Msg) bool { return m.Frames != nil || m.Channel != "" })},
		{name: "takes names of 1,023 bytes", breaks: func(r *scripted.Rules) { r.MaxName = 1023 }},
		{name: "takes names of 255 bytes", breaks: func(r *scripted.Rules) { r.MaxName = 255 }},
		{name: "takes names of 1,025 bytes and more", breaks: func(r *scripted.Rules) { r.MaxName = 1 << 20 }},
		{name: "counts characters of names", breaks: func(r *scripted.Rules) {
			r.MaxName = 1 << 20
			refusingNames(func(s string) bool { return utf8.RuneCountInString(s) > 1024 })(r)
		}},
		{name: "cuts long names", breaks: func(r *scripted.Rules) {
			r.Verdicts["name too long"] = scripted.Ignore
		}},
	}
}

// beforeAuth has a v2 hello, right or wrong, do something to who holds its uid.
func beforeAuth(to func(s *scripted.Server, holder *scripted.Member)) func(r *scripted.Rules) {
	return func(r *scripted.Rules) {
		r.AuthFits = wrappingAuth(r.AuthFits, func(s *scripted.Server, h scripted.Hello, fits bool) bool {
			s.Lock()
			var holders []*scripted.Member
			if ch := s.Channels()[h.Channel]; ch != nil {
				for _, m := range ch.Members {
					if m.UID == h.UID && m.Dialect == scripted.V2 {
						holders = append(holders, m)
					}
				}
			}
			s.Unlock()
			for _, m := range holders {
				to(s, m)
			}
			return fits
		})
	}
}
