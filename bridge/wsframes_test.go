package bridge

import (
	"testing"

	"pgregory.net/rapid"
)

// However what a client sends is cut into pieces, the end of each frame is seen.
func TestFramesAreFollowedThroughAnyPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var sent []byte
		ends := map[int]bool{0: true}
		for range rapid.IntRange(1, 8).Draw(t, "frames") {
			size := rapid.SampledFrom([]int{0, 1, 2, 125, 126, 300, 65535, 65536}).Draw(t, "size")
			sent = append(sent, maskedHeader(size)...)
			sent = append(sent, make([]byte, size)...)
			ends[len(sent)] = true
		}
		var f frames
		for at := 0; at < len(sent); {
			n := min(len(sent)-at, rapid.SampledFrom([]int{1, 3, 1000, 70000}).Draw(t, "piece"))
			f.pass(sent[at : at+n])
			at += n
			if f.begun() == ends[at] {
				t.Fatalf("after %d of %d bytes begun is %v", at, len(sent), f.begun())
			}
		}
		if f.halfCode {
			t.Error("half a close code was seen in binary frames")
		}
	})
}

// maskedHeader begins a binary frame of a client.
func maskedHeader(size int) []byte {
	switch {
	case size < 126:
		return []byte{0x82, 0x80 | byte(size), 1, 2, 3, 4}
	case size < 1<<16:
		return []byte{0x82, 0x80 | 126, byte(size >> 8), byte(size), 1, 2, 3, 4}
	}
	return []byte{0x82, 0x80 | 127, 0, 0, 0, 0, 0, byte(size >> 16), byte(size >> 8), byte(size), 1, 2, 3, 4}
}

func TestHalfACloseCodeIsSeen(t *testing.T) {
	for _, c := range []struct {
		frame string
		half  bool
	}{
		{"\x88\x81\x00\x00\x00\x00\x03", true},
		{"\x88\x80\x00\x00\x00\x00", false},
		{"\x88\x82\x00\x00\x00\x00\x03\xe8", false},
		{"\x82\x81\x00\x00\x00\x00\x03", false},
	} {
		var f frames
		f.pass([]byte(c.frame))
		if f.halfCode != c.half || f.begun() {
			t.Errorf("%x: half %v, begun %v", c.frame, f.halfCode, f.begun())
		}
	}
}
