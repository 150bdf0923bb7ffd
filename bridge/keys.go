package bridge

import (
	"crypto/subtle"
	"encoding/binary"
	"net/netip"
	"slices"
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

// A sharedKey is a key, where it stands, and what it opens in one dialect; see [Config].
type sharedKey struct {
	secret   string
	line     int
	channels globs
	holds    bool // in the dialect
	scoped   bool // does not open everything
}

func newKeyring(conf Config) keyring {
	return keyring{
		v1:      sharedKeys("v1", conf.V1Keys, conf.V1KeyLines, conf.V1KeyScopes),
		v2:      sharedKeys("v2", conf.V2Keys, conf.V2KeyLines, conf.V2KeyScopes),
		addrKey: conf.AddrKey,
		byAddr:  conf.V1AddressKeys,
	}
}

func sharedKeys(dialect string, secrets []string, lines []int, scopes []Scope) []sharedKey {
	keys := make([]sharedKey, len(secrets))
	for i, secret := range secrets {
		keys[i] = sharedKey{secret: secret, line: i + 1, holds: true}
		if lines != nil {
			keys[i].line = lines[i]
		}
		if scopes != nil {
			keys[i].channels, keys[i].holds, keys[i].scoped = scopes[i].Channels, scopes[i].holds(dialect), !scopes[i].IsZero()
		}
	}
	return keys
}

// opens says whether a client with the key may be on channel.
func (k *sharedKey) opens(channel string) bool { return k.holds && k.channels.fit(channel) }

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

// tried is what came of holding a hash against keys: the places of the first key that
// fits and opens the channel, and of the first that fits and does not; -1: none.
type tried struct{ opens, shut int }

// try holds shown against the hash of each key. How long that takes does not tell
// whether one fits, and which: each is hashed and compared, and each key's scope is
// looked at.
func try(keys []sharedKey, shown uint64, channel string, hash func(secret string) uint64) tried {
	found := tried{-1, -1}
	for i := len(keys) - 1; i >= 0; i-- { // so that the first has the last word
		k := &keys[i]
		fits, opens := same(shown, hash(k.secret)), bit(k.opens(channel))
		found.opens = subtle.ConstantTimeSelect(fits&opens, i, found.opens)
		found.shut = subtle.ConstantTimeSelect(fits&^opens, i, found.shut)
	}
	return found
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// same compares two hashes in a time that does not depend on where they differ; 1: they
// are the same.
func same(a, b uint64) int {
	var x, y [8]byte
	binary.BigEndian.PutUint64(x[:], a)
	binary.BigEndian.PutUint64(y[:], b)
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// admitsV1 says by what a v1 client may join, or why not.
func (k *keyring) admitsV1(s shown) (Credential, *refusal) {
	found := try(k.v1, s.key, s.channel, func(secret string) uint64 { return v1.Key(secret, s.uid, s.channel) })
	byAddr := 0
	if (len(k.v1) == 0 || k.byAddr) && s.addr.IsValid() {
		for _, spelling := range v1.AddrSpellings(s.addr) {
			byAddr |= same(s.key, k.addressKey(spelling, s.uid, s.channel))
		}
	}
	switch {
	case found.opens >= 0:
		return Credential{byShared, int32(k.v1[found.opens].line)}, nil
	case byAddr == 1:
		return Credential{kind: byAddress}, nil
	case found.shut >= 0:
		return Credential{}, outOfScope(k.v1[found.shut], s.uid, s.channel)
	}
	return Credential{}, &refusal{reason: reasonKey}
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
		return v1.Key(k.v1[toSend(k.v1, channel)].secret, uid, channel)
	}
	if !addr.IsValid() {
		return v1.Key("", uid, channel)
	}
	return k.addressKey(v1.AddrSpellings(addr)[0], uid, channel)
}

// toSend is the place of the key with which a client would come to channel: the first
// that opens it. Where none does, no client comes, and it is the first of all.
func toSend(keys []sharedKey, channel string) int {
	return max(0, slices.IndexFunc(keys, func(k sharedKey) bool { return k.opens(channel) }))
}

// knownElsewhere are the keys that another server is taken to know, the first one to
// send with: those without a scope, which is this gateway's own matter. Where there
// are none, it is those that open the channel.
func knownElsewhere(keys []sharedKey, channel string) (secrets []string) {
	for _, k := range keys {
		if !k.scoped {
			secrets = append(secrets, k.secret)
		}
	}
	if len(secrets) > 0 || len(keys) == 0 {
		return secrets
	}
	for _, k := range keys {
		if k.opens(channel) {
			secrets = append(secrets, k.secret)
		}
	}
	if len(secrets) == 0 {
		secrets = []string{keys[0].secret}
	}
	return secrets
}

// admitsV2 says by what a hello's auth lets it in, or why not.
func (k *keyring) admitsV2(h v2.Hello) (Credential, *refusal) {
	wrong := &refusal{reason: v2.ReasonAuth}
	if !h.HasAuth {
		if len(k.v2) > 0 {
			return Credential{}, wrong
		}
		return Credential{}, nil
	}
	auth, err := v2.ParseAuth(h.Auth)
	if err != nil {
		return Credential{}, wrong
	}
	if len(k.v2) == 0 {
		if same(auth, v2.Auth(h.UID, h.Channel, "")) != 1 {
			return Credential{}, wrong
		}
		return Credential{}, nil
	}
	found := try(k.v2, auth, h.Channel, func(secret string) uint64 { return v2.Auth(h.UID, h.Channel, secret) })
	switch {
	case found.opens >= 0:
		return Credential{byShared, int32(k.v2[found.opens].line)}, nil
	case found.shut >= 0:
		return Credential{}, outOfScope(k.v2[found.shut], h.UID, h.Channel)
	}
	return Credential{}, wrong
}
