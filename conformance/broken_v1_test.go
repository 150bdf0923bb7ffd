package conformance

import (
	"bytes"
	"errors"
	"math/bits"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"mles/conformance/internal/scripted"
)

// v1FrameFaults are about frames: where they begin and end.
func v1FrameFaults() []fault {
	header := func(change func(h []byte, head *scripted.Header)) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Header
			r.Header = func(h []byte) scripted.Header {
				head := right(h)
				change(h, &head)
				return head
			}
		}
	}
	return []fault{
		{name: "takes any first byte", breaks: takes("frame not M")},
		{name: "compares the first byte without case", breaks: header(func(h []byte, head *scripted.Header) {
			if h[0] == 'm' {
				head.Remarks = nil
			}
		})},
		{name: "looks at seven bits of the first byte", breaks: header(func(h []byte, head *scripted.Header) {
			if h[0] == 'M'|0x80 {
				head.Remarks = nil
			}
		})},
		{name: "takes NUL for M", breaks: header(func(h []byte, head *scripted.Header) {
			if h[0] == 0 {
				head.Remarks = nil
			}
		})},
		{name: "hangs on a frame that is none", breaks: verdict(scripted.Hang, "frame not M", "frame of length 0")},
		{name: "takes a frame of length 0", breaks: func(r *scripted.Rules) {
			takes("frame of length 0")(r)
			right := r.Decode
			r.Decode = func(body []byte, n int) (scripted.Msg, []scripted.Remark) {
				if len(body) == 0 {
					return scripted.Msg{}, nil
				}
				return right(body, n)
			}
		}},
		{name: "passes on what came of a torn frame", breaks: takes("frame torn")},
		{name: "reads the length in little endian", breaks: header(func(h []byte, head *scripted.Header) {
			head.Len = int(h[3])<<16 | int(h[2])<<8 | int(h[1])
		})},
		{name: "reads two bytes of the length", breaks: header(func(_ []byte, head *scripted.Header) { head.Len &= 0xffff })},
		{name: "takes bodies of up to 1 MiB", breaks: func(r *scripted.Rules) { r.MaxBody = 1 << 20 }},
		{name: "takes bodies of one byte less than there may be", breaks: func(r *scripted.Rules) { r.MaxBody = 0xfffffe }},
		{name: "wants more than a byte of body", breaks: header(func(_ []byte, head *scripted.Header) {
			if head.Len == 1 {
				head.Remarks = append(head.Remarks, "frame of length 0")
			}
		})},
		{name: "takes one read for all that there is of a frame", breaks: func(r *scripted.Rules) { r.Impatient = true }},
		{name: "forgets what came behind a frame in its segment", breaks: func(r *scripted.Rules) {
			r.FrameRead = func(c *scripted.Conn) error {
				_, err := c.Reader().Discard(c.Reader().Buffered())
				return err
			}
		}},
		{name: "waits for one client with the lock held", breaks: func(r *scripted.Rules) { r.HoldsUp = true }},
		{name: "forgets the good frames before a bad one", breaks: func(r *scripted.Rules) {
			r.FrameRead = func(c *scripted.Conn) error {
				if next, _ := c.Reader().Peek(c.Reader().Buffered()); bytes.Contains(next, []byte("bad")) {
					return errors.New("a fault")
				}
				return nil
			}
		}},
		{name: "forgets what came with the end", breaks: func(r *scripted.Rules) { r.FrameRead = unlessGone }},
	}
}

// unlessGone is an error if nothing more comes on a connection.
func unlessGone(c *scripted.Conn) error {
	c.Net().SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := c.Reader().Peek(1)
	c.Net().SetReadDeadline(time.Time{})
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return nil
	}
	return err
}

