package v1

import (
	"bytes"
	"io"
	"strconv"
	"testing"
)

var benchSizes = []int{64, 1024, 64 << 10}

func benchMsg(size int) Msg {
	return Msg{UID: "alice", Channel: "bench", Message: bytes.Repeat([]byte("x"), size)}
}

// BenchmarkDecode: the canonical body, as nearly every one is, and a lenient one.
func BenchmarkDecode(b *testing.B) {
	for _, size := range benchSizes {
		body := benchMsg(size).Append(nil)
		b.Run("canonical/"+strconv.Itoa(size), func(b *testing.B) { benchDecode(b, body) })
	}
	lenient := append([]byte{0x83}, "\x65alice\x65bench\x43xyz"...) // an array in place of the map
	b.Run("lenient", func(b *testing.B) { benchDecode(b, lenient) })
}

func benchDecode(b *testing.B, body []byte) {
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	var v View
	for b.Loop() {
		if err := v.Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendFrame(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			m := benchMsg(size)
			dst := AppendFrame(nil, 1, 2, m)
			b.SetBytes(int64(len(dst)))
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendFrame(dst[:0], 1, 2, m)
			}
		})
	}
}

func BenchmarkKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Key("swordfish", "alice", "bench")
	}
}

// stream gives the same bytes again and again.
type stream struct{ all, left []byte }

func (s *stream) Read(p []byte) (int, error) {
	if len(s.left) == 0 {
		s.left = s.all
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

// BenchmarkFrames cuts a stream into frames of each size; an operation is one frame.
func BenchmarkFrames(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			frame := AppendFrame(nil, 1, 2, benchMsg(size))
			r := NewReader(io.Reader(&stream{all: bytes.Repeat(frame, max(1, 64<<10/len(frame)))}))
			b.SetBytes(int64(len(frame)))
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; {
				frames, err := r.Frames()
				if err != nil {
					b.Fatal(err)
				}
				n += len(frames)
			}
		})
	}
}
