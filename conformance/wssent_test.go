package conformance

import (
	"strings"
	"testing"
)

// However frames are cut into pieces, their ends are found.
func TestBoundary(t *testing.T) {
	var frames [][]byte
	for _, n := range []int{0, 1, 125, 126, 1000, 65535, 65536, 70000} {
		frames = append(frames, ClientFrame(Fin|OpBinary, strings.Repeat("x", n)))
	}
	for _, step := range []int{1, 2, 3, 7, 100_000} {
		var f boundary
		for i, frame := range frames {
			for at := 0; at < len(frame); at += step {
				if at > 0 && !f.within() {
					t.Fatalf("frame %d seems whole after %d of %d bytes", i, at, len(frame))
				}
				f.sent(frame[at:min(at+step, len(frame))])
			}
			if f.within() {
				t.Fatalf("frame %d of %d bytes seems cut", i, len(frame))
			}
		}
		f.sent(Cat(frames...))
		if f.within() {
			t.Fatal("all of them together seem cut")
		}
	}
}
