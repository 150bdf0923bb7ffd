package bridge

import (
	"crypto/subtle"
	"encoding/binary"
	"net/netip"
	"sync/atomic"

	"mles/v1"
	"mles/v2"
)

// keyring decides who may join; see mapping.md, "Keys".
type keyring struct {
	v1, v2  []sharedKey
	addrKey string
	byAddr  bool // v1 addresses are accepted beside shared keys
}

// A sharedKey is a key and where it stands; see [Config].
type sharedKey struct {
	secret string
	line   int
}

func newKeyring(conf Config) keyring {
	return keyring{
		v1:      sharedKeys(conf.V1Keys, conf.V1KeyLines),
		v2:      sharedKeys(conf.V2Keys, conf.V2KeyLines),
		addrKey: conf.AddrKey,
		byAddr:  conf.V1AddressKeys,
	}
}

func sharedKeys(secrets []string, lines []int) []sharedKey {
	keys := make([]sharedKey, len(secrets))
	for i, secret := range secrets {
		keys[i] = sharedKey{secret, i + 1}
		if lines != nil {
			keys[i].line = lines[i]
		}
	}
	return keys
}

// A Credential says what let a member in, without giving it away. The zero value is
// that of a member who needed none.
type Credential struct {
	kind credentialKind
	line int32
}

type credentialKind uint8

const (
	noKey credentialKind = iota
	byShared
	byAddress
)

// String is "none", "shared" or "address".
func (c Credential) String() string { return [...]string{"none", "shared", "address"}[c.kind] }

// Line is that of a shared key: see Config.V1KeyLines. 0: none.
func (c Credential) Line() int { return int(c.line) }

// A proof is a credential that changes where the file of keys does.
type proof struct{ packed atomic.Uint64 }

func (p *proof) set(c Credential) { p.packed.Store(uint64(c.kind)<<32 | uint64(uint32(c.line))) }

func (p *proof) get() Credential {
	packed := p.packed.Load()
	return Credential{credentialKind(packed >> 32), int32(uint32(packed))}
}

// found is what a key that fits lets somebody in by, unless an earlier one did.
func (c Credential) found(k sharedKey) Credential {
	if c.kind == noKey {
		return Credential{byShared, int32(k.line)}
	}
	return c
}

// same compares two hashes in a time that does not depend on where they differ.
func same(a, b uint64) bool {
	var x, y [8]byte
	binary.BigEndian.PutUint64(x[:], a)
	binary.BigEndian.PutUint64(y[:], b)
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// admitsV1 says whether key lets uid onto channel from addr, and by what.
func (k *keyring) admitsV1(key uint64, addr netip.AddrPort, uid, channel string) (by Credential, ok bool) {
	for _, shared := range k.v1 {
		if same(key, v1.Key(shared.secret, uid, channel)) {
			by = by.found(shared)
		}
	}
	if (len(k.v1) == 0 || k.byAddr) && addr.IsValid() {
		for _, spelling := range v1.AddrSpellings(addr) {
			if same(key, k.addressKey(spelling, uid, channel)) && by.kind == noKey {
				by.kind = byAddress
			}
		}
	}
	return by, by.kind != noKey
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
		return v1.Key(k.v1[0].secret, uid, channel)
	}
	if !addr.IsValid() {
		return v1.Key("", uid, channel)
	}
	return k.addressKey(v1.AddrSpellings(addr)[0], uid, channel)
}

// admitsV2 says whether a hello's auth lets it in, and by what.
func (k *keyring) admitsV2(h v2.Hello) (by Credential, ok bool) {
	if !h.HasAuth {
		return by, len(k.v2) == 0
	}
	auth, err := v2.ParseAuth(h.Auth)
	if err != nil {
		return by, false
	}
	if len(k.v2) == 0 {
		return by, same(auth, v2.Auth(h.UID, h.Channel, ""))
	}
	for _, shared := range k.v2 {
		if same(auth, v2.Auth(h.UID, h.Channel, shared.secret)) {
			by = by.found(shared)
		}
	}
	return by, by.kind != noKey
}
