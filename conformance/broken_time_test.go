package conformance

import (
	"bytes"

	"slices"
	"sync"
	"time"

	"mles/conformance/internal/scripted"
)

// timeFaults are about how long a server waits.
func timeFaults() []fault {
	return []fault{
		{name: "waits for first frames for ever", slow: true, breaks: func(r *scripted.Rules) { r.HelloTime = time.Hour }},
		{name: "waits for first frames a second", breaks: func(r *scripted.Rules) { r.HelloTime = time.Second }},
		{name: "waits for frames for ever", slow: true, breaks: func(r *scripted.Rules) { r.StallTime = time.Hour }},
		{name: "waits for frames 300 ms", breaks: func(r *scripted.Rules) { r.StallTime = 300 * time.Millisecond }},
		{name: "any byte starts the clock of a frame anew", slow: true, breaks: func(r *scripted.Rules) { r.AnyByte = true }},
		{name: "never pings", slow: true, breaks: func(r *scripted.Rules) { r.PingEvery = time.Hour }},
		{name: "gives up after a ping", slow: true, breaks: func(r *scripted.Rules) { r.PingMisses = 1 }},
		{name: "never gives up", slow: true, breaks: func(r *scripted.Rules) { r.PingMisses = 1 << 30 }},
		{name: "cuts who says no hello", slow: true, breaks: verdict(scripted.Cut, "hello late", "message stalled")},
		{name: "pings every second", breaks: func(r *scripted.Rules) { r.PingEvery = time.Second }},
		{name: "closes who is idle for five seconds", breaks: func(r *scripted.Rules) {
			right := r.Admit
			r.Admit = func(ch *scripted.Channel, m *scripted.Member, first []*scripted.Event) {
				right(ch, m, first)
				ch.Server.Later(5*time.Second, func() { m.Conn.Net().Close() })
			}
		}},
	}
}

// loadFaults are about what a server cannot bear.
func loadFaults() []fault {
	bodies := func(bad func(body []byte) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				if bad(body) {
					panic(scripted.ErrCrash)
				}
				return right(body, n)
			}
		}
	}
	return []fault{
		{name: "ends as a whole on deep nesting", breaks: func(r *scripted.Rules) {
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				m, remarks := right(body, n)
				if len(body) > 100_000 && slices.Contains(remarks, "nesting") {
					panic(scripted.ErrCrash)
				}
				return m, remarks
			}
		}},
		{name: "ends as a whole on a count that memory has no room for", breaks: bodies(func(body []byte) bool {
			return len(body) < 30 && (bytes.Contains(body, []byte{0xbb}) || bytes.Contains(body, []byte{0x9b}) || bytes.Contains(body, []byte{0x5b}))
		})},
		{name: "closes on a later frame of deep nesting", breaks: recipients(func(_ *scripted.Channel, from *scripted.Member, e *scripted.Event, right []*scripted.Member) []*scripted.Member {
			if e.Opaque && len(e.Frame) > 100_000 {
				from.Conn.Net().Close()
			}
			return right
		})},
		{name: "ends as a whole on a hello of deep nesting", breaks: rewriting(func(s string) string {
			if len(s) > 5000 && s[0] == '[' {
				panic(scripted.ErrCrash)
			}
			return s
		})},
		{name: "never forgets a connection that did not join", breaks: func(r *scripted.Rules) {
			var mu sync.Mutex
			left := 64
			r.Ended = func(c *scripted.Conn, joined bool) {
				mu.Lock()
				defer mu.Unlock()
				if !joined {
					left--
				}
				if left <= 0 {
					panic(scripted.ErrCrash)
				}
			}
		}},
		{name: "has memory for ten frames of 16 MiB", breaks: func(r *scripted.Rules) {
			// Whoever announces one keeps its share until the end of the server.
			announced := make(chan struct{}, 10)
			take := func(n uint64) {
				if n > 10<<20 && n < 1<<40 {
					select {
					case announced <- struct{}{}:
					default:
						panic(scripted.ErrCrash)
					}
				}
			}
			right := r.Header
			r.Header = func(h []byte) scripted.Header {
				head := right(h)
				take(uint64(head.Len))
				return head
			}
			r.Head = func(_ byte, n uint64) { take(n) }
		}},
		{name: "ends as a whole on 10,000 pings", breaks: func(r *scripted.Rules) {
			var mu sync.Mutex
			n := 0
			right := r.Pong
			r.Pong = func(op byte, payload []byte) []byte {
				mu.Lock()
				defer mu.Unlock()
				if n++; n > 10_000 {
					panic(scripted.ErrCrash)
				}
				return right(op, payload)
			}
		}},
		{name: "holds up all for who does not read", breaks: func(r *scripted.Rules) {
			r.Deliver = func(to *scripted.Member, frames [][]byte) { to.SendNow(frames...) }
		}},
		{name: "holds up a channel for who does not read: drops the rest", breaks: func(r *scripted.Rules) {
			stuck := make(map[*scripted.Channel]bool)
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if to.Queued() > 8<<20 {
					stuck[to.Channel] = true
				}
				if !stuck[to.Channel] {
					right(to, frames)
				}
			}
		}},
		{name: "joins 50,000 fragments at most", breaks: func(r *scripted.Rules) {
			r.Message = func(op byte, fragments [][]byte) (byte, [][]byte) {
				return op, [][]byte{bytes.Join(fragments, nil)}[:min(1, 50_000/len(fragments))]
			}
		}},
		{name: "swaps two of 50,000", breaks: func(r *scripted.Rules) {
			n := make(map[*scripted.Member]int)
			held := make(map[*scripted.Member][][]byte)
			right := r.Deliver
			r.Deliver = func(to *scripted.Member, frames [][]byte) {
				if n[to]++; n[to] == 30_000 {
					held[to] = frames
					return
				}
				right(to, slices.Concat(frames, held[to]))
				delete(held, to)
			}
		}},
	}
}
