package v1

import (
	"net/netip"
	"strconv"

	"github.com/dchest/siphash"
)

// Key computes the key of a joining frame (spec.md, "Key"): SipHash-2-4 under the all-zero key over the
// parts, each followed by one byte 0xff. With a shared key the parts are that key, uid and channel;
// without, one of AddrSpellings (then the address key, if there is one), uid and channel.
func Key(parts ...string) uint64 {
	var stack [256]byte
	buf := stack[:0]
	for _, p := range parts {
		buf = append(buf, p...)
		buf = append(buf, 0xff)
	}
	return siphash.Hash(0, 0, buf)
}

// CID returns the connection id that belongs to key unless one is configured: its low 32 bits.
func CID(key uint64) uint32 { return uint32(key) }

// AddrSpellings returns the texts that stand for a client's address in the hash, the preferred one
// first. For IPv4, also when it comes as ::ffff:a.b.c.d, these are "a.b.c.d:port", which clients hash,
// and the mapped form that a server listening on [::] sees, "[0:0:0:0:0:ffff:aabb:ccdd]:port". For IPv6
// it is one: eight groups of lower-case hex without leading zeros and without "::". A zone is dropped.
func AddrSpellings(a netip.AddrPort) []string {
	addr, port := a.Addr().WithZone(""), a.Port()
	if !addr.IsValid() {
		return nil
	}
	mapped := groups(addr.As16(), port)
	if addr = addr.Unmap(); addr.Is4() {
		return []string{netip.AddrPortFrom(addr, port).String(), mapped}
	}
	return []string{mapped}
}

// groups spells an IPv6 address without any abbreviation.
func groups(a [16]byte, port uint16) string {
	buf := make([]byte, 0, len("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"))
	for i := 0; i < len(a); i += 2 {
		sep := byte(':')
		if i == 0 {
			sep = '['
		}
		buf = append(buf, sep)
		buf = strconv.AppendUint(buf, uint64(a[i])<<8|uint64(a[i+1]), 16)
	}
	buf = append(buf, "]:"...)
	return string(strconv.AppendUint(buf, uint64(port), 10))
}
