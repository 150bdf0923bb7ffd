//go:build interop

package interop

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/dchest/siphash"
)

// v1Key hashes parts as v1 does: SipHash-2-4 with a zero key, each part followed by 0xff.
func v1Key(parts ...string) uint64 {
	var all []byte
	for _, p := range parts {
		all = append(append(all, p...), 0xff)
	}
	return siphash.Hash(0, 0, all)
}

// v1Body is the canonical CBOR of a message.
func v1Body(uid, channel, message string) string {
	b := []byte{0xa3}
	b = append(cborHead(b, 3, 3), "uid"...)
	b = append(cborHead(b, 3, len(uid)), uid...)
	b = append(cborHead(b, 3, 7), "channel"...)
	b = append(cborHead(b, 3, len(channel)), channel...)
	b = append(cborHead(b, 3, 7), "message"...)
	return string(append(cborHead(b, 2, len(message)), message...))
}

func cborHead(b []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(b, major<<5|byte(n))
	case n < 1<<8:
		return append(b, major<<5|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major<<5|25), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, major<<5|26), uint32(n))
	}
}

// v1Frame is a whole frame under the key of (auth, uid, channel), auth being the shared key or an address.
func v1Frame(auth, uid, channel, message string) []byte {
	body, key := v1Body(uid, channel, message), v1Key(auth, uid, channel)
	b := binary.BigEndian.AppendUint32(nil, 'M'<<24|uint32(len(body)))
	b = binary.BigEndian.AppendUint32(b, uint32(key))
	b = binary.BigEndian.AppendUint64(b, key)
	return append(b, body...)
}

// hello is the v2 hello; an empty key leaves auth out.
func hello(uid, channel, key string) string {
	members := map[string]string{"uid": uid, "channel": channel}
	if key != "" {
		members["auth"] = fmt.Sprintf("%016x", siphash.Hash(0, 0, []byte(uid+channel+key)))
	}
	b, err := json.Marshal(members)
	if err != nil {
		panic(err) // a map of strings
	}
	return string(b)
}
