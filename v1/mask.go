package v1

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/blake2s"
)

// MaskCounter is how many bytes at the front of a message the mask leaves as they are: the initial
// counter for the rest. A message that has no more than that cannot be masked.
const MaskCounter = 16

// MaxMaskedName is the length in bytes of the longest name whose mask is not over MaxName.
const MaxMaskedName = MaxName/4*3/aes.BlockSize*aes.BlockSize - 1

// Mask is what mles-webproxy puts on the names and messages of one channel, as its v1 server is not
// meant to read them (spec.md, "Mask"). Everybody who knows the channel's name can put it on and take it
// off. It is not changed by use and may be used by several goroutines at once.
type Mask struct {
	plain, masked string
	names         cipher.Block
	messages      cipher.Block
}

// NewMask returns the mask of the channel of that name.
func NewMask(channel string) *Mask {
	once := blake2s.Sum256([]byte(channel))
	twice := blake2s.Sum256(once[:])
	m := &Mask{plain: channel, names: aes128(twice[:16]), messages: aes128(once[:16])}
	m.masked = m.Name(channel)
	return m
}

func aes128(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // cannot be: 16 bytes are a key
	}
	return b
}

// Plain returns the channel's own name.
func (m *Mask) Plain() string { return m.plain }

// Masked returns the channel's name on the v1 server, the same as Name(Plain()).
func (m *Mask) Masked() string { return m.masked }

// Name masks a uid or a channel: AES-128 in ECB mode with PKCS#7 padding, in base64. The same name
// always becomes the same text, of 24 to, for MaxMaskedName bytes, 1,024 bytes.
func (m *Mask) Name(name string) string {
	pad := aes.BlockSize - len(name)%aes.BlockSize
	b := make([]byte, 0, len(name)+pad)
	b = append(b, name...)
	for range pad {
		b = append(b, byte(pad))
	}
	for at := 0; at < len(b); at += aes.BlockSize {
		m.names.Encrypt(b[at:], b[at:])
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Unname takes the mask off a uid or a channel. It fails with ErrMaskName, wrapped with what is wrong,
// if masked is not what Name returns for some name in UTF-8.
func (m *Mask) Unname(masked string) (string, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(masked)
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ErrMaskName, err)
	case base64.StdEncoding.EncodedLen(len(b)) != len(masked): // the decoder steps over line ends
		return "", fmt.Errorf("%w: not base64 alone", ErrMaskName)
	case len(b) == 0 || len(b)%aes.BlockSize != 0:
		return "", fmt.Errorf("%w: %d bytes are no whole blocks", ErrMaskName, len(b))
	}
	for at := 0; at < len(b); at += aes.BlockSize {
		m.names.Decrypt(b[at:], b[at:])
	}
	pad := int(b[len(b)-1])
	if pad == 0 || pad > aes.BlockSize {
		return "", fmt.Errorf("%w: not of this channel", ErrMaskName)
	}
	for _, c := range b[len(b)-pad:] {
		if int(c) != pad {
			return "", fmt.Errorf("%w: not of this channel", ErrMaskName)
		}
	}
	if b = b[:len(b)-pad]; !utf8.Valid(b) {
		return "", fmt.Errorf("%w: %w", ErrMaskName, errUTF8)
	}
	return string(b), nil
}

// AppendMessage masks a message, or takes its mask off, which is the same, and appends it to dst: the
// first MaskCounter bytes as they are, and the rest by AES-128 in counter mode, with these as the
// initial counter. The length stays the same. A message that is not longer than MaskCounter fails with
// ErrMaskShort.
func (m *Mask) AppendMessage(dst, message []byte) ([]byte, error) {
	if len(message) <= MaskCounter {
		return dst, ErrMaskShort
	}
	start := len(dst)
	dst = append(dst, message...)
	rest := dst[start+MaskCounter:]
	cipher.NewCTR(m.messages, message[:MaskCounter]).XORKeyStream(rest, rest)
	return dst, nil
}
