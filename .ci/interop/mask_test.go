//go:build interop

package interop

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"golang.org/x/crypto/blake2s"
)

// A mask is how mles-webproxy hides a channel's names and messages from its v1 server.
type mask struct{ names, messages cipher.Block }

func newMask(channel string) mask {
	once := blake2s.Sum256([]byte(channel))
	twice := blake2s.Sum256(once[:])
	return mask{names: aes128(twice[:16]), messages: aes128(once[:16])}
}

func aes128(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 16 bytes always fit
	}
	return b
}

// name masks a uid or a channel: ECB with PKCS#7 padding, in base64.
func (m mask) name(s string) string {
	pad := 16 - len(s)%16
	b := []byte(s)
	for range pad {
		b = append(b, byte(pad))
	}
	for i := 0; i < len(b); i += 16 {
		m.names.Encrypt(b[i:], b[i:])
	}
	return base64.StdEncoding.EncodeToString(b)
}

// message masks or unmasks all but the first 16 bytes, which are the initial counter.
func (m mask) message(s string) string {
	b := []byte(s)
	cipher.NewCTR(m.messages, b[:16]).XORKeyStream(b[16:], b[16:])
	return string(b)
}

// TestMask holds the mask against frames that were taken from mles-webproxy 0.8.8 itself.
func TestMask(t *testing.T) {
	var vectors struct {
		Channel string
		Cases   []struct{ UID, Message, Frame string }
	}
	data, err := os.ReadFile("testdata/v1-webproxy-mask.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Cases) == 0 {
		t.Fatal("no vectors")
	}
	m := newMask(vectors.Channel)
	for _, c := range vectors.Cases {
		message, err := hex.DecodeString(c.Message)
		if err != nil {
			t.Fatal(err)
		}
		got := v1Frame("swordfish", m.name(c.UID), m.name(vectors.Channel), m.message(string(message)))
		if hex.EncodeToString(got) != c.Frame {
			t.Errorf("%s: frame is %x instead of %s", c.UID, got, c.Frame)
		}
	}
}