// v1KeyFaults are about who is let in.
func v1KeyFaults() []fault {
	fits := func(also func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.KeyFits
			r.KeyFits = func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
				return right(s, from, key, uid, channel) || also(s, from, key, uid, channel)
			}
		}
	}
	alsoOf := func(parts func(key, uid, channel string) []string) func(r *scripted.Rules) {
		return fits(func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
			return s.Rules.Hash(parts(s.Key, uid, channel)...) == key
		})
	}
	hash := func(change func(right uint64, parts []string) uint64) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.Hash
			r.Hash = func(parts ...string) uint64 { return change(right(parts...), parts) }
		}
	}
	not := func(refuse func(key uint64) bool) func(r *scripted.Rules) {
		return func(r *scripted.Rules) {
			right := r.KeyFits
			r.KeyFits = func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
				return right(s, from, key, uid, channel) && !refuse(key)
			}
		}
	}
	return []fault{
		{name: "accepts any key", breaks: func(r *scripted.Rules) {
			r.KeyFits = func(*scripted.Server, netip.AddrPort, uint64, string, string) bool { return true }
		}},
		{name: "compares the low half of the key", breaks: func(r *scripted.Rules) {
			r.KeyFits = func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
				return uint32(s.Rules.Hash(s.Key, uid, channel)) == uint32(key)
			}
		}},
		{name: "compares the high half of the key", breaks: func(r *scripted.Rules) {
			r.KeyFits = func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
				return s.Rules.Hash(s.Key, uid, channel)>>32 == key>>32
			}
		}},
		{name: "lets key 0 in", breaks: fits(func(_ *scripted.Server, _ netip.AddrPort, key uint64, _, _ string) bool { return key == 0 })},
		{name: "takes the key in either endianness", breaks: fits(func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
			return s.Rules.Hash(s.Key, uid, channel) == bits.ReverseBytes64(key)
		})},
		{name: "sends and wants keys in little endian", breaks: hash(func(right uint64, _ []string) uint64 { return bits.ReverseBytes64(right) })},
		{name: "hashes with separators left out", breaks: hash(func(_ uint64, parts []string) uint64 { return SipHash([]byte(strings.Join(parts, ""))) })},
		{name: "hashes with separators between only", breaks: hash(func(_ uint64, parts []string) uint64 { return SipHash([]byte(strings.Join(parts, "\xff"))) })},
		{name: "hashes with NUL as separator", breaks: hash(func(_ uint64, parts []string) uint64 { return SipHash([]byte(strings.Join(parts, "\x00") + "\x00")) })},
		{name: "leaves one separator out: between uid and channel", breaks: hash(func(_ uint64, parts []string) uint64 {
			return KeyOf(append(slices.Clone(parts[:len(parts)-2]), parts[len(parts)-2]+parts[len(parts)-1])...)
		})},
		{name: "takes a key without separators, too", breaks: fits(func(s *scripted.Server, _ netip.AddrPort, key uint64, uid, channel string) bool {
			return SipHash([]byte(s.Key+uid+channel)) == key
		})},
		{name: "does not see where the uid ends", breaks: fits(func(s *scripted.Server, _ netip.AddrPort, key uint64, uid, channel string) bool {
			for i := range uid + channel {
				if s.Rules.Hash(s.Key, (uid + channel)[:i], (uid + channel)[i:]) == key {
					return true
				}
			}
			return false
		})},
		{name: "takes the names in either order", breaks: alsoOf(func(key, uid, channel string) []string { return []string{key, channel, uid} })},
		{name: "takes a key without the shared key", breaks: alsoOf(func(_, uid, channel string) []string { return []string{uid, channel} })},
		{name: "takes a key over the shared key alone", breaks: alsoOf(func(key, _, _ string) []string { return []string{key} })},
		{name: "takes a shared key that begins with its own", breaks: alsoOf(func(key, uid, channel string) []string { return []string{key + "x", uid, channel} })},
		{name: "takes the key of any member", breaks: alsoOf(func(key, _, channel string) []string { return []string{key, "bob", channel} })},
		{name: "takes the key of a channel that begins alike", breaks: alsoOf(func(key, uid, channel string) []string { return []string{key, uid, channel + "2"} })},
		{name: "wants the CID to be the low half of the key", breaks: func(r *scripted.Rules) {
			right := r.Header
			r.Header = func(h []byte) scripted.Header {
				head := right(h)
				if head.CID != uint32(head.Key) {
					head.Key = 0
				}
				return head
			}
		}},
		{name: "refuses CID 0", breaks: func(r *scripted.Rules) {
			right := r.Header
			r.Header = func(h []byte) scripted.Header {
				head := right(h)
				if head.CID == 0 {
					head.Key = 0
				}
				return head
			}
		}},
		{name: "refuses keys with the highest bit", scope: regexp.MustCompile("^v1/key/highest-bit$"), // others by chance
			breaks: not(func(key uint64) bool { return key>>63 == 1 })},

		{name: "spells addresses dotted only", keyless: true, breaks: func(r *scripted.Rules) {
			right := r.Spellings
			r.Spellings = func(a netip.AddrPort) []string { return right(a)[:1] }
		}},
		{name: "spells addresses in groups only", keyless: true, breaks: func(r *scripted.Rules) {
			right := r.Spellings
			r.Spellings = func(a netip.AddrPort) []string { return right(a)[1:] }
		}},
		{name: "takes any port of an address", keyless: true, breaks: fits(func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
			for port := range 0x10000 {
				if s.Rules.Hash(s.Rules.Spellings(netip.AddrPortFrom(from.Addr(), uint16(port)))[0], uid, channel) == key {
					return true
				}
			}
			return false
		})},
		{name: "takes any address of a network", keyless: true, breaks: fits(func(s *scripted.Server, from netip.AddrPort, key uint64, uid, channel string) bool {
			ip := from.Addr().Unmap().As4()
			for last := range 256 {
				ip[3] = byte(last)
				if s.Rules.Hash(s.Rules.Spellings(netip.AddrPortFrom(netip.AddrFrom4(ip), from.Port()))[0], uid, channel) == key {
					return true
				}
			}
			return false
		})},
		{name: "takes an address as it is printed, shortened", keyless: true, breaks: func(r *scripted.Rules) {
			right := r.Spellings
			r.Spellings = func(a netip.AddrPort) []string {
				return append(right(a), netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port()).String())
			}
		}},
		{name: "takes a key without an address", keyless: true, breaks: alsoOf(func(_, uid, channel string) []string { return []string{uid, channel} })},
		{name: "accepts any key, without a shared one", keyless: true, breaks: func(r *scripted.Rules) {
			r.KeyFits = func(*scripted.Server, netip.AddrPort, uint64, string, string) bool { return true }
		}},
	}
}
