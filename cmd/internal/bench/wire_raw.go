package bench

import (
	"hash/fnv"

	"mles/cmd/internal/bench/floor"
)

// rawWire is what the floor takes: a header that says who one is, then bytes.
type rawWire struct{}

func (rawWire) join(l *link) ([]byte, error) {
	role := floor.Subscriber
	if l.publishes {
		role = floor.Publisher
	}
	name := fnv.New64a()
	name.Write([]byte(l.channel))
	h := floor.Header{Role: role, Size: uint32(l.size), Keep: uint32(l.keep), Channel: name.Sum64()}
	_, err := l.conn.Write(h.Append(nil))
	return nil, err
}

func (rawWire) frame(dst []byte, _ *link, m []byte) ([]byte, int) {
	return append(dst, m...), len(dst)
}

func (rawWire) scan(buf []byte, in *inbox) (int, error) {
	off := 0
	for ; len(buf)-off >= in.size; off += in.size {
		if m := buf[off : off+in.size]; !in.quick(m) {
			in.take(m)
		}
	}
	return off, nil
}

func (rawWire) weight(_, _ string, size int) int { return size }
