package bridge

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
)

// script is a Lazy source that gives its parts one by one, then its error again and again.
type script struct {
	parts [][]byte
	err   error
	reads int
}

func (s *script) ReadLazy(get func() []byte, _ func([]byte)) ([]byte, int, error) {
	s.reads++
	if len(s.parts) == 0 {
		return nil, 0, s.err
	}
	buf := get()
	n := copy(buf, s.parts[0])
	s.parts = s.parts[1:]
	return buf, n, nil
}

// receiving returns a socket that receives the parts.
func receiving(below *records, parts ...[]byte) (*socket, *script) {
	source := &script{parts: parts, err: io.EOF}
	s := &socket{}
	s.in = inbox{source: source, record: below}
	return s, source
}

// TLS asks for more than a record, and gets the rest of that record and no more, however the bytes come: only so it is
// known that it holds nothing.
func TestTLSGetsOneRecordAtATime(t *testing.T) {
	var all []byte
	var ends []int
	for _, size := range []int{1, 0, 300, 17, 16 << 10, 2, 5} {
		all = append(all, 23, 3, 3, byte(size>>8), byte(size))
		all = append(all, bytes.Repeat([]byte{byte(size)}, size)...)
		ends = append(ends, len(all))
	}
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 1))
		var parts [][]byte
		for rest := all; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(1<<random.IntN(14)))
			parts, rest = append(parts, rest[:n]), rest[n:]
		}
		s, _ := receiving(new(records), parts...)
		var got []byte
		at, p := 0, make([]byte, 20<<10)
		for {
			n, err := s.receive(p[:1+random.IntN(len(p))])
			if err == io.EOF {
				break
			}
			got = append(got, p[:n]...)
			if len(got) > ends[at] {
				t.Fatalf("seed %d: bytes %d to %d reach over the end of a record at %d", seed, len(got)-n, len(got), ends[at])
			}
			if len(got) == ends[at] {
				at++
			}
		}
		if !bytes.Equal(got, all) {
			t.Fatalf("seed %d: %d bytes are not what was sent, %d bytes", seed, len(got), len(all))
		}
	}
}

// Whoever waits first is told what came of it when it reads: an error is not lost, and what has come is not waited for again.
func TestWaitingLosesNothing(t *testing.T) {
	s, source := receiving(nil, []byte("hello"))
	idle := 0
	s.in.idle = func() { idle++ }
	s.in.await()
	s.in.await()
	if source.reads != 1 || idle != 1 {
		t.Errorf("%d reads and %d times idle for one part, want 1 and 1", source.reads, idle)
	}
	p := make([]byte, 3)
	for _, want := range []string{"hel", "lo"} {
		if n, err := s.receive(p); err != nil || string(p[:n]) != want {
			t.Fatalf("received %q, %v, want %q", p[:n], err, want)
		}
	}
	if s.in.block != nil {
		t.Error("memory is borrowed though nothing is left")
	}
	source.err = errors.New("reset by peer")
	s.in.await()
	source.err = io.EOF // as a kernel tells a fault once
	s.in.await()
	if _, err := s.receive(p); err == nil || err.Error() != "reset by peer" {
		t.Errorf("the fault was told as %v", err)
	}
	if _, err := s.receive(p); err != io.EOF {
		t.Errorf("after the fault: %v, want EOF", err)
	}
}
