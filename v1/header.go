package v1

import (
	"encoding/binary"
	"fmt"
)

const (
	// HeaderLen is the size in bytes of the header in front of every body.
	HeaderLen = 16
	// MaxBody is the largest body in bytes that the header's length field can announce.
	MaxBody = 0xffffff
	// MaxName is the most bytes a uid or a channel may have in a gateway of this project. The codec
	// itself does not enforce it; servers refuse a join over it (spec.md, "Limits").
	MaxName = 1024
	// DefaultPort is the TCP port that v1 servers listen on.
	DefaultPort = "8077"
)

const magic = 'M'

// Header is what precedes a body on the wire (spec.md, "Frame"): 'M', the body's length in 24 bits, the
// connection id in 32, the key in 64, all big endian.
type Header struct {
	Len int    // bytes of body that follow, 1 … MaxBody
	CID uint32 // connection id: the low half of the joining key unless configured
	Key uint64 // in a first frame the SipHash that authenticates it; later whatever the client likes
}

// ParseHeader reads the header at the front of b. It fails with ErrShort if b has fewer than HeaderLen
// bytes, with ErrMagic if the first is not 'M' and with ErrEmpty if a body of no bytes is announced.
// ErrMagic is reported from the first byte on, so that nobody waits for 15 more of something else.
func ParseHeader(b []byte) (Header, error) {
	if len(b) > 0 && b[0] != magic {
		return Header{}, ErrMagic
	}
	if len(b) < HeaderLen {
		return Header{}, ErrShort
	}
	h := Header{
		Len: int(b[1])<<16 | int(b[2])<<8 | int(b[3]),
		CID: binary.BigEndian.Uint32(b[4:]),
		Key: binary.BigEndian.Uint64(b[8:]),
	}
	if h.Len == 0 {
		return Header{}, ErrEmpty
	}
	return h, nil
}

// Append adds the 16 bytes of h to dst. A Len that no frame can have is a mistake of the program and
// panics: what followed on the wire could not be told apart from frames any more.
func (h Header) Append(dst []byte) []byte {
	if h.Len < 1 || h.Len > MaxBody {
		panic(fmt.Sprintf("v1: body of %d bytes in a header", h.Len))
	}
	dst = append(dst, magic, byte(h.Len>>16), byte(h.Len>>8), byte(h.Len))
	dst = binary.BigEndian.AppendUint32(dst, h.CID)
	return binary.BigEndian.AppendUint64(dst, h.Key)
}
