package v2

import (
	"bytes"
	"strconv"
	"testing"
)

func BenchmarkParseHello(b *testing.B) {
	text := Hello{UID: "alice", Channel: "bench", Auth: FormatAuth(Auth("alice", "bench", "swordfish")), HasAuth: true}.Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseHello(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuth(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Auth("alice", "bench", "swordfish")
	}
}

// BenchmarkAppendFrame: a server's frame, and a client's, which is masked.
func BenchmarkAppendFrame(b *testing.B) {
	for _, size := range []int{64, 1024, 64 << 10} {
		payload := bytes.Repeat([]byte("x"), size)
		dst := make([]byte, 0, size+16)
		b.Run("server/"+strconv.Itoa(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendFrame(dst[:0], OpBinary, payload)
			}
		})
		b.Run("client/"+strconv.Itoa(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendMasked(dst[:0], OpBinary, payload, [4]byte{1, 2, 3, 4})
			}
		})
	}
}

func BenchmarkAppendNotice(b *testing.B) {
	dst := make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendNotice(dst[:0], "alice", "bench")
	}
}
