package v2

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/dchest/siphash"
)

// Auth is the hash that a hello's auth member must name: SipHash-2-4 with the
// all-zero key over the bytes of uid, channel and key, one after the other
// without separators (spec.md, "Auth"). Without a shared key, key is "".
//
// Without separators ("ali", "cechan") and ("alic", "echan") have the same
// auth; that is how deployed clients compute it.
func Auth(uid, channel, key string) uint64 {
	joined := make([]byte, 0, len(uid)+len(channel)+len(key))
	joined = append(joined, uid...)
	joined = append(joined, channel...)
	joined = append(joined, key...)
	return siphash.Hash(0, 0, joined)
}

// FormatAuth writes an auth as clients send it: 16 lower-case hex digits.
func FormatAuth(a uint64) string { return fmt.Sprintf("%016x", a) }

// ParseAuth reads the auth member of a hello: hex digits of either case, with
// any number of leading zeros, also beyond 16 digits, for a number of at most
// 64 bits (spec.md, "Auth"). One leading "+" is allowed, as the reference
// allows it. Anything else is ErrAuth, which never holds s.
func ParseAuth(s string) (uint64, error) {
	digits := strings.TrimPrefix(s, "+")
	if digits == "" || digits[0] == '+' || digits[0] == '-' {
		return 0, ErrAuth
	}
	// ParseUint with an explicit base takes neither signs, "0x" nor "_".
	a, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return 0, ErrAuth
	}
	return a, nil
}
