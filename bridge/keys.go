package bridge

import (
	"crypto/subtle"
	"encoding/binary"
	"net/netip"

	"mles/v1"
	"mles/v2"
)

// keyring decides who may join; see mapping.md, "Keys".
type keyring struct {
	v1, v2  []string
	addrKey string
	byAddr  bool // v1 addresses are accepted beside shared keys
}

// same compares two hashes in a time that does not depend on where they differ.
func same(a, b uint64) bool {
	var x, y [8]byte
	binary.BigEndian.PutUint64(x[:], a)
	binary.BigEndian.PutUint64(y[:], b)
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// admitsV1 says whether key lets uid onto channel from addr.
func (k *keyring) admitsV1(key uint64, addr netip.AddrPort, uid, channel string) bool {
	ok := false
	for _, shared := range k.v1 {
		ok = same(key, v1.Key(shared, uid, channel)) || ok
	}
	if (len(k.v1) == 0 || k.byAddr) && addr.IsValid() {
		for _, spelling := range v1.AddrSpellings(addr) {
			ok = same(key, k.addressKey(spelling, uid, channel)) || ok
		}
	}
	return ok
}

func (k *keyring) addressKey(spelling, uid, channel string) uint64 {
	if k.addrKey == "" {
		return v1.Key(spelling, uid, channel)
	}
	return v1.Key(spelling, k.addrKey, uid, channel)
}

// headerKey is the key of the v1 headers made for a member of another dialect:
// what a v1 client of the same address and name would send.
func (k *keyring) headerKey(addr netip.AddrPort, uid, channel string) uint64 {
	if len(k.v1) > 0 {
		return v1.Key(k.v1[0], uid, channel)
	}
	if !addr.IsValid() {
		return v1.Key("", uid, channel)
	}
	return k.addressKey(v1.AddrSpellings(addr)[0], uid, channel)
}

// admitsV2 says whether a hello's auth lets it in.
func (k *keyring) admitsV2(h v2.Hello) bool {
	if !h.HasAuth {
		return len(k.v2) == 0
	}
	auth, err := v2.ParseAuth(h.Auth)
	if err != nil {
		return false
	}
	if len(k.v2) == 0 {
		return same(auth, v2.Auth(h.UID, h.Channel, ""))
	}
	ok := false
	for _, shared := range k.v2 {
		ok = same(auth, v2.Auth(h.UID, h.Channel, shared)) || ok
	}
	return ok
}
